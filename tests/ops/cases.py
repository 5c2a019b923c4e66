"""One or more cases for every primitive: `test_all_ops.py` fails for an op that has none.

A case is a function of tensors and the arrays to call it with. It must be smooth near them: no
ties, no numbers at a corner. Whoever adds an op adds a line here.
"""

import numpy as np

from minilearn import xp
from minilearn.op import OPS
from minilearn.ops.norm import moments
from minilearn.ops.pool import Window


def a(*shape, low=-2.0, high=2.0, seed=0):
    """Return float64 numbers between two bounds, no two of them equal."""
    size = int(np.prod(shape, dtype=int))
    values = np.linspace(low, high, size + 2)[1:-1] + (high - low) / (9 * size + 9)
    return np.random.default_rng((seed, *shape)).permutation(values).reshape(shape)


def case(name, *arrays, **params):
    """Call the op itself with these options."""
    return lambda *tensors: OPS[name](*tensors, **params), arrays


def norm(x, w, b):
    """Batch norm with the statistics of its own input, as it must be."""
    mean, var = moments(x.data)[:2]
    return OPS["batch_norm"](x, w, b, mean=mean, var=var, eps=1e-3)


def at(*places):
    """Return an index array on the library that is current when the case runs."""
    return xp.array(np.array(places), "int64")


def late(name, *arrays, **params):
    """Like `case`, with options that need arrays: they are functions, called at the last moment."""
    return lambda *tensors: OPS[name](*tensors, **{k: p() for k, p in params.items()}), arrays


X, POSITIVE, UNIT = a(2, 3), a(2, 3, low=0.2), a(2, 3, low=-0.9, high=0.9)
PAIR = a(2, 3), a(3, seed=1)  # these broadcast
BOX = (slice(0, 1), slice(0, 3, 2))
WINDOW = Window(dim=-1, size=5, places=3, kernel=2, stride=2, padding=1)
OVERLAP = Window(dim=-2, size=4, places=2, kernel=3, stride=1, dilation=1)
IMAGE, KERNEL = a(2, 4, 5, 4), a(4, 2, 3, 2, seed=1)
CONV = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 2}
OUT = a(2, 4, 3, 2, seed=2)  # of the shape that IMAGE convolved with KERNEL has
ROWS = (slice(0, 2), slice(0, 3)), None
PICKED = (slice(0, 2), slice(0, 3)), (slice(None), lambda: at(2, 0, 2))

CASES = {
    **{name: [case(name, X)] for name in (
        "abs alias atan clone contiguous cos cosh erf exp exp2 expm1 joined_sum logsigmoid neg "
        "relu sigmoid sin sinh square tan tanh".split())},
    **{name: [case(name, X, dim=-1), case(name, a(2, 3, 4), dim=1)]
       for name in ("softmax", "log_softmax")},
    **{name: [case(name, POSITIVE)] for name in (
        "log log10 log1p log2 reciprocal rsqrt sqrt".split())},
    **{name: [case(name, UNIT)] for name in ("acos", "asin")},
    **{name: [case(name, *PAIR), case(name, a(4, 1, 3), a(2, 1))] for name in (
        "add", "sub", "mul", "maximum", "minimum", "atan2")},
    **{name: [case(name, X, dim=1), case(name, X, dim=(-1, 0), keepdim=True)]
       for name in ("sum", "amax", "amin", "logsumexp")},
    "div": [case("div", a(2, 3), a(3, low=0.5))],
    "pow": [case("pow", POSITIVE, a(3)), (lambda x: x**3, (X,)), (lambda x: x**0.5, (POSITIVE,))],
    "cast": [case("cast", X, dtype="float64")],
    "choose": [(lambda x, y: OPS["choose"](x > 0, x, y), (X, a(2, 3, seed=1)))],
    "clamp_min": [case("clamp_min", X, a(3, seed=1))],
    "clamp_max": [case("clamp_max", X, a(3, seed=1))],
    "clamp_both": [case("clamp_both", X, a(3, low=-1.5, high=-0.5), a(2, 1, low=0.5, high=1.5))],
    "softmax_nll": [late("softmax_nll", X, target=lambda: at(2, 0), scale=lambda: 0.5)],
    "bernoulli_nll": [case("bernoulli_nll", a(2, 3, low=0.1, high=0.9), a(2, 3, low=0, high=1))],
    "remainder": [case("remainder", X, a(3, low=3.0, high=5.0))],
    "cumsum": [case("cumsum", X, dim=1), case("cumsum", X, dim=-2)],
    "reshape": [case("reshape", X, shape=(3, -1)), case("reshape", a(), shape=(1, 1))],
    "permute": [case("permute", a(2, 3, 4), dims=(2, 0, 1)), case("permute", X, dims=(-1, -2))],
    "flip": [case("flip", X, dims=(0, -1))],
    "roll": [case("roll", X, shifts=2), case("roll", X, shifts=(1, -2), dims=(0, 1))],
    "broadcast_to": [case("broadcast_to", a(2, 1), size=(3, 2, 4))],
    "cut": [case("cut", X, at=BOX)],
    "paste": [case("paste", a(1, 2), at=BOX, shape=(2, 3), value=1.5)],
    "join": [case("join", X, a(2, 1), a(2, 2), dim=1)],
    "tril": [case("tril", a(2, 3, 3), diagonal=-1)],
    "triu": [case("triu", a(2, 3, 3), diagonal=1)],
    "matmul": [case("matmul", *shapes) for shapes in (
        (a(2, 3), a(3, 4)), (a(3), a(3)), (a(2, 3), a(3)), (a(3), a(2, 3, 4)),
        (a(5, 2, 3), a(3, 4)), (a(2, 1, 2, 3), a(4, 3, 2)), (a(2, 2, 3), a(3)))],
    "getitem": [case("getitem", X, index=((1, slice(0, 3, 2)), None)),
                late("getitem", X, index=lambda: (PICKED[0], (slice(None), PICKED[1][1]())))],
    "place": [late("place", a(2, 3), index=lambda: (PICKED[0], (slice(None), PICKED[1][1]())),
                   shape=lambda: (2, 3))],
    "replace": [case("replace", X, a(3, seed=1), index=((0, slice(0, 3)), None))],
    "conv2d": [case("conv2d", IMAGE, KERNEL, **CONV), case("conv2d", a(1, 2, 3, 3), a(1, 2, 2, 2))],
    "conv2d_input": [case("conv2d_input", OUT, KERNEL, size=(5, 4), **CONV)],
    "conv2d_weight": [case("conv2d_weight", IMAGE, OUT, kernel=(3, 2), **CONV)],
    "batch_norm": [(norm, (a(3, 2, 2, 2), a(2), a(2, seed=1)))],
    "window_sum": [case("window_sum", a(2, 5), window=WINDOW)],
    "window_spread": [case("window_spread", a(2, 3), window=WINDOW)],
    "window_stack": [case("window_stack", a(2, 5), window=WINDOW),
                     case("window_stack", a(4, 2), window=OVERLAP)],
    "window_unstack": [case("window_unstack", a(2, 3, 2), window=WINDOW)],
    "window_max": [case("window_max", a(2, 5), window=WINDOW),
                   case("window_max", a(4, 2), window=OVERLAP)],
    # At most 0.9 in size: relu stays away from its corner, and so do the saturated gates.
    "rnn": [case("rnn", a(3, 2, 4), a(2, 4, seed=1), a(4, 4, low=-0.5, high=0.5),
                 nonlinearity="tanh"),
            case("rnn", a(3, 1, 2, low=0.5), a(1, 2, low=0.5), a(2, 2, low=0.1, high=0.5),
                 nonlinearity="relu")],
    "gru": [case("gru", a(3, 2, 12), a(2, 4, seed=1), a(12, 4, seed=2), a(12, seed=3))],
    "lstm": [case("lstm", a(3, 2, 12), a(2, 3, seed=1), a(2, 3, seed=2), a(12, 3, seed=3)),
             case("lstm", a(3, 2, 12), a(2, 1), a(2, 3, seed=2), a(12, 1), a(1, 3, seed=3))],
    "pick": [case("pick", a(2, 3), dim=-1, places=(0, 2, 2, 3))],
    "unpick": [case("unpick", a(2, 4), dim=-1, places=(0, 2, 2, 3), size=3)],
}

# Steps: the derivative is zero wherever there is one.
STEPS = {"ceil", "floor", "floor_divide", "round", "sign", "trunc", "trunc_divide"}
# Truth values and places are not numbers that could change by a little.
NOT_DIFFERENTIABLE = set(
    "all any argmax argmin argsort count_nonzero bitwise_and bitwise_not bitwise_or bitwise_xor "
    "eq ge gt isfinite isinf isnan le logical_and logical_not logical_or logical_xor lt ne".split())

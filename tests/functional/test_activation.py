"""Activations against torch: values, gradients, gradients of gradients, corners and errors."""

import numpy as np
import pytest
import torch
import torch.nn.functional as T
from against_torch import agree, both_raise, close, host, ours, theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import minilearn as ml
import minilearn.functional as F
from minilearn import nn

seeds = st.integers(0, 10**6)
kinds = st.sampled_from(["float32", "float64"])
shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)
slopes = st.sampled_from([-0.5, 0.0, 0.01, 0.25, 1.0, 2.0])
alphas = st.sampled_from([0.3, 1.0, 2.5])

# Every elementwise activation with the options torch gives it.
ELEMENTWISE = {
    "relu": {},
    "relu6": {},
    "leaky_relu": {"negative_slope": slopes},
    "elu": {"alpha": st.sampled_from([-0.5, 0.0, 0.3, 1.0, 2.5])},
    "celu": {"alpha": alphas},
    "selu": {},
    "gelu": {"approximate": st.sampled_from(["none", "tanh"])},
    "silu": {},
    "mish": {},
    "softplus": {"beta": alphas, "threshold": st.sampled_from([0.5, 2.0, 20.0])},
    "softsign": {},
    "sigmoid": {},
    "tanh": {},
    "logsigmoid": {},
    "hardtanh": {"min_val": st.sampled_from([-2.0, -1]), "max_val": st.sampled_from([-1, 1, 3.0])},
    "hardsigmoid": {},
    "hardswish": {},
    "tanhshrink": {},
    "hardshrink": {"lambd": st.sampled_from([-1.0, 0.0, 0.5, 1.0])},
    "softshrink": {"lambd": st.sampled_from([0.0, 0.5, 1.0])},
    "rrelu": {"lower": st.sampled_from([-0.5, 0.1]), "upper": st.sampled_from([0.5, 1.0])},
}
WITH_INTEGERS = {"relu", "relu6", "sigmoid", "tanh", "softsign", "hardtanh", "tanhshrink"}
FLOATS_ONLY = sorted(ELEMENTWISE.keys() - WITH_INTEGERS)
# In their gradients torch rounds constants such as alpha or 1 / 6 to float32, whatever the dtype.
COARSE = {(name, "float64"): 1e-6 for name in ("celu", "elu", "selu", "hardsigmoid")}


def pair(name):
    return getattr(F, name), getattr(T, name)


def numbers(seed, shape, dtype):
    """Free numbers; for odd seeds numbers on a grid that meets every corner: 0, 1, 3, 6 ..."""
    rng = np.random.default_rng(seed)
    free, grid = rng.standard_normal(shape) * 3, rng.integers(-12, 13, shape) / 2
    return np.asarray(grid if seed % 2 else free, dtype)


@pytest.mark.parametrize("name", ELEMENTWISE)
@settings(max_examples=20)
@given(data=st.data(), seed=seeds, shape=shapes, dtype=kinds)
def test_elementwise(name, data, seed, shape, dtype):
    options = {k: data.draw(s, k) for k, s in ELEMENTWISE[name].items()}
    given_ones = {k: v for k, v in options.items() if data.draw(st.booleans(), f"give {k}")}
    # In corners torch's second derivatives follow no one convention; of hardsigmoid it has none.
    order = 1 if seed % 2 or name == "hardsigmoid" else 2
    agree(*pair(name), numbers(seed, shape, dtype), order=order, reduction=4,
          rtol=COARSE.get((name, dtype)), **given_ones)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_far_out(name, dtype):
    x = np.array([-100, -30, -0.0, 0.0, 30, 100], dtype)
    agree(*pair(name), x, order=1, rtol=COARSE.get((name, dtype)))
    x = np.array([-np.inf, -1e30, -800, 800, 1e30, np.inf, np.nan], dtype)
    x = x[1:-2] if name == "gelu" else x  # torch's two code paths disagree about infinity
    agree(*pair(name), x, order=0)


# Where each activation bends or jumps, and a number that is none; repeated, because torch treats
# the last few elements of a tensor differently from all others.
CORNERS = {"relu6": {}, "hardtanh": {"min_val": -1.0, "max_val": 1.0}, "hardsigmoid": {},
           "hardswish": {}, "leaky_relu": {}, "elu": {"alpha": 2.0}, "celu": {"alpha": 2.0},
           "selu": {}, "hardshrink": {"lambd": 1.0}, "softshrink": {"lambd": 1.0}, "rrelu": {}}


@pytest.mark.parametrize("name", CORNERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_on_the_corner_and_at_nan(name, dtype):
    x = np.repeat(np.array([np.nan, 0, -0.0, 1, -1, 3, -3, 6], dtype), 32)
    agree(*pair(name), x, order=1 if name == "hardsigmoid" else 2,
          rtol=1e-6 if (name, dtype) in COARSE else None, **CORNERS[name])


@settings(max_examples=20)
@given(seed=seeds, shape=shapes, dtype=st.sampled_from(["float32", "float64", "int64", "uint8"]),
       threshold=st.sampled_from([-1.0, 0.5, 2]), value=st.sampled_from([0, 7.0]))
def test_threshold(seed, shape, dtype, threshold, value):
    if dtype != "uint8" or threshold >= 0:
        x = numbers(seed | 1, shape, "float64") * (1 if dtype[0] == "f" else 2)
        agree(F.threshold, T.threshold, np.asarray(abs(x), dtype), threshold, value)


def test_rrelu_draws_a_slope_for_each_element():
    x = ours(np.full(4000, -1.0), True)
    y = F.rrelu(x, 0.2, 0.4, training=True)
    y.sum().backward()
    slopes = x.grad.numpy()
    assert 0.2 <= slopes.min() < 0.21 and 0.39 < slopes.max() <= 0.4
    assert abs(slopes.mean() - 0.3) < 0.01
    close(y.detach(), -x.grad)
    close(F.rrelu(ours(np.ones(3)), training=True), ours(np.ones(3)))


def test_the_tail_of_logsigmoid_keeps_its_digits():
    for x in (40.0, -40.0):  # compared by itself: its gradient at 40 is 4e-18
        agree(F.logsigmoid, T.logsigmoid, np.array([x]), order=1, rtol=1e-10)


@pytest.mark.parametrize("name", FLOATS_ONLY)
def test_numbers_that_are_not_floating(name):
    both_raise(*pair(name), np.array([1, -2]), match=f"{name}:")
    both_raise(*pair(name), np.array([True, False]), match=f"{name}:")


def test_integers():
    x = np.array([-3, -1, 0, 2, 9])
    for name in ("relu", "relu6", "sigmoid", "tanh", "softsign"):
        agree(*pair(name), x)
    agree(F.hardtanh, T.hardtanh, x, -2, 3)
    both_raise(F.hardtanh, T.hardtanh, np.array([True]), match="hardtanh:")


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_what_is_left_out_raises(name):
    with pytest.raises(TypeError):
        pair(name)[0](ours(np.ones(2)), inplace=True)
    with pytest.raises(TypeError, match=name):
        pair(name)[0]([1.0, 2.0])


def test_refused_options():
    x = np.array([1.0, -1.0])
    both_raise(F.hardtanh, T.hardtanh, x, 2.0, 1.0, match="min_val=2.0")
    both_raise(F.celu, T.celu, x, 0.0, match="alpha")
    both_raise(F.gelu, T.gelu, x, approximate="fast", match="approximate")


# ---------------------------------------------------------------- prelu, glu


@settings(max_examples=30)
@given(seed=seeds, shape=st.lists(st.integers(1, 4), max_size=4), one=st.booleans(), dtype=kinds)
def test_prelu(seed, shape, one, dtype):
    channels = 1 if one or len(shape) < 2 else shape[1]
    weight = np.random.default_rng(seed + 1).standard_normal(channels).astype(dtype)
    x = np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)
    agree(F.prelu, T.prelu, x, weight, reduction=64)


def test_prelu_refuses():
    x = np.ones((2, 3))
    both_raise(F.prelu, T.prelu, x, np.ones(2), match="weight=(2,)")
    both_raise(F.prelu, T.prelu, x, np.ones((1, 3)), match="weight=(1, 3)")
    both_raise(F.prelu, T.prelu, np.ones(3), np.ones(3), match="prelu:")
    agree(F.prelu, T.prelu, x, np.array(0.5))


@settings(max_examples=30)
@given(data=st.data(), seed=seeds, dtype=kinds)
def test_glu(data, seed, dtype):
    shape = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    shape[dim] = 2 * data.draw(st.integers(1, 3))
    x = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    agree(F.glu, T.glu, x, dim)


def test_glu_refuses():
    both_raise(F.glu, T.glu, np.ones((2, 3)), match="even")
    both_raise(F.glu, T.glu, np.array(1.0), match="even")
    both_raise(F.glu, T.glu, np.ones((2, 4)), 2, match="dim")
    both_raise(F.glu, T.glu, np.ones((2, 4), "int64"), match="glu:")


# ---------------------------------------------------------------- softmax and its family

FAMILY = ["softmax", "log_softmax", "softmin"]


@pytest.mark.parametrize("name", FAMILY)
@settings(max_examples=30)
@given(data=st.data(), seed=seeds, dtype=kinds, shape=shapes, scale=st.sampled_from([1, 30, 1e4]))
def test_softmax(name, data, seed, dtype, shape, scale):
    n = max(len(shape), 1)
    dim = data.draw(st.integers(-n, n - 1))
    x = np.asarray(np.random.default_rng(seed).standard_normal(shape) * scale, dtype)
    agree(*pair(name), x, dim, reduction=8, order=2 if scale == 1 else 1)
    agree(*pair(name), x, dim=dim, dtype=None, reduction=8, order=0)


@pytest.mark.parametrize("name", FAMILY)
def test_softmax_of_what_is_not_finite(name):
    inf, nan = np.inf, np.nan
    for row in ([-inf, 0, 1], [-inf, -inf, -inf], [inf, 0, 1], [nan, 0, 1], [1e30, 0, -1e30]):
        agree(*pair(name), np.array([row], "float32"), dim=1, order=1)


@pytest.mark.parametrize("name", FAMILY)
def test_softmax_converts_first(name):
    f, t = pair(name)
    for dtype in ("int64", "float32", "float64"):
        x = np.array([[1, 2, 5], [0, 3, 3]], dtype)
        for wanted in ("float32", "float64"):
            close(f(ours(x), 1, dtype=wanted), t(theirs(x), 1, dtype=getattr(torch, wanted)))


@pytest.mark.parametrize("name", FAMILY)
def test_softmax_refuses(name):
    x = np.ones((2, 3))
    both_raise(*pair(name), x, 2, match="dim=2")
    both_raise(*pair(name), x, -3, match="dim=-3")
    both_raise(*pair(name), x, 1.5, match="dim=1.5")
    both_raise(*pair(name), np.ones((2, 3), "int64"), 1, match="int64")
    both_raise(*pair(name), x, dim=1, unknown=1)
    both_raise(*pair(name), x, axis=1)


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_softmax_guesses_a_dimension_aloud(name, shape):
    x, module = np.random.default_rng(0).standard_normal(shape), name.replace("s", "S", 1)
    module = {"log_Softmax": "LogSoftmax"}.get(module, module)
    for f, t in (pair(name), (getattr(nn, module)(), getattr(torch.nn, module)())):
        with pytest.warns(UserWarning, match="dim"):
            got = f(ours(x))
        with pytest.warns(UserWarning):
            close(got, t(theirs(x)))


@pytest.mark.parametrize("name", ["elu", "celu", "selu", "mish", "silu"])
def test_far_out_derivatives_keep_their_digits(name):
    f, t = pair(name)
    results = []
    for make, function, grad in ((ours, f, ml.grad), (theirs, t, torch.autograd.grad)):
        x = make(np.array([-100.0, -40.0, -20.0, -8.0, 8.0, 10.0]), True)
        (dy,) = grad(function(x).sum(), x, create_graph=True)
        results.append([host(dy.detach()), host(grad(dy.sum(), x)[0])])
    for got, want in zip(*results, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-300)


def test_what_torch_refuses():
    x = np.array([[0.5, -1.0]])
    both_raise(F.prelu, T.prelu, x, np.array([0.1], "float32"), match="one dtype")
    both_raise(F.gelu, T.gelu, x, "tanh")
    for name in ("elu", "hardshrink", "softplus"):
        both_raise(*pair(name), x, x, match="must be a number")
    both_raise(F.threshold, T.threshold, x, None, 1.0, match="threshold must be a number")
    both_raise(F.softshrink, T.softshrink, x, float("nan"), match="lambd must be finite")
    both_raise(F.rrelu, T.rrelu, x, 0.1, 0.3, 1, match="training must be True or False")
    both_raise(F.rrelu, T.rrelu, x, 0.1, float("inf"), match="finite")
    both_raise(F.linear, T.linear, x, 2.0, match="Tensor")

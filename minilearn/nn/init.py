"""First values for parameters: torch.nn.init's names, with numbers from the one generator.

Numbers are drawn in float64 on the host: one seed gives the same weights in every dtype and on
every array library. Each function changes the tensor's values in place and returns it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from .. import xp
from ..errors import explain
from ..functional import arguments
from ..slots import Slot
from ..tensor import Tensor

GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4,
         "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0,
         "conv_transpose2d": 1.0, "conv_transpose3d": 1.0}


def _fill(tensor: Tensor, values: Any) -> Tensor:
    """Give a tensor new values (an array of the host or a number), in its own dtype."""
    kind = tensor.data.dtype
    if isinstance(values, int | float):
        tensor.data = xp.full(tensor.shape, values, kind)
    else:
        tensor.data = xp.astype(xp.array(values), kind)
    return tensor


_skipping = False


@contextmanager
def skipped() -> Iterator[None]:
    """Draw nothing for a block: new weights are 0, for a model that is filled from a file next.

    To draw the 138 million weights of a VGG takes seconds, to make its zeros takes none.

    >>> from minilearn import nn
    >>> with skipped():
    ...     nn.Linear(2, 1).weight.tolist()
    [[0.0, 0.0]]
    """
    global _skipping
    before, _skipping = _skipping, True
    try:
        yield
    finally:
        _skipping = before


def _random(draw: Callable) -> Callable:
    """Make a function that draws values set zeros inside `skipped`."""

    @wraps(draw)
    def drawn(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        arguments.need_floating(draw.__name__, tensor=tensor)
        if not _skipping:
            return draw(tensor, *args, **kwargs)
        tensor.data = xp.zeros(tensor.shape, tensor.data.dtype)
        return tensor

    return drawn


@_random
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Draw every element from the uniform distribution on [a, b)."""
    if not -math.inf < a <= b < math.inf:
        raise RuntimeError(f"uniform_: expects finite a <= b, got a={a}, b={b}")
    return _fill(tensor, xp.generator().uniform(a, b, tensor.shape))


@_random
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Draw every element from the normal distribution."""
    arguments.need_scalars("normal_", mean=mean, std=std)
    if not std >= 0:
        raise RuntimeError(f"normal_: expects std >= 0, got std={std}")
    return _fill(tensor, xp.generator().normal(mean, std, tensor.shape))


@_random
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0
) -> Tensor:
    """Draw from the normal distribution, and again whatever falls outside [a, b]."""
    if not (a < b and 0 < std < math.inf) or mean < a - 4 * std or mean > b + 4 * std:
        raise ValueError(f"trunc_normal_: expects a < b, std > 0 and a mean near them, "
                         f"got mean={mean}, std={std}, a={a}, b={b}")
    values, fits = _proposals(tensor.numel(), mean, std, a, b)
    while not fits.all():
        again = ~fits
        values[again], fits[again] = _proposals(int(again.sum()), mean, std, a, b)
    return _fill(tensor, values.reshape(tensor.shape))


def _proposals(count: int, mean: float, std: float, a: float, b: float) -> tuple[Any, Any]:
    """Draw numbers evenly, and say which may stay: the chance of each is its height under the bell.

    So bounds may be close together, or far from the mean, where normal numbers hardly ever fall.
    """
    low, high = max(a, mean - 10 * std), min(b, mean + 10 * std)  # the rest is never drawn
    values, nearest = xp.generator().uniform(low, high, count), min(max(mean, a), b)
    below_top = ((values - mean) / std) ** 2 / 2 - ((nearest - mean) / std) ** 2 / 2
    return values, xp.generator().standard_exponential(count) >= below_top  # P = exp(-below_top)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Set every element to one value. Raises TypeError for what is no number."""
    val = val.item() if isinstance(val, Tensor | xp.HOST_SCALAR) else val
    if not isinstance(val, int | float):
        raise TypeError(explain("constant_", "val must be a number", {"val": val}))
    return _fill(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Set every element to 1."""
    return _fill(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Set every element to 0."""
    return _fill(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Turn a matrix into the identity."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_: only for matrices, got shape {tensor.shape}")
    tensor.data = xp.astype(xp.eye(*tensor.shape), tensor.data.dtype)
    return tensor


# ---------------------------------------------------------------- scaled by the number of inputs


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor that keeps the variance of activations through a nonlinearity.

    param: the negative slope of "leaky_relu" (0.01 by default).

    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity == "leaky_relu":
        if isinstance(param, bool) or not isinstance(param, int | float | None):
            raise ValueError(f"calculate_gain: negative_slope {param!r} is not a number")
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in GAINS:
        raise ValueError(f"calculate_gain: unknown nonlinearity {nonlinearity!r}; choose one of "
                         f"leaky_relu, {', '.join(GAINS)}")
    return GAINS[nonlinearity]


def fans(tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs feed one output of a weight, and how many outputs one input feeds."""
    if tensor.ndim < 2:
        raise ValueError(f"fans: a weight has at least 2 dimensions, this has shape {tensor.shape}")
    out_features, in_features, *kernel = tensor.shape
    return in_features * math.prod(kernel), out_features * math.prod(kernel)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Draw from U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    bound = gain * math.sqrt(6 / max(sum(fans(tensor)), 1))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Draw with standard deviation gain sqrt(2 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / max(sum(fans(tensor)), 1)))


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"kaiming: mode must be 'fan_in' or 'fan_out', got {mode!r}")
    gain = calculate_gain(nonlinearity, a)
    if tensor.numel() == 0:  # nothing to draw
        return 0.0
    return gain / math.sqrt(fans(tensor)[mode == "fan_out"])


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Draw from U(-b, b), b = gain sqrt(3 / fan) (He et al. 2015); a is the negative slope."""
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


@Slot
def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Draw with standard deviation gain / sqrt(fan) (He et al. 2015); a is the negative slope.

    >>> from minilearn import nn
    >>> nn.init.kaiming_normal_(nn.Parameter([[1.0, 2.0], [3.0, 4.0]])).shape
    (2, 2)
    """
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity))


@_random
def orthogonal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Draw a matrix with orthonormal rows (or columns), scaled by gain (Saxe et al. 2013).

    Dimensions behind the first count as one. Raises ValueError for fewer than two.
    """
    arguments.need_scalars("orthogonal_", gain=gain)
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: at least 2 dimensions, got shape {tensor.shape}")
    if tensor.numel() == 0:
        return tensor
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    tall = xp.generator().normal(size=(max(rows, columns), min(rows, columns)))
    q, r = xp.linalg.qr(xp.astype(xp.array(tall), tensor.data.dtype))
    q = q * xp.sign(xp.linalg.diagonal(r))  # one of the two signs, so that the draw is uniform
    q = xp.matrix_transpose(q) if rows < columns else q
    tensor.data = xp.reshape(q, tensor.shape) * gain
    return tensor


def icnr_(tensor: Tensor, scale: int = 2, init: Any = kaiming_normal_) -> Tensor:
    """Make the scale^2 kernels behind each output channel of a pixel shuffle equal.

    The shuffle then starts as nearest-neighbour upsampling: no checkerboard (Aitken et al. 2017).
    tensor: a convolution's weight (C scale^2, ...). Raises ValueError unless scale^2 divides.
    """
    channels, *rest = tensor.shape
    if channels % scale**2:
        raise ValueError(f"icnr_: {channels} channels cannot be cut into groups of {scale**2}")
    small = init(Tensor(xp.empty((channels // scale**2, *rest), tensor.data.dtype))).data
    copies = xp.stack([small] * scale**2, axis=1)
    tensor.data = xp.reshape(copies, tensor.shape)
    return tensor

"""Activations: functions of each element that make a network more than a matrix product.

Where a function has a corner, the gradient there is torch's. `@xp.quiet()` stands where infinite
inputs give nan on the way, or in the end.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from .. import xp
from ..errors import ShapeError, explain
from ..ops import elementwise, exponential
from ..ops import softmax as ops
from ..ops.dims import need_bool, wrap
from ..ops.elementwise import where
from ..ops.exponential import erf, expm1, log1p
from ..ops.rounding import sign
from ..ops.softmax import logsigmoid
from ..tensor import Tensor
from .arguments import need_choice, need_floating, need_scalars, need_tensors

__all__ = [
    "celu", "elu", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "leaky_relu", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6", "rrelu", "selu",
    "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh",
    "tanhshrink", "threshold",
]

# ---------------------------------------------------------------- ops under torch's second name


def relu(input: Tensor) -> Tensor:
    """Return each element, or 0 where it is negative."""
    return elementwise.relu(input)


def sigmoid(input: Tensor) -> Tensor:
    """Return `1 / (1 + exp(-input))`."""
    return exponential.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """Return the hyperbolic tangent: from -1 to 1."""
    return exponential.tanh(input)


# ---------------------------------------------------------------- relatives of relu


@xp.quiet()
def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Return the elements, multiplied by `negative_slope` where they are negative."""
    need_floating("leaky_relu", input=input)
    need_scalars("leaky_relu", negative_slope=negative_slope)
    if not 0 <= negative_slope <= 1:
        return where(input > 0, input, input * negative_slope)
    positive = xp.astype(input.data > 0, input.data.dtype)
    # 1 or the slope; `where` takes several times as long, as no processor can predict its branches.
    return input * Tensor(xp.maximum(positive, xp.scalar(negative_slope, positive.dtype)))


@xp.quiet()
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Return the elements, multiplied by a learnt slope where they are negative.

    weight: one slope, or one for each channel of the input (N, C, ...). Raises ShapeError.
    """
    need_floating("prelu", input=input, weight=weight)
    channels = input.shape[1] if input.ndim > 1 else 1
    if input.dtype != weight.dtype:
        raise TypeError(explain("prelu", "input and weight must have one dtype",
                                {"input": input, "weight": weight}))
    if weight.ndim > 1 or weight.numel() not in (1, channels):
        raise ShapeError(explain("prelu", f"weight must hold 1 number, or {channels}, one for each "
                                 "channel of the input", {"input": input, "weight": weight}))
    weight = weight.reshape((-1,) + (1,) * (input.ndim - 2) if weight.numel() > 1 else ())
    return where(input > 0, input, input * weight)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Return the elements cut off at `min_val` and `max_val`; on the limits the gradient is 0."""
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val={min_val} is above max_val={max_val}; exchange them")
    return _between("hardtanh", input, min_val, max_val)


def _between(function: str, input: Tensor, min_val: float, max_val: float) -> Tensor:
    need_tensors(function, input=input)
    if str(input.dtype) == "bool":
        raise TypeError(explain(function, "input must hold numbers", {"input": input}))
    low, high = (_number(input, v) for v in (min_val, max_val))
    beyond = where(input >= high, high, where(input <= low, low, input.detach()))
    return where((input > low) & (input < high), input, beyond)  # nan is not between: gradient 0


def _number(input: Tensor, value: float) -> Tensor:
    """Return a number in the dtype of the input."""
    return Tensor(xp.scalar(value, input.data.dtype))


def relu6(input: Tensor) -> Tensor:
    """Return the elements cut off at 0 and 6."""
    return _between("relu6", input, 0, 6)


def hardsigmoid(input: Tensor) -> Tensor:
    """Return a sigmoid made of three straight lines: 0 up to -3, 1 from 3 on."""
    need_floating("hardsigmoid", input=input)
    return relu6(input + 3) / 6


@xp.quiet()
def hardswish(input: Tensor) -> Tensor:
    """Return `input * hardsigmoid(input)`."""
    need_floating("hardswish", input=input)
    return where(input >= 3, input, input * relu6(input + 3) / 6)


def threshold(input: Tensor, threshold: float, value: float) -> Tensor:
    """Return the elements that are above `threshold`, and `value` in place of the others."""
    need_tensors("threshold", input=input)
    need_scalars("threshold", threshold=threshold, value=value)
    if input.data.dtype == xp.bool:
        raise TypeError(explain("threshold", "input must hold numbers", {"input": input}))
    return where(input <= _number(input, threshold), _number(input, value), input)


@xp.quiet()
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return the elements, and 0 where they lie within `lambd` of 0."""
    need_floating("hardshrink", input=input)
    need_scalars("hardshrink", lambd=lambd)
    return _outside(input, lambd, input)


@xp.quiet()
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return the elements moved towards 0 by `lambd`, and 0 where they lie within it.

    Raises ValueError for a negative `lambd`.
    """
    need_floating("softshrink", input=input)
    if not 0 <= lambd < math.inf:
        raise ValueError(f"softshrink: lambd must be finite and not negative; got lambd={lambd}")
    return _outside(input, lambd, input - sign(input.detach()) * lambd)


def _outside(input: Tensor, lambd: float, value: Tensor) -> Tensor:
    """Return `value` beyond `lambd` on either side of 0, and 0 between (but nan for nan)."""
    return where((input > lambd) | (input < -lambd), value, input.detach() * 0)


@xp.quiet()
def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False
) -> Tensor:
    """Return the elements, multiplied by a slope where they are negative.

    In training each has a slope drawn evenly from `lower` to `upper`; else it is the middle of the
    two. Raises ValueError unless lower <= upper. Source: Xu et al. 2015.
    """
    need_floating("rrelu", input=input)
    need_bool("rrelu", training=training)
    if not -math.inf < lower <= upper < math.inf:
        raise ValueError("rrelu: lower and upper must be finite, and lower not above upper; "
                         f"got lower={lower}, upper={upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    drawn = xp.array(xp.generator().uniform(lower, upper, input.shape), input.dtype)
    return where(input > 0, input, input * Tensor(drawn))


# ---------------------------------------------------------------- smooth ones


@xp.quiet()
def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Return the elements, and `alpha * (exp(input) - 1)` where they are negative."""
    need_floating("elu", input=input)
    need_scalars("elu", alpha=alpha)
    return where(input > 0, input, _curve(input, 1.0) * alpha)


@xp.quiet()
def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Return the elements, and `alpha * (exp(input / alpha) - 1)` where they are negative."""
    need_floating("celu", input=input)
    need_scalars("celu", alpha=alpha)
    if alpha == 0:
        raise ValueError("celu: alpha must not be 0; got alpha=0")
    return where(input > 0, input, _curve(input, alpha) * alpha)


def _curve(input: Tensor, alpha: float) -> Tensor:
    """Return `exp(input / alpha) - 1` below 0; on 0 its tangent: torch sees no curvature there."""
    scaled = input / alpha
    straight = input >= 0
    return where(straight, scaled, expm1(where(straight, 0.0, scaled)))


def selu(input: Tensor) -> Tensor:
    """Return `elu` with the two numbers that keep activations at mean 0 and variance 1.

    Source: Klambauer et al. 2017, "Self-normalizing neural networks".
    """
    need_floating("selu", input=input)
    return elu(input, 1.6732632423543772848170429916717) * 1.0507009873554804934193349852946


@xp.quiet()
def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """Return each element times the probability that a standard normal number is below it.

    approximate: "none", or "tanh" for the faster formula of Hendrycks & Gimpel 2016.
    """
    need_floating("gelu", input=input)
    need_choice("gelu", "approximate", approximate, ("none", "tanh"))
    if approximate == "none":
        return input * 0.5 * (erf(input * math.sqrt(0.5)) + 1)
    inner = (input + input * input * input * 0.044715) * math.sqrt(2 / math.pi)
    return input * 0.5 * (tanh(inner) + 1)


@xp.quiet()
def silu(input: Tensor) -> Tensor:
    """Return `input * sigmoid(input)`, also called swish."""
    need_floating("silu", input=input)
    return input * sigmoid(input)


@xp.quiet()
def mish(input: Tensor) -> Tensor:
    """Return `input * tanh(softplus(input))`."""
    need_floating("mish", input=input)
    up, down = sigmoid(input), sigmoid(-input)  # tanh(log(1 + exp(x))) without logarithms: exact
    return input * (up * (down + 1) / (down * down + 1))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return `log(1 + exp(beta * input)) / beta`, a smooth relu.

    Where `beta * input` is above `threshold`, the input itself.
    """
    need_floating("softplus", input=input)
    need_scalars("softplus", beta=beta, threshold=threshold)
    scaled = input * beta
    linear = scaled > threshold
    return where(linear, input, log1p(where(linear, 0.0, scaled).exp()) / beta)


def softsign(input: Tensor) -> Tensor:
    """Return `input / (1 + abs(input))`."""
    need_tensors("softsign", input=input)
    return input / (input.abs() + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """Return `input - tanh(input)`."""
    need_tensors("tanhshrink", input=input)
    return input - tanh(input)


# ---------------------------------------------------------------- along a dimension


def softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """Return `exp(input)` divided by its sum along `dim`: positive numbers that sum to 1.

    dtype: what the input is converted to first. Without `dim` one is guessed, with a warning, as in
    torch: 0 for 0, 1 or 3 dimensions, else 1. Raises DimError, TypeError.
    """
    return ops.softmax(input, dim=_named_dim("softmax", input, dim), dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """Return `softmax(-input)` along `dim`."""
    return ops.softmax(-input, dim=_named_dim("softmin", input, dim), dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """Return `log(softmax(input, dim))`, exact even where a probability underflows to 0."""
    return ops.log_softmax(input, dim=_named_dim("log_softmax", input, dim), dtype=dtype)


def _named_dim(function: str, input: Tensor, dim: int | None) -> int:
    need_tensors(function, input=input)
    if dim is not None:
        return dim
    guess = 0 if input.ndim in (0, 1, 3) else 1
    warnings.warn(f"{function}: no dim is given, {guess} is taken; name it, as in dim={guess}",
                  stacklevel=3)
    return guess


@xp.quiet()
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Return the first half along `dim` times the sigmoid of the second half.

    Raises ShapeError where the size along `dim` is odd.
    """
    need_floating("glu", input=input)
    dim = wrap("glu", input, dim)
    if input.ndim == 0 or input.shape[dim] % 2:
        raise ShapeError(explain("glu", "the size along dim must be even, to be halved",
                                 {"input": input, "dim": dim}))
    first, second = input.chunk(2, dim)
    return first * sigmoid(second)

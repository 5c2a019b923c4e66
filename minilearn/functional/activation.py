"""Activations: functions of each element that make a network more than a matrix product.

Where a function has a corner, the gradient there is torch's. `@xp.quiet()` stands where infinite
inputs give nan on the way, or in the end.
"""

from __future__ import annotations

import math
from typing import Any

from .. import xp
from ..errors import ShapeError, explain
from ..ops.dims import wrap
from ..ops.elementwise import relu, where
from ..ops.exponential import erf, expm1, log1p, sigmoid, tanh
from ..ops.softmax import log_softmax, logsigmoid, softmax
from ..tensor import Tensor
from .arguments import need_choice, need_floating, need_tensors

__all__ = [
    "celu", "elu", "gelu", "glu", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu",
    "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6", "selu", "sigmoid", "silu",
    "softmax", "softmin", "softplus", "softsign", "tanh",
]

# ---------------------------------------------------------------- relatives of relu


@xp.quiet()
def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Return the elements, multiplied by `negative_slope` where they are negative."""
    need_floating("leaky_relu", input=input)
    return where(input > 0, input, input * negative_slope)


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
    low, high = (Tensor(xp.scalar(v, input.data.dtype)) for v in (min_val, max_val))
    return where(input >= high, high, where(input <= low, low, input))


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


# ---------------------------------------------------------------- smooth ones


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Return the elements, and `alpha * (exp(input) - 1)` where they are negative."""
    need_floating("elu", input=input)
    positive = input > 0
    return where(positive, input, expm1(where(positive, 0.0, input)) * alpha)


def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Return the elements, and `alpha * (exp(input / alpha) - 1)` where they are negative."""
    need_floating("celu", input=input)
    if alpha == 0:
        raise ValueError("celu: alpha must not be 0; got alpha=0")
    positive = input > 0
    return where(positive, input, expm1(where(positive, 0.0, input) / alpha) * alpha)


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
    return input * tanh(softplus(input))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return `log(1 + exp(beta * input)) / beta`, a smooth relu.

    Where `beta * input` is above `threshold`, the input itself.
    """
    need_floating("softplus", input=input)
    scaled = input * beta
    linear = scaled > threshold
    return where(linear, input, log1p(where(linear, 0.0, scaled).exp()) / beta)


def softsign(input: Tensor) -> Tensor:
    """Return `input / (1 + abs(input))`."""
    need_tensors("softsign", input=input)
    return input / (input.abs() + 1)


# ---------------------------------------------------------------- along a dimension


def softmin(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """Return `softmax(-input)` along `dim`. Raises DimError, TypeError."""
    need_tensors("softmin", input=input)
    return softmax(-input, dim, dtype=dtype)


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

"""Functions of each element alone, and of pairs of elements. Broadcasting is undone by the engine."""

from __future__ import annotations

import math

from .. import xp
from ..tensor import BinaryOp, Op, Tensor


def like(x: Tensor, mask) -> Tensor:
    """Turn a mask (or any array that has no derivative) into a constant of the dtype of `x`."""
    return Tensor(xp.astype(mask, x.data.dtype))


# ---------------------------------------------------------------- arithmetic


@BinaryOp
def add(input, other):
    """Return `input + other`, with broadcasting.

    >>> add(tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """
    return input + other


add.grad(lambda g, y, a, b: g, lambda g, y, a, b: g)


@BinaryOp
def sub(input, other):
    """Return `input - other`, with broadcasting."""
    return input - other


sub.grad(lambda g, y, a, b: g, lambda g, y, a, b: -g)


@BinaryOp
def mul(input, other):
    """Return `input * other`, with broadcasting."""
    return input * other


mul.grad(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)


@BinaryOp
def div(input, other):
    """Return `input / other`, with broadcasting; integers become float32."""
    with xp.quiet():
        return xp.floating(input) / xp.floating(other)


div.grad(lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b)


@Op
def neg(input):
    """Return `-input`."""
    return -input


neg.grad(lambda g, y, x: -g)


@BinaryOp
def pow(input, exponent):
    """Return `input ** exponent`, with broadcasting."""
    with xp.quiet():
        return xp.pow(input, exponent)


def _pow_dx(g, y, x, n):
    if n.data.ndim == 0:  # x**2, x**0.5: the exponent is one number
        return g * (x ** (n - 1) * n) if float(n.data) else g * 0
    return g * where(Tensor(n.data == 0), 0.0, n * x ** (n - 1))


def _pow_dn(g, y, x, n):
    # 0 ** n is flat in n for n >= 0, where x.log() alone would give nan.
    flat = Tensor((x.data == 0) & (n.data >= 0))
    return g * y * where(flat, 1.0, x).log() * (1 - like(y, flat.data))


pow.grad(_pow_dx, _pow_dn)


@Op
def alias(input):
    """Return a second tensor with the same array: a stand-in to differentiate with respect to."""
    return input


alias.grad(lambda g, y, x: g)


@Op
def clone(input):
    """Return a copy, through which gradients flow."""
    return xp.copy(input)


clone.grad(lambda g, y, x: g)


@Op
def cast(input, *, dtype):
    """Return the same numbers as another dtype."""
    return xp.astype(input, xp.dtype(dtype))


cast.grad(lambda g, y, x, dtype: g)


# ---------------------------------------------------------------- exponentials and friends


@Op
def exp(input):
    """Return e to the power of each element."""
    with xp.quiet():
        return xp.exp(xp.floating(input))


exp.grad(lambda g, y, x: g * y)


@Op
def log(input):
    """Return the natural logarithm of each element."""
    with xp.quiet():
        return xp.log(xp.floating(input))


log.grad(lambda g, y, x: g / x)


@Op
def sqrt(input):
    """Return the square root of each element."""
    with xp.quiet():
        return xp.sqrt(xp.floating(input))


sqrt.grad(lambda g, y, x: g / (y * 2))


@Op
def tanh(input):
    """Return the hyperbolic tangent of each element, in (-1, 1)."""
    return xp.tanh(xp.floating(input))


tanh.grad(lambda g, y, x: g * (1 - y * y))


@Op
def sigmoid(input):
    """Return `1 / (1 + exp(-input))` for each element, in (0, 1)."""
    with xp.quiet():  # exp overflows to inf for very negative inputs, and 1 / inf is the right 0
        return 1 / (1 + xp.exp(-xp.floating(input)))


sigmoid.grad(lambda g, y, x: g * (y * (1 - y)))


# ---------------------------------------------------------------- with a corner


@Op
def relu(input):
    """Return each element, or 0 where it is negative."""
    return xp.maximum(input, xp.zeros((), input.dtype))


relu.grad(lambda g, y, x: g * like(g, y.data > 0))


@Op
def abs(input):
    """Return the distance of each element from 0."""
    return xp.abs(input)


abs.grad(lambda g, y, x: g * like(g, xp.sign(x.data)))


@Op
def where(condition, input, other):
    """Return `input` where the condition holds and `other` elsewhere, with broadcasting."""
    kind = xp.result_type(input.dtype, other.dtype)
    return xp.where(condition, xp.astype(input, kind), xp.astype(other, kind))


where.grad(
    lambda g, y, c, a, b: None,
    lambda g, y, c, a, b: where(c, g, 0.0),
    lambda g, y, c, a, b: where(c, 0.0, g),
)

"""Exponentials, logarithms, powers of one half, and the functions of angles."""

from __future__ import annotations

import math

from .. import xp
from ..op import Op, StrictOp
from ..tensor import Tensor
from .elementwise import RealOp, same_dtype, where


@Op
def exp(input):
    """Return e to the power of each element."""
    with xp.quiet():
        return xp.exp(xp.floating(input))


exp.grad(lambda g, y, x: g * y)


@Op
def exp2(input):
    """Return 2 to the power of each element."""
    with xp.quiet():
        return 2.0 ** xp.floating(input)


exp2.grad(lambda g, y, x: g * (y * math.log(2)))


@Op
def expm1(input):
    """Return `exp(input) - 1`, exact for small inputs."""
    with xp.quiet():
        return xp.expm1(xp.floating(input))


expm1.grad(lambda g, y, x: g * exp(x))  # far below 0, y + 1 would be 0


@Op
def log(input):
    """Return the natural logarithm of each element: -inf for 0, nan below."""
    with xp.quiet():
        return xp.log(xp.floating(input))


log.grad(lambda g, y, x: g / x)


@Op
def log2(input):
    """Return the logarithm to base 2."""
    with xp.quiet():
        return xp.log2(xp.floating(input))


log2.grad(lambda g, y, x: g / (x * math.log(2)))


@Op
def log10(input):
    """Return the logarithm to base 10."""
    with xp.quiet():
        return xp.log10(xp.floating(input))


log10.grad(lambda g, y, x: g / (x * math.log(10)))


@Op
def log1p(input):
    """Return `log(1 + input)`, exact for small inputs."""
    with xp.quiet():
        return xp.log1p(xp.floating(input))


log1p.grad(lambda g, y, x: g / (x + 1))


@Op
def sqrt(input):
    """Return the square root of each element: nan below 0, and infinitely steep at 0."""
    with xp.quiet():
        return xp.sqrt(xp.floating(input))


sqrt.grad(lambda g, y, x: g / (y * 2))


@Op
def rsqrt(input):
    """Return `1 / sqrt(input)`."""
    with xp.quiet():
        return 1 / xp.sqrt(xp.floating(input))


rsqrt.grad(lambda g, y, x: g * y * y * y * -0.5)


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


@Op
def erf(input):
    """Return the error function: the chance that a normal variable is within input * sqrt(2)."""
    return xp.erf(xp.floating(input))


erf.grad(lambda g, y, x: g * (x * -x).exp() * (2 / math.sqrt(math.pi)))


# ---------------------------------------------------------------- angles


@Op
def sin(input):
    """Return the sine of each element, in radians."""
    with xp.quiet():
        return xp.sin(xp.floating(input))


sin.grad(lambda g, y, x: g * cos(x))


@Op
def cos(input):
    """Return the cosine of each element, in radians."""
    with xp.quiet():
        return xp.cos(xp.floating(input))


cos.grad(lambda g, y, x: -g * sin(x))


@Op
def tan(input):
    """Return the tangent of each element, in radians."""
    with xp.quiet():
        return xp.tan(xp.floating(input))


tan.grad(lambda g, y, x: g * (1 + y * y))


@Op
def asin(input):
    """Return the angle in [-pi/2, pi/2] whose sine is each element: nan outside [-1, 1]."""
    with xp.quiet():
        return xp.asin(xp.floating(input))


asin.grad(lambda g, y, x: g * rsqrt(1 - x * x))


@Op
def acos(input):
    """Return the angle in [0, pi] whose cosine is each element: nan outside [-1, 1]."""
    with xp.quiet():
        return xp.acos(xp.floating(input))


acos.grad(lambda g, y, x: -g * rsqrt(1 - x * x))


@Op
def atan(input):
    """Return the angle in (-pi/2, pi/2) whose tangent is each element."""
    return xp.atan(xp.floating(input))


atan.grad(lambda g, y, x: g / (1 + x * x))


class AngleOp(StrictOp, RealOp):
    """`atan2`: of two tensors, and never an integer."""


@AngleOp
def atan2(input, other):
    """Return the angle in [-pi, pi] of the point with height `input` and width `other`."""
    return xp.atan2(xp.floating(input), xp.floating(other))


def _per_square(g, y, a, b):
    _, a, b = same_dtype(y, a, b)  # the square of an integer might not fit
    square = a * a + b * b
    origin = Tensor(square.data == 0)  # where there is no angle, the gradient is 0, as torch's
    return where(origin, 0.0, g / where(origin, 1.0, square)), a, b


def _atan2_da(g, y, a, b):
    g, a, b = _per_square(g, y, a, b)
    return g * b


def _atan2_db(g, y, a, b):
    g, a, b = _per_square(g, y, a, b)
    return -g * a


atan2.grad(_atan2_da, _atan2_db)


@Op
def sinh(input):
    """Return the hyperbolic sine of each element."""
    with xp.quiet():
        return xp.sinh(xp.floating(input))


sinh.grad(lambda g, y, x: g * cosh(x))


@Op
def cosh(input):
    """Return the hyperbolic cosine of each element."""
    with xp.quiet():
        return xp.cosh(xp.floating(input))


cosh.grad(lambda g, y, x: g * sinh(x))


arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2

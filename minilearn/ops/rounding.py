"""Functions that jump from one integer to the next: flat in between, so their derivative is 0."""

from __future__ import annotations

from .. import xp
from ..errors import explain
from ..op import BinaryOp, Op
from ..tensor import Tensor
from .dims import integer
from .elementwise import need_numbers


def flat(g, y, *inputs, **params):
    """The rule of a function whose derivative is 0 wherever it has one."""
    return Tensor(xp.zeros_like(g.data))


@Op
def sign(input):
    """Return -1, 0 or 1 for each element; 0 for nan, as torch does."""
    if input.dtype == xp.bool:
        return input
    zero = xp.zeros((), input.dtype)
    return xp.astype(input > zero, input.dtype) - xp.astype(input < zero, input.dtype)


@Op
def floor(input):
    """Return the largest integer that is not above each element."""
    need_numbers("floor", input)
    return xp.floor(input)


@Op
def ceil(input):
    """Return the smallest integer that is not below each element."""
    need_numbers("ceil", input)
    return xp.ceil(input)


@Op
def trunc(input):
    """Return each element without its fraction."""
    need_numbers("trunc", input)
    return xp.trunc(input)


@Op
def round(input, *, decimals=0):
    """Return the nearest number with `decimals` decimals; halves go to the even neighbour."""
    need_numbers("round", input)
    decimals = integer("round", "decimals", decimals)
    if decimals == 0:
        return xp.round(input)
    if not xp.is_floating(input):
        raise TypeError(explain("round", "integers have no decimals to round to",
                                {"input": input, "decimals": decimals}))
    unit = 10.0 ** -decimals if decimals < 0 else 10.0**decimals
    return xp.round(input / unit) * unit if decimals < 0 else xp.round(input * unit) / unit


for op in (sign, floor, ceil, trunc, round):
    op.grad(flat)


@BinaryOp
def floor_divide(input, other):
    """Return `input / other` rounded down; integers stay integers. Raises on integers by 0."""
    _need_divisor("floor_divide", input, other)
    with xp.quiet():
        return xp.floor_divide(input, other)


@BinaryOp
def trunc_divide(input, other):
    """Return `input / other` rounded towards zero; integers stay integers."""
    _need_divisor("div", input, other)
    with xp.quiet():
        if xp.is_floating(input):
            return xp.trunc(input / other)
        down = xp.floor_divide(input, other)
        negative = (input < 0) != (other < 0)
        return down + xp.astype(negative & (down * other != input), down.dtype)


floor_divide.of_numbers = trunc_divide.of_numbers = True
floor_divide.grad(flat, flat)
trunc_divide.grad(flat, flat)


@BinaryOp
def remainder(input, other):
    """Return what `floor_divide` leaves over: it has the sign of `other`."""
    _need_divisor("remainder", input, other)
    with xp.quiet():
        return xp.remainder(input, other)


remainder.grad(lambda g, y, a, b: g, lambda g, y, a, b: -g * floor_divide(a, b))


def _need_divisor(function, input, other):
    need_numbers(function, input)
    if not xp.is_floating(other) and xp.any(other == 0):
        raise ValueError(explain(function, "integers cannot be divided by 0",
                                 {"input": input, "other": other}))

"""Questions with the answer yes or no: masks for `where` and indexing. None has a derivative."""

from __future__ import annotations

from .. import xp
from ..errors import explain
from ..op import BinaryOp, Op, StrictOp, no_grad
from ..tensor import Tensor
from .dims import need_bool, numpy_names
from .elementwise import abs

# ---------------------------------------------------------------- two numbers


class CompareOp(StrictOp):
    """A comparison of a tensor with a tensor or a number: `2 < x` is asked as `x > 2`."""

    strict = (0,)


@no_grad()
@CompareOp
def eq(input, other):
    """Say where `input == other`, with broadcasting.

    >>> from ..tensor import Tensor
    >>> eq(Tensor([1.0, 2.0]), 2)
    tensor([False,  True])
    """
    return input == other


@no_grad()
@CompareOp
def ne(input, other):
    """Say where `input != other`, with broadcasting."""
    return input != other


@no_grad()
@CompareOp
def lt(input, other):
    """Say where `input < other`, with broadcasting."""
    return input < other


@no_grad()
@CompareOp
def le(input, other):
    """Say where `input <= other`, with broadcasting."""
    return input <= other


@no_grad()
@CompareOp
def gt(input, other):
    """Say where `input > other`, with broadcasting."""
    return input > other


@no_grad()
@CompareOp
def ge(input, other):
    """Say where `input >= other`, with broadcasting."""
    return input >= other


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne  # torch's other names


def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Say where `|input - other| <= atol + rtol * |other|`. Raises TypeError for mixed dtypes."""
    given = {"input": input, "other": other, "rtol": rtol, "atol": atol}
    need_bool("isclose", equal_nan=equal_nan)
    if not (rtol >= 0 and atol >= 0):
        raise ValueError(explain("isclose", "rtol and atol must not be negative", given))
    if not isinstance(input, Tensor) or not isinstance(other, Tensor) or input.dtype != other.dtype:
        raise TypeError(explain("isclose", "both must be Tensors of one dtype", given))
    if input.data.dtype == xp.bool:
        return eq(input, other)
    with no_grad(), xp.quiet():
        near = (abs(input - other) <= atol + rtol * abs(other)) & isfinite(other)
        both_nan = isnan(input) & isnan(other) & equal_nan
        return near | (input == other) | both_nan


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False) -> bool:
    """Say whether every element of `input` is close to that of `other`: see `isclose`."""
    return bool(xp.all(isclose(input, other, rtol, atol, equal_nan).data))


@numpy_names
def equal(input, other) -> bool:
    """Say whether two tensors have the same shape and the same elements."""
    if not (isinstance(input, Tensor) and isinstance(other, Tensor)):
        raise TypeError(explain("equal", "both must be Tensors", {"input": input, "other": other}))
    return input.shape == other.shape and bool(xp.all(eq(input, other).data))


# ---------------------------------------------------------------- one number


@no_grad()
@Op
def isnan(input):
    """Say which elements are not a number."""
    return input != input


@no_grad()
@Op
def isinf(input):
    """Say which elements are infinite."""
    return xp.isinf(input) if xp.is_floating(input) else input != input


@no_grad()
@Op
def isfinite(input):
    """Say which elements are neither infinite nor nan."""
    return xp.isfinite(input) if xp.is_floating(input) else input == input


# ---------------------------------------------------------------- yes and no


@no_grad()
@Op
def logical_not(input):
    """Say which elements are 0 or False."""
    return xp.logical_not(xp.astype(input, xp.bool))


@no_grad()
@StrictOp
def logical_and(input, other):
    """Say where both are nonzero."""
    return xp.logical_and(*_truths(input, other))


@no_grad()
@StrictOp
def logical_or(input, other):
    """Say where at least one is nonzero."""
    return xp.logical_or(*_truths(input, other))


@no_grad()
@StrictOp
def logical_xor(input, other):
    """Say where exactly one is nonzero."""
    return xp.logical_xor(*_truths(input, other))


def _truths(*arrays):
    return [xp.astype(a, xp.bool) for a in arrays]


@no_grad()
@Op
def bitwise_not(input):
    """Turn every bit: `~mask` is the opposite mask."""
    _need_bits("bitwise_not", input)
    return ~input


@no_grad()
@BinaryOp
def bitwise_and(input, other):
    """Combine masks by "and", and integers bit by bit."""
    _need_bits("bitwise_and", input)
    return input & other


@no_grad()
@BinaryOp
def bitwise_or(input, other):
    """Combine masks by "or", and integers bit by bit."""
    _need_bits("bitwise_or", input)
    return input | other


@no_grad()
@BinaryOp
def bitwise_xor(input, other):
    """Combine masks by "either ... or", and integers bit by bit."""
    _need_bits("bitwise_xor", input)
    return input ^ other


def _need_bits(function, input):
    if xp.is_floating(input):
        raise TypeError(explain(function, "only for truth values and integers", {"input": input},
                                "compare first, as in (x > 0) & (x < 1)"))

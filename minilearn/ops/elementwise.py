"""Arithmetic, element by element. Broadcasting is undone by the engine."""

from __future__ import annotations

from .. import xp
from ..arrays import promoted
from ..errors import explain
from ..op import OPS, BinaryOp, Op, as_tensors
from ..tensor import Tensor


def like(x: Tensor, mask) -> Tensor:
    """Turn a mask (or any array that has no derivative) into a constant of the dtype of `x`."""
    return Tensor(xp.astype(mask, x.data.dtype))


def need_numbers(function: str, *arrays) -> None:
    """Raise TypeError where a function of numbers is given truth values, as torch does."""
    if any(a.dtype == xp.bool for a in arrays):
        named = dict(zip(("input", "other"), arrays, strict=False))
        raise TypeError(explain(function, "truth values are not numbers here", named,
                                "convert them with x.long(); masks are combined by &, | and ~"))


# ---------------------------------------------------------------- arithmetic


class ScaledOp(BinaryOp):
    """`add` and `sub`: torch lets them multiply the second input by a number `alpha` first."""

    def _named(self, input, other, named):
        alpha = named.pop("alpha", 1)
        input, other = super()._named(input, other, named)
        tensors = [v for v in (input, other) if isinstance(v, Tensor)]
        whole = not any(isinstance(v, float) for v in (input, other)) \
            and not any(xp.is_floating(v.data) for v in tensors)
        if isinstance(alpha, bool) and any(v.data.dtype != xp.bool for v in tensors) \
                or isinstance(alpha, float) and whole:
            raise TypeError(explain(self.__name__, "alpha must be a number, for integers an "
                                    "integer", {"input": input, "other": other, "alpha": alpha}))
        return input, other if alpha == 1 else other * alpha


@ScaledOp
def add(input, other):
    """Return `input + other * alpha` (alpha=1), with broadcasting.

    >>> add(Tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """
    return input + other


add.grad(lambda g, y, a, b: g, lambda g, y, a, b: g, arithmetic=True)


class SubtractOp(ScaledOp):
    """`sub`: truth values are no numbers to subtract."""

    def _named(self, input, other, named):
        given = (input, other, named.get("input"), named.get("other"))
        need_numbers("sub", *(x.data for x in given if isinstance(x, Tensor)))
        return super()._named(input, other, named)

    def pair(self, input, other):
        """Take a number for one of them. Raises TypeError for True and False."""
        if isinstance(input, bool) or isinstance(other, bool):
            raise TypeError(explain("sub", "truth values are not numbers here",
                                    {"input": input, "other": other}))
        return super().pair(input, other)

    @staticmethod
    def promote(a, b):
        """Cast two arrays of different dtypes to one. Raises TypeError for truth values."""
        need_numbers("sub", a, b)
        return promoted(a, b)


@SubtractOp
def sub(input, other):
    """Return `input - other * alpha` (alpha=1), with broadcasting."""
    return input - other


sub.grad(lambda g, y, a, b: g, lambda g, y, a, b: -g, arithmetic=True)


@BinaryOp
def mul(input, other):
    """Return `input * other`, with broadcasting."""
    return input * other


mul.grad(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a, arithmetic=True)


class RealOp(BinaryOp):
    """An op whose result is never an integer: integers of two kinds become float32 first."""

    @staticmethod
    def promote(a, b):
        """Cast two arrays to one floating-point dtype: a small one might not hold the other."""
        whole = not (xp.is_floating(a) or xp.is_floating(b))
        return promoted(*(map(xp.floating, (a, b)) if whole else (a, b)))


class DivideOp(RealOp):
    """`div`: torch lets it round the quotient, down ("floor") or towards zero ("trunc")."""

    def __call__(self, *inputs, rounding_mode=None, **named):
        if rounding_mode is None:
            return BinaryOp.__call__(self, *inputs, **named)
        if rounding_mode not in ("floor", "trunc"):
            raise ValueError("div: rounding_mode must be None, 'floor' or 'trunc'; "
                             f"got {rounding_mode!r}")
        return OPS[f"{rounding_mode}_divide"](*inputs, **named)  # they are in `rounding.py`


@DivideOp
def div(input, other):
    """Return `input / other`, with broadcasting; integers become float32.

    rounding_mode: "floor" or "trunc" round the quotient, and keep integers.
    """
    with xp.quiet():
        return xp.floating(input) / xp.floating(other)


div.grad(lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b, arithmetic=True)


@Op
def neg(input):
    """Return `-input`."""
    need_numbers("neg", input)
    return -input


neg.grad(lambda g, y, x: -g)


class NamedOp(BinaryOp):
    """A binary op whose second input has a name of its own."""

    def __call__(self, *inputs, **named):
        if named or len(inputs) != 2:
            inputs, named = self._bind(inputs, named)  # what is left in `named` is unknown
        return BinaryOp.__call__(self, *inputs, **named)


class PowerOp(NamedOp):
    """`pow`: to integers, a number that is negative or too large for their dtype is no exponent."""

    def pair(self, input, other):
        """Take a number for one of them. Raises ValueError for such an exponent."""
        if isinstance(input, Tensor) and isinstance(other, int):
            kind = input.data.dtype
            most = 2**63 if xp.is_floating(input.data) or kind == xp.bool else xp.iinfo(kind).max
            if other > most or other < 0 and not xp.is_floating(input.data):
                raise ValueError(explain("pow", "integers have no such power",
                                         {"input": input, "exponent": other},
                                         "convert them with x.float()"))
        return super().pair(input, other)


@PowerOp
def pow(input, exponent):
    """Return `input ** exponent`, with broadcasting.

    Of integers, negative powers are cut to integers: 0 but for 1 and -1. Raises ValueError where
    the exponent is one negative number.
    """
    need_numbers("pow", input, exponent)
    with xp.quiet():
        if xp.is_floating(input) or not xp.any(exponent < 0):
            return xp.pow(input, exponent)
        power = xp.pow(input, xp.where(exponent < 0, exponent & 1, exponent))
        cut = (exponent < 0) & (input != 1) & (input != -1)
        return xp.where(cut, xp.zeros_like(power), power)


def _pow_dx(g, y, x, n):
    _, n = same_dtype(y, n)  # from truth values no 1 can be subtracted
    if n.data.ndim == 0 and not xp.waits():  # x**2, x**0.5: the exponent is one number
        return g * (x ** (n - 1) * n) if float(n.data) else g * 0
    return g * where(Tensor(n.data == 0), 0.0, n * x ** (n - 1))


def _pow_dn(g, y, x, n):
    # 0 ** n is flat in n for n >= 0, where x.log() alone would give nan.
    flat = (x.data == 0) & (n.data >= 0)
    return g * y * where(Tensor(flat), 1.0, cast(x, dtype=y.data.dtype)).log() * like(y, ~flat)


pow.grad(_pow_dx, _pow_dn)


@Op
def square(input):
    """Return `input * input`; truth values become integers."""
    input = xp.astype(input, xp.int64) if input.dtype == xp.bool else input
    return input * input


square.grad(lambda g, y, x: g * (x * 2))


@Op
def reciprocal(input):
    """Return `1 / input`; 1 / 0 is infinite."""
    with xp.quiet():
        return 1 / xp.floating(input)


reciprocal.grad(lambda g, y, x: -g * y * y)


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
def contiguous(input):
    """Return the same values laid out row by row in memory, copied only where needed."""
    return xp.contiguous(input)


contiguous.grad(lambda g, y, x: g)


@Op
def cast(input, *, dtype):
    """Return the same numbers as another dtype."""
    with xp.quiet():  # nan is no integer
        return xp.astype(input, xp.dtype(dtype))


cast.grad(lambda g, y, x, dtype: g)


def same_dtype(*tensors) -> tuple[Tensor, ...]:
    """Cast tensors to the one dtype that torch would compute in."""
    if len({x.data.dtype for x in tensors}) == 1:
        return tensors
    kind = promoted(*(x.data for x in tensors))[0].dtype
    return tuple(x if x.data.dtype == kind else cast(x, dtype=kind) for x in tensors)


for op in (add, sub, mul, div):
    op.of_numbers = True
subtract, multiply, divide, true_divide, negative = sub, mul, div, div, neg  # torch's other names


# ---------------------------------------------------------------- with a corner


@Op
def relu(input):
    """Return each element, or 0 where it is negative; the gradient at 0 is 0."""
    need_numbers("relu", input)
    return xp.maximum(input, xp.zeros((), input.dtype))


relu.grad(lambda g, y, x: g * like(g, y.data != 0))  # not > 0: nan passes, as in torch


@Op
def abs(input):
    """Return the distance of each element from 0; the gradient at 0 is 0."""
    need_numbers("abs", input)
    return xp.abs(input)


abs.grad(lambda g, y, x: g * OPS["sign"](x.detach()))
absolute = abs


@Op
def choose(condition, input, other):
    """Return `input` where the condition holds and `other` elsewhere: `where` for one dtype."""
    return xp.where(condition, input, other)


choose.grad(
    lambda g, y, c, a, b: None,
    lambda g, y, c, a, b: where(c, g, 0.0),
    lambda g, y, c, a, b: where(c, 0.0, g),
)


def where(condition, input=None, other=None):
    """Return `input` where the condition holds and `other` elsewhere, with broadcasting.

    condition: a Tensor of truth values. input, other: Tensors or numbers. With the condition alone:
    the places where it is not zero, one tensor of indices for each dimension.

    >>> where(Tensor([True, False]), Tensor([1.0, 2.0]), 0)
    tensor([1., 0.])
    """
    (condition,) = as_tensors("where", (condition,))
    if input is None and other is None:
        return tuple(map(Tensor, xp.nonzero(xp.reshape(condition.data, condition.shape or (1,)))))
    if condition.data.dtype != xp.bool:
        raise TypeError(explain("where", "the condition must hold truth values",
                                {"condition": condition}, "compare it, as in x > 0"))
    input, other = (v.item() if isinstance(v, xp.HOST_SCALAR) else v for v in (input, other))
    numbers = all(isinstance(v, int | float) for v in (input, other))
    pair = map(Tensor, (input, other)) if numbers else as_tensors("where", (input, other))
    return choose(condition, *same_dtype(*pair))


def lerp(input, end, weight) -> Tensor:
    """Return the point between `input` (weight 0) and `end` (weight 1): a number or a Tensor."""
    if not isinstance(end, Tensor) or not isinstance(input, Tensor):
        raise TypeError(explain("lerp", "input and end must be Tensors",
                                {"input": input, "end": end, "weight": weight}))
    if isinstance(weight, Tensor) and not weight.shape:
        weight = cast(weight, dtype=input.data.dtype)  # one number, as the number would be
    kinds = {x.data.dtype for x in (input, end, weight) if isinstance(x, Tensor)}
    if len(kinds) > 1 or not xp.is_floating(input.data):
        raise TypeError(explain("lerp", "all must have one floating-point dtype",
                                {"input": input, "end": end, "weight": weight}))
    return input + weight * (end - input)

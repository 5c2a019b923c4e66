"""Means, variances and norms: composed of sums and powers."""

from __future__ import annotations

import math
from functools import wraps

from .. import xp
from ..errors import DimError, explain
from ..op import as_tensors
from ..tensor import Tensor
from .dims import need_bool, numpy_names, reduced
from .elementwise import abs, cast, square, where
from .reduce import amax, amin, sum


@numpy_names
def mean(input, dim=None, keepdim=False, *, dtype=None) -> Tensor:
    """Return the mean over the dimensions `dim` (all by default); nan of nothing.

    Raises TypeError for integers, unless `dtype` converts them.

    >>> mean(Tensor([[1.0, 2.0], [3.0, 4.0]]), 0)
    tensor([2., 3.])
    """
    input = _floating("mean", input, dtype)
    return sum(input, dim=dim, keepdim=keepdim) / _count("mean", input, dim)


def unbiased_first(function):
    """Read `var(x, False)` as `var(x, unbiased=False)`; refuse `unbiased=None`, as torch does."""

    @wraps(function)
    def called(*args, **named):
        if len(args) == 2 and isinstance(args[1], bool):
            return function(args[0], unbiased=args[1], **named)
        if (args[2] if len(args) > 2 else named.get("unbiased", 1)) is None:
            raise TypeError(f"{function.__name__}: unbiased is True or False; or leave it out")
        return function(*args, **named)

    return called


@numpy_names
@unbiased_first
def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None) -> Tensor:
    """Return the variance: squared distances from the mean, added and divided by n - correction.

    correction: 1 by default; `unbiased=False` is torch's older way to say 0. nan or inf where
    nothing is left to divide by.

    >>> var(Tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    return _spread("var", input, dim, unbiased, keepdim, correction)[0]


@numpy_names
@unbiased_first
def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None) -> Tensor:
    """Return the standard deviation, the root of `var`; its gradient is 0 where it is 0."""
    return _power(_spread("std", input, dim, unbiased, keepdim, correction)[0], 0.5)


@numpy_names
@unbiased_first
def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """Return `var` and `mean`."""
    return _spread("var_mean", input, dim, unbiased, keepdim, correction)


@numpy_names
@unbiased_first
def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """Return `std` and `mean`."""
    variance, centre = _spread("std_mean", input, dim, unbiased, keepdim, correction)
    return _power(variance, 0.5), centre


@xp.quiet()
def _spread(function, input, dim, unbiased, keepdim, correction):
    if unbiased is not None:
        need_bool(function, unbiased=unbiased)
    if unbiased is not None and correction is not None:
        raise TypeError(f"{function}: give unbiased or correction, not both")
    correction = 1 if correction is None else correction
    correction = correction if unbiased is None else int(unbiased)
    input = _floating(function, input)
    n = _count(function, input, dim)
    centre = mean(input, dim, True)
    total = sum(square(input - centre), dim=dim, keepdim=keepdim)
    freedom = n - correction if n > correction else 0
    return total / freedom, centre if keepdim else mean(input, dim)


def norm(input, p="fro", dim=None, keepdim=False, dtype=None) -> Tensor:
    """Return `sum(|x|^p)^(1/p)` over the dimensions `dim`: the length of a vector for p = 2.

    p: a number ("fro" is 2), inf or -inf (the largest, the smallest |x|), 0 (how many are nonzero).
    dtype: what the input is converted to first, no smaller than its own. The gradient at 0 is 0.
    "nuc" is left out. Raises TypeError, ValueError, DimError.

    >>> norm(Tensor([3.0, 4.0]))
    tensor(5.)
    """
    input = _widened("norm", _floating("norm", input), dtype)
    if p == "fro" and isinstance(dim, tuple | list) and len(dim) > 2:
        raise DimError(explain("norm", "a matrix has two dimensions", {"input": input, "dim": dim},
                               "use p=2 for the length of all elements together"))
    p = _power_of_norm(input, p)
    if p < 0 and 0 in [input.shape[d] for d in reduced("norm", input, dim)]:
        raise DimError(explain("norm", "nothing has no smallest element", {"input": input, "p": p}))
    if math.isinf(p):
        extreme = amax if p > 0 else amin
        return extreme(abs(input), dim=() if dim is None else dim, keepdim=keepdim)
    powers = square(input) if p == 2 else abs(input) if p == 1 else _power(abs(input), p)
    total = sum(powers, dim=dim, keepdim=keepdim)
    return total if p in (0, 1) else _power(total, 1 / p)


def _power_of_norm(input, p) -> float:
    if p is None or isinstance(p, str) and p == "fro":
        return 2.0
    try:
        return float(p if not isinstance(p, str) else None)
    except (TypeError, ValueError):
        raise ValueError(explain("norm", "p must be a number or 'fro'",
                                 {"input": input, "p": p})) from None


def _widened(function, input, dtype):
    """Cast to a floating-point dtype that holds what the input's holds."""
    if dtype is None:
        return input
    wide = cast(input, dtype=dtype)
    if not xp.is_floating(wide.data) or wide.dtype.itemsize < input.dtype.itemsize:
        raise TypeError(explain(function, "dtype must not be smaller than the input's",
                                {"input": input, "dtype": dtype}, "convert the result instead"))
    return wide


def _power(x, p):
    """Return x ** p for x >= 0, flat at 0: the gradient there is 0, where it might be infinite."""
    zero = Tensor(x.data == 0)
    return where(zero, 0.0 if p >= 0 else math.inf, where(zero, 1.0, x) ** p)


def _floating(function, input, dtype=None):
    (input,) = as_tensors(function, (input,))
    input = input if dtype is None else cast(input, dtype=dtype)
    if not xp.is_floating(input.data):
        raise TypeError(explain(function, "only for floating-point numbers", {"input": input},
                                "convert it with x.float()"))
    return input


def _count(function, input, dim) -> int:
    """Return how many elements each result is made of."""
    return math.prod(input.shape[d] for d in reduced(function, input, dim))

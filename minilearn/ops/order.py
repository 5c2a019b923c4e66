"""What is larger: maxima, bounds, sorting. Gradients go to the elements that were chosen."""

from __future__ import annotations

from functools import wraps
from typing import NamedTuple

from .. import xp
from ..errors import DimError, explain, none_left_out
from ..op import Op, StrictOp, as_tensors, no_grad
from ..tensor import Tensor
from .comparison import isnan
from .dims import integer, need_bool, need_dim, numpy_names, wrap
from .elementwise import NamedOp, need_numbers, same_dtype, where
from .gather import take_along_dim
from .pieces import narrow, select
from .reduce import amax, amin, comparable
from .shape import reshape


class Ranked(NamedTuple):
    """What `max`, `min`, `sort`, `topk` and `median` find along a dimension, and where."""

    values: Tensor
    indices: Tensor


# ---------------------------------------------------------------- two tensors


@StrictOp
def maximum(input, other):
    """Return the larger of two elements, with broadcasting; equal ones share the gradient."""
    return _chosen(xp.maximum, input, other)


@StrictOp
def minimum(input, other):
    """Return the smaller of two elements, with broadcasting; equal ones share the gradient."""
    return _chosen(xp.minimum, input, other)


def _chosen(choose, a, b):
    return xp.astype(choose(comparable(a), comparable(b)), a.dtype, copy=False)


def _won(g, beaten, tied):
    """The gradient of one side: nothing where it is beaten, half where both are equal."""
    return where(Tensor(beaten), 0.0, where(Tensor(tied), g * 0.5, g))


maximum.grad(
    lambda g, y, a, b: _won(g, a.data < b.data, a.data == b.data),
    lambda g, y, a, b: _won(g, b.data < a.data, a.data == b.data),
)
minimum.grad(
    lambda g, y, a, b: _won(g, a.data > b.data, a.data == b.data),
    lambda g, y, a, b: _won(g, b.data > a.data, a.data == b.data),
)


# ---------------------------------------------------------------- bounds


@NamedOp
def clamp_min(input, min):
    """Return each element, or `min` where it is smaller."""
    return xp.maximum(input, min)


@NamedOp
def clamp_max(input, max):
    """Return each element, or `max` where it is larger."""
    return xp.minimum(input, max)


@Op
def clamp_both(input, min, max):
    """Return each element, or the bound that it is beyond; `max` where the bounds cross."""
    return xp.minimum(xp.maximum(input, min), max)


def _only(mask, g):
    return where(Tensor(mask), g, 0.0)


clamp_min.grad(
    lambda g, y, x, low: _only(x.data >= low.data, g),
    lambda g, y, x, low: _only(x.data < low.data, g),
)
clamp_max.grad(
    lambda g, y, x, high: _only(x.data <= high.data, g),
    lambda g, y, x, high: _only(x.data > high.data, g),
)
clamp_both.grad(
    lambda g, y, x, low, high: _only((x.data >= low.data) & (x.data <= high.data), g),
    lambda g, y, x, low, high: _only((x.data < low.data) & (low.data < high.data), g),
    lambda g, y, x, low, high: _only((x.data > high.data) | (low.data > high.data), g),
)


def clamp(input, min=None, max=None) -> Tensor:
    """Keep each element between `min` and `max`: two numbers, or two Tensors that broadcast.

    Gradients pass where the element is within the bounds, or on them.

    >>> clamp(Tensor([-1.0, 0.5, 2.0]), 0, 1)
    tensor([0. , 0.5, 1. ])
    """
    if not isinstance(input, Tensor):
        raise TypeError(explain("clamp", "input must be a Tensor", {"input": input}))
    if min is None and max is None:
        raise ValueError("clamp: give min, max or both")
    if max is None:
        return clamp_min(input, min)
    if min is None:
        return clamp_max(input, max)
    if isinstance(min, Tensor) != isinstance(max, Tensor):
        min, max = (x.item() if isinstance(x, Tensor) and not x.shape else x for x in (min, max))
    if isinstance(min, Tensor) != isinstance(max, Tensor):
        raise TypeError(explain("clamp", "the bounds must be two numbers or two Tensors",
                                {"input": input, "min": min, "max": max}))
    return clamp_both(*same_dtype(*as_tensors("clamp", (input, min, max))))


clip = clamp


# ---------------------------------------------------------------- the largest and the smallest


@no_grad()
@Op
def argmax(input, *, dim=None, keepdim=False):
    """Return the index of the largest element along `dim`, or in the flattened tensor."""
    return _arg("argmax", xp.argmax, input, dim, keepdim)


@no_grad()
@Op
def argmin(input, *, dim=None, keepdim=False):
    """Return the index of the smallest element along `dim`, or in the flattened tensor."""
    return _arg("argmin", xp.argmin, input, dim, keepdim)


def _arg(function, find, input, dim, keepdim):
    if input.dtype == xp.bool:
        raise TypeError(explain(function, "truth values have no order", {"input": input}))
    need_bool(function, keepdim=keepdim)
    if dim is None:
        found = find(xp.reshape(input, (-1,)))
        return xp.reshape(found, (1,) * input.ndim) if keepdim else found
    dim = wrap(function, input, dim)
    if not input.shape:
        return find(xp.reshape(input, (1,)))
    _need_places(function, input, dim)
    return find(input, axis=dim, keepdims=keepdim)


def _need_places(function, input, dim):
    """Return the size of a dimension. Raises DimError where it is 0."""
    if not input.shape[dim]:
        raise DimError(explain(function, "there is nothing along this dimension",
                               {"input": input, "dim": dim}))
    return input.shape[dim]


def other_or_dim(function):
    """Read `max(x, y)` of two Tensors as `max(x, other=y)`."""

    @wraps(function)
    def called(*args, **named):
        if len(args) == 2 and isinstance(args[1], Tensor) and not named:
            return function(args[0], other=args[1])
        return function(*args, **named)

    return called


@numpy_names
@none_left_out
@other_or_dim
def max(input, dim=None, keepdim=False, *, other=None):
    """Return the largest element, or with `dim` the largest along it and their indices.

    With a second tensor it is `maximum`. Equal elements share the gradient of the one largest;
    along a dimension it goes to the one that `indices` names.

    >>> max(Tensor([[1.0, 3.0], [4.0, 2.0]]), 1).indices
    tensor([1, 0])
    """
    return _extreme("max", (maximum, amax, argmax), input, dim, keepdim, other)


@numpy_names
@none_left_out
@other_or_dim
def min(input, dim=None, keepdim=False, *, other=None):
    """Return the smallest element, or with `dim` the smallest along it and their indices."""
    return _extreme("min", (minimum, amin, argmin), input, dim, keepdim, other)


def _extreme(function, forms, input, dim, keepdim, other):
    pairwise, whole, arg = forms
    (input,) = as_tensors(function, (input,))
    need_dim(function, dim, keepdim)
    if other is not None:
        return pairwise(input, other)
    if dim is None:
        return whole(input)
    dim = wrap(function, input, dim)
    numbers = Tensor(comparable(input.data))
    if not input.data.ndim:
        return Ranked(input, arg(numbers))
    indices = arg(numbers, dim=dim, keepdim=True)
    found = Ranked(take_along_dim(input, indices, dim), indices)
    return found if keepdim else Ranked(*(select(x, dim, 0) for x in found))


# ---------------------------------------------------------------- in order


@no_grad()
@Op
def argsort(input, *, dim=-1, descending=False, stable=False):
    """Return the indices that sort the tensor along `dim`; equal elements keep their order."""
    dim = wrap("argsort", input, dim)
    need_bool("argsort", descending=descending, stable=stable)
    if not input.ndim:
        return xp.zeros((), "int64")
    # nan is the largest: last when ascending, first when descending.
    return xp.argsort(comparable(input), axis=dim, descending=descending, stable=True)


@numpy_names
def sort(input, dim=-1, descending=False, *, stable=None) -> Ranked:
    """Return the elements in order along `dim`, and the indices they came from.

    Equal elements keep their order, with or without `stable`; nan counts as the largest.

    >>> sort(Tensor([3.0, 1.0, 2.0])).values
    tensor([1., 2., 3.])
    """
    stable = stable is not None and stable
    indices = argsort(input, dim=dim, descending=descending, stable=stable)
    return Ranked(_taken(input, indices, dim), indices)


@numpy_names
def topk(input, k, dim=-1, largest=True, sorted=True) -> Ranked:
    """Return the `k` largest (or smallest) elements along `dim` in order, and their indices.

    Raises DimError when there are fewer than `k`. They come in order, sorted or not.
    """
    (input,) = as_tensors("topk", (input,))
    need_numbers("topk", input.data)
    need_bool("topk", largest=largest, sorted=sorted)
    at, k = wrap("topk", input, dim), integer("topk", "k", k)
    if not 0 <= k <= (input.shape[at] if input.shape else 1):
        raise DimError(explain("topk", "k must be between 0 and the size along dim",
                               {"input": input, "k": k, "dim": dim}))
    indices = argsort(input, dim=dim, descending=largest)
    indices = narrow(indices, at, 0, k) if input.shape else indices
    return Ranked(_taken(input, indices, dim), indices)


@numpy_names
@none_left_out
def median(input, dim=None, keepdim=False):
    """Return the middle element, the lower of two; with `dim`, those along it and their indices.

    nan where there is one, and for no numbers at all. Raises DimError where there is nothing along
    `dim`.
    """
    (input,) = as_tensors("median", (input,))
    need_numbers("median", input.data)
    need_dim("median", dim, keepdim)
    if dim is None:
        line = reshape(input, shape=(-1,))
        empty = xp.is_floating(input.data) and not input.numel()
        return line.sum() / 0 if empty else median(line, 0).values
    at, found = wrap("median", input, dim), sort(input, dim)
    if not input.shape:
        return found
    size = _need_places("median", input, at)
    nans = xp.sum(xp.astype(isnan(found.values).data, xp.int64), axis=at, keepdims=True)
    place = xp.where(nans > 0, size - nans, xp.full_like(nans, (size - 1) // 2))
    middle = Ranked(*(take_along_dim(x, Tensor(place), at) for x in found))
    return middle if keepdim else Ranked(*(select(x, at, 0) for x in middle))


def _taken(input, indices, dim):
    return take_along_dim(input, indices, dim) if input.shape else input

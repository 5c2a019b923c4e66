"""Taking elements by their places, and putting them there: x[...], gather, scatter and the rest.

Three primitives: `getitem` reads the elements at an index, `place` adds values up at an index of a
tensor of zeros (each is the other's gradient), `replace` overwrites. An index is a pair
`(basic, fancy)`: integers, slices and None, applied first; then arrays of integers, or None.
"""

from __future__ import annotations

import math
import operator

from .. import xp
from ..errors import DimError, explain
from ..op import Op
from ..tensor import Tensor

# ---------------------------------------------------------------- primitives


@Op
def getitem(input, *, index):
    """Return the elements at an index."""
    return xp.getitem(input, *index)


@Op
def place(values, *, index, shape):
    """Return zeros of `shape` with `values` added at an index; what meets in a place adds up."""
    return xp.index_add(shape, *index, values)


@Op
def replace(input, values, *, index):
    """Return a copy of `input` with `values` at an index."""
    out = xp.copy(input)
    xp.setitem(out, *index, values)
    return out


getitem.grad(lambda g, y, x, index: place(g, index=index, shape=tuple(x.data.shape)))
place.grad(lambda g, y, v, index, shape: getitem(g, index=index))
replace.grad(
    lambda g, y, x, v, index: replace(g, Tensor(xp.zeros((), g.data.dtype)), index=index),
    lambda g, y, x, v, index: getitem(g, index=index),
)


# ---------------------------------------------------------------- x[...]


def item_at(input: Tensor, index) -> Tensor:
    """Return `input[index]`: integers, slices, None, ..., masks, tensors of integers, mixed.

    As in torch, integers and slices are applied first; then all index tensors together, broadcast.
    Raises DimError for what is out of range, ValueError for steps below 1.

    >>> item_at(Tensor([[1.0, 2.0], [3.0, 4.0]]), (slice(None), 0))
    tensor([1., 3.])
    """
    return getitem(input, index=resolved(input, index))


def resolved(x: Tensor, index) -> tuple[tuple, tuple | None]:
    """Turn what stands in the brackets of `x[...]` into an index pair."""
    basic: list = []
    fancy: list = []
    dim = 0
    for item in _items(x, index):
        first, then = _resolved_one(x, item, dim)
        basic, fancy = basic + first, fancy + then
        dim += sum(i is not None for i in first)
    return tuple(basic), None if all(isinstance(i, slice) for i in fancy) else tuple(fancy)


def _resolved_one(x, item, dim) -> tuple[list, list]:
    """Say what to do first with the dimension `dim` of x, and then with what is left of it."""
    if item is None:
        return [None], [slice(None)]
    if isinstance(item, bool):  # a mask without dimensions: a new dimension, of size 1 or 0
        return [None], [xp.arange(int(item))]
    if isinstance(item, slice):
        return [_clipped(item, x.data.shape[dim])], [slice(None)]
    if isinstance(item, int):
        return [_in_range(x, item, dim)], []
    arrays = _index_arrays(x, item, dim)
    return [slice(0, n) for n in x.data.shape[dim : dim + len(arrays)]], arrays


def _items(x, index) -> list:
    """List one item per place in the brackets, with `...` written out."""
    several = isinstance(index, tuple) or isinstance(index, list) and any(
        i is None or i is ... or isinstance(i, list | tuple | slice | Tensor) for i in index)
    given = [_readable(x, i) for i in (index if several else (index,))]
    used = sum(_dims_used(i) for i in given)
    if used > x.data.ndim:
        raise DimError(explain("getitem", f"{used} dimensions are indexed, there are {x.data.ndim}",
                               {"input": x, "index": index}))
    gaps = [n for n, i in enumerate(given) if i is ...]
    at = gaps[0] if gaps else len(given)
    # A second `...` stands for nothing.
    rest = [i for i in given[at + 1 :] if i is not ...]
    return [*given[:at], *[slice(None)] * (x.data.ndim - used), *rest]


def _readable(x, item):
    """Return one index as None, ..., a bool, an int, a slice or a Tensor."""
    if item is None or item is ... or isinstance(item, bool | slice):
        return item
    if isinstance(item, list | tuple | range | xp.ARRAY):
        item = Tensor(item if isinstance(item, xp.ARRAY) else list(item))
        if not item.numel():
            return Tensor(xp.zeros(item.data.shape, "int64"))
    if isinstance(item, Tensor):
        if xp.is_floating(item.data):
            raise DimError(explain("getitem", "an index must hold integers or truth values",
                                   {"input": x, "index": item}, "convert it with index.long()"))
        return item if item.data.ndim else item.item()
    try:
        return operator.index(item)
    except TypeError:
        raise DimError(explain("getitem", "an index is an integer, a slice, None, ... or a Tensor",
                               {"input": x, "index": item})) from None


def _dims_used(item) -> int:
    if isinstance(item, Tensor):
        return item.data.ndim if item.data.dtype in (xp.bool, xp.uint8) else 1
    return 0 if item is None or item is ... or isinstance(item, bool) else 1


def _clipped(item: slice, size: int) -> slice:
    start, stop, step = item.indices(size)
    if step < 0:
        raise ValueError(f"getitem: the step of a slice must be positive; got {item.step}. "
                         "To repair it: use x.flip(dim).")
    return slice(start, max(start, stop), step)


def _in_range(x, i: int, dim: int) -> int:
    size = x.data.shape[dim]
    if not -size <= i < size:
        raise DimError(explain("getitem", f"index {i} is out of range for dimension {dim}",
                               {"input": x, "index": i}))
    return i % size


def _index_arrays(x, item: Tensor, dim: int) -> list:
    """Return one array of integers, or for a mask one for each of its dimensions."""
    if item.data.dtype not in (xp.bool, xp.uint8):
        return [checked("getitem", x, item, dim, lowest=-x.data.shape[dim])]
    if tuple(item.data.shape) != tuple(x.data.shape[dim : dim + item.data.ndim]):
        raise DimError(explain("getitem", f"the mask must fit the dimensions from {dim} on",
                               {"input": x, "mask": item}))
    return list(xp.nonzero(item.data))


def checked(function: str, x: Tensor, index: Tensor, dim: int, lowest: int = 0,
            kinds: tuple[str, ...] = ("int64", "int32"), empty: bool = False):
    """Return an index tensor as an array of int64 that are in range for a dimension of `x`.

    kinds: the dtypes that the index may have; `empty`: an empty one may have any.
    """
    if not isinstance(index, Tensor):
        raise TypeError(explain(function, "the index must be a Tensor", {"index": index}))
    size = x.data.shape[dim] if x.data.ndim else 1
    a = index.data
    if xp.host_dtype(a).name not in kinds and not (math.prod(a.shape) == 0 and empty):
        raise TypeError(explain(function, f"an index must hold integers: {' or '.join(kinds)}",
                                {"input": x, "index": index}, "convert it with index.long()"))
    a = xp.astype(a, xp.int64)
    xp.demand((a >= lowest) & (a < size), lambda: DimError(explain(
        function, f"an index is out of range: dimension {dim} has {size} elements, the indices "
        f"go from {int(xp.min(a))} to {int(xp.max(a))}", {"input": x, "index": index})))
    return a

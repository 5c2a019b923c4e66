"""Choosing elements by index tensors and masks: composed of the primitives of `index.py`."""

from __future__ import annotations

from .. import xp
from ..errors import ShapeError, explain
from ..op import as_tensors
from ..tensor import Tensor
from .dims import integer, need_bool, numpy_names, wrap
from .elementwise import clone, where
from .index import checked, getitem, place, replace, resolved
from .reduce import broadcast_to
from .rounding import remainder
from .shape import reshape

# ---------------------------------------------------------------- an index for each element


def gather(input, dim, index) -> Tensor:
    """Return, for each element of `index`, the element of `input` that it names along `dim`.

    out[i, j, k] = input[i, index[i, j, k], k] for dim=1. `index` has as many dimensions as `input`
    and is nowhere longer, except along `dim`. Raises ShapeError if it is, DimError out of range.

    >>> gather(Tensor([[1.0, 2.0], [3.0, 4.0]]), 1, Tensor([[1], [0]]))
    tensor([[2.],
            [3.]])
    """
    input, at = _meshed("gather", input, dim, index)
    return reshape(getitem(_at_least_1d(input), index=at), shape=index.shape)


def scatter(input, dim, index, src=None, *, value=None) -> Tensor:
    """Return `input` with the elements of `src` (or one number) where `index` names along `dim`.

    out[i, index[i, j, k], k] = src[i, j, k] for dim=1; `src` may be longer than `index`. If several
    meet in a place, one of them stays.
    """
    input, at = _meshed("scatter", input, dim, index)
    if not index.numel():
        return clone(input)
    source = _source("scatter", input, index, value if src is None else src)
    return reshape(replace(_at_least_1d(input), source, index=at), shape=input.shape)


def scatter_add(input, dim, index, src) -> Tensor:
    """Return `input` with the elements of `src` added where `index` names along `dim`."""
    input, at = _meshed("scatter_add", input, dim, index)
    if not isinstance(src, Tensor):
        raise TypeError(explain("scatter_add", "src must be a Tensor",
                                {"input": input, "src": src}))
    if not index.numel():
        return clone(input)
    source = _source("scatter_add", input, index, src)
    return input + reshape(place(source, index=at, shape=input.shape or (1,)), shape=input.shape)


@numpy_names
def take_along_dim(input, indices, dim=None) -> Tensor:
    """Return the elements that `indices` (from argmax, argsort) names along `dim`.

    Along a `dim`, indices go round (-1 is the last place), and other dimensions broadcast; without
    `dim` the input is taken as one line.
    """
    if not (isinstance(input, Tensor) and isinstance(indices, Tensor)):
        raise TypeError(explain("take_along_dim", "both must be Tensors",
                                {"input": input, "indices": indices}))
    if xp.host_dtype(indices.data) != "int64":
        raise TypeError(explain("take_along_dim", "indices must be int64",
                                {"input": input, "indices": indices}, "use indices.long()"))
    if dim is None:
        return gather(reshape(input, shape=(-1,)), 0, reshape(indices, shape=(-1,)))
    at = wrap("take_along_dim", input, dim)
    if input.ndim != indices.ndim:
        raise ShapeError(explain("take_along_dim", "both must have the same number of dimensions",
                                 {"input": input, "indices": indices}))
    if input.numel():
        indices = remainder(indices, (input.shape or (1,))[at])
    sizes = [n if m == 1 else m for n, m in zip(input.shape, indices.shape, strict=True)]
    ours, theirs = (tuple(x.shape[i] if i == at else n for i, n in enumerate(sizes))
                    for x in (input, indices))
    return gather(broadcast_to(input, size=ours), at, broadcast_to(indices, size=theirs))


def _at_least_1d(x):
    return x if x.data.ndim else reshape(x, shape=(1,))


def _meshed(function, input, dim, index):
    """Return the input and the index pair that goes with an `index` along `dim`."""
    (input,) = as_tensors(function, (input,))
    dim = wrap(function, input, dim)
    a = checked(function, input, index, dim, empty=True)
    sizes = input.shape or (1,)
    a = xp.reshape(a, (a.shape or (1,)) if index.numel() else (0,) * len(sizes))
    longer = [d for d, (n, m) in enumerate(zip(a.shape, sizes, strict=False)) if d != dim and n > m]
    if a.ndim != len(sizes) or longer:
        raise ShapeError(explain(
            function, f"the index must have the dimensions of the input, and be no longer except "
            f"along {dim}", {"input": input, "index": index}))
    along = [(1,) * d + (-1,) + (1,) * (a.ndim - d - 1) for d in range(a.ndim)]
    mesh = (xp.reshape(xp.arange(n), s) for n, s in zip(a.shape, along, strict=True))
    return input, ((), tuple(a if d == dim else m for d, m in enumerate(mesh)))


def _source(function, input, index, src):
    """Return what to scatter: a number as it is, a tensor cut to the shape of the index."""
    if not isinstance(src, Tensor):
        return Tensor(_number(function, input, src))
    shapes = zip(index.shape, src.shape, strict=False)
    if src.ndim != index.ndim or any(n > m for n, m in shapes):
        raise ShapeError(explain(function, "src must have the dimensions of the index, and be no "
                                 "shorter", {"input": input, "index": index, "src": src}))
    _need_dtype(function, input, src)
    box = tuple(slice(0, n) for n in index.shape)
    return _at_least_1d(src if src.shape == index.shape else getitem(src, index=(box, None)))


def _need_dtype(function, input, source):
    if input.data.dtype != source.data.dtype:
        raise TypeError(explain(function, "dtypes differ", {"input": input, "source": source},
                                "convert one with x.to(...)"))


def _number(function, input, value):
    value = value.item() if isinstance(value, xp.HOST_SCALAR) else value
    if not isinstance(value, bool | int | float):
        raise TypeError(explain(function, "expected a Tensor or a number", {"value": value}))
    return xp.scalar(value, input.data.dtype)


# ---------------------------------------------------------------- a list of places


def index_select(input, dim, index) -> Tensor:
    """Return the places along `dim` that a vector `index` lists.

    >>> index_select(Tensor([1.0, 2.0, 3.0]), 0, Tensor([2, 0]))
    tensor([3., 1.])
    """
    input, at, count = _listed("index_select", input, dim, index)
    if not input.shape and count != 1:
        raise ShapeError(explain("index_select", "a number has one place only",
                                 {"input": input, "index": index}))
    out = getitem(_at_least_1d(input), index=at)
    return out if input.shape else reshape(out, shape=())


def index_add(input, dim, index, source, *, alpha=1) -> Tensor:
    """Return `input` with the places of `source`, times `alpha`, added where `index` lists."""
    input, at, source = _with_source("index_add", input, dim, index, source)
    source = source if alpha == 1 else source * alpha
    return input + reshape(place(source, index=at, shape=input.shape or (1,)), shape=input.shape)


def index_copy(input, dim, index, source) -> Tensor:
    """Return `input` with its places replaced by those of `source` where `index` lists."""
    input, at, source = _with_source("index_copy", input, dim, index, source)
    return reshape(replace(_at_least_1d(input), source, index=at), shape=input.shape)


def index_fill(input, dim, index, value) -> Tensor:
    """Return `input` with one number at all the places that `index` lists along `dim`."""
    input, at, _ = _listed("index_fill", input, dim, index, negative=True)
    value = _single("index_fill", input, value)
    return reshape(replace(_at_least_1d(input), value, index=at), shape=input.shape)


def _listed(function, input, dim, index, negative=False):
    """Return the input, the index pair for a list of places along `dim`, and their number."""
    (input,) = as_tensors(function, (input,))
    dim = wrap(function, input, dim)
    size = input.shape[dim] if input.shape else 1
    kinds = ("int64",) if function in ("index_fill", "index_copy") else ("int64", "int32")
    places = checked(function, input, index, dim, -size if negative else 0, kinds)
    if places.ndim > 1:
        raise ShapeError(explain(function, "the index must be a vector",
                                 {"input": input, "index": index}))
    before = (slice(None),) * dim
    return input, ((), (*before, xp.reshape(places, (-1,)))), index.numel()


def _with_source(function, input, dim, index, source):
    input, at, count = _listed(function, input, dim, index)
    source, dim = _at_least_1d(source), wrap(function, input, dim)
    sizes = input.shape or (1,)
    if source.shape != (*sizes[:dim], count, *sizes[dim + 1 :]):
        raise ShapeError(explain(
            function, f"source must have the shape of the input, with {count} places along {dim}",
            {"input": input, "index": index, "source": source}))
    _need_dtype(function, input, source)
    return input, at, source


def _single(function, input, value):
    """Return a number, or a tensor without dimensions, in the dtype of the input."""
    if not isinstance(value, Tensor):
        return Tensor(_number(function, input, value))
    if value.data.ndim:
        raise ShapeError(explain(function, "the value must be a number or a tensor without "
                                 "dimensions", {"input": input, "value": value}))
    return value if value.data.dtype == input.data.dtype else value.to(input.dtype)


# ---------------------------------------------------------------- masks and free indices


def masked_fill(input, mask, value) -> Tensor:
    """Return `input` with one number wherever the mask holds; both broadcast.

    >>> masked_fill(Tensor([1.0, 2.0]), Tensor([False, True]), 0)
    tensor([1., 0.])
    """
    (input,) = as_tensors("masked_fill", (input,))
    _need_mask("masked_fill", input, mask)
    return where(mask, _single("masked_fill", input, value), input)


def masked_select(input, mask) -> Tensor:
    """Return the elements where the mask holds, as a vector; both broadcast."""
    (input,) = as_tensors("masked_select", (input,))
    _need_mask("masked_select", input, mask)
    input, mask = broadcast_tensors(input, mask)
    at = tuple(xp.nonzero(_at_least_1d(mask).data))
    return getitem(_at_least_1d(input), index=((), at))


def _need_mask(function, input, mask):
    if not isinstance(mask, Tensor) or mask.data.dtype != xp.bool:
        raise TypeError(explain(function, "the mask must be a Tensor of truth values",
                                {"input": input, "mask": mask}, "compare, as in x > 0"))


def broadcast_tensors(*tensors) -> tuple[Tensor, ...]:
    """Stretch tensors to their common shape. Raises ShapeError if there is none."""
    try:
        shape = xp.broadcast_shapes(*(x.shape for x in tensors))
    except (ValueError, RuntimeError):
        named = {f"tensors[{i}]": x for i, x in enumerate(tensors)}
        raise ShapeError(explain("broadcast_tensors", "shapes do not broadcast", named)) from None
    return tuple(broadcast_to(x, size=tuple(shape)) for x in tensors)


def take(input, index) -> Tensor:
    """Return the elements at the places `index` of the input taken as one line."""
    (input,) = as_tensors("take", (input,))
    line = reshape(input, shape=(-1,))
    places = checked("take", line, index, 0, lowest=-line.numel(), kinds=("int64",))
    return getitem(line, index=((), (places,)))


def index_put(input, indices, values, accumulate=False) -> Tensor:
    """Return `input` with `values` at `input[indices]`, or added there if `accumulate`."""
    (input,) = as_tensors("index_put", (input,))
    need_bool("index_put", accumulate=accumulate)
    _need_dtype("index_put", input, values)
    at = resolved(input, tuple(indices))
    if not accumulate:
        return replace(input, values, index=at)
    shape = getitem(input.detach(), index=at).shape
    return input + place(broadcast_to(values, size=shape), index=at, shape=input.shape)


@numpy_names
def nonzero(input, *, as_tuple=False):
    """Return the places of all elements that are not 0: one row (i, j, ...) for each.

    With `as_tuple`, one vector for each dimension instead: what `x[...]` takes.
    """
    (input,) = as_tensors("nonzero", (input,))
    need_bool("nonzero", as_tuple=as_tuple)
    places = xp.nonzero(_at_least_1d(input).data)
    if as_tuple:
        return tuple(map(Tensor, places))
    rows = xp.stack(list(places), axis=1)
    return Tensor(rows if input.shape else xp.zeros((rows.shape[0], 0), "int64"))


def one_hot(tensor, num_classes=-1) -> Tensor:
    """Return a new last dimension with a 1 at the place that each element names, and 0 elsewhere.

    num_classes: its size; -1 for the largest element + 1.

    >>> one_hot(Tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    (tensor,) = as_tensors("one_hot", (tensor,))
    count = integer("one_hot", "num_classes", num_classes)
    if xp.host_dtype(tensor.data) != "int64":
        raise TypeError(explain("one_hot", "classes must be int64", {"tensor": tensor}))
    if count == -1 and tensor.numel():
        count = int(xp.max(tensor.data)) + 1
    if count < 1:
        raise ValueError(explain("one_hot", "the number of classes is not known",
                                 {"tensor": tensor, "num_classes": num_classes}))
    line = Tensor(xp.zeros((count,)))
    classes = checked("one_hot", line, tensor, 0)
    return Tensor(xp.astype(xp.expand_dims(classes, axis=-1) == xp.arange(count), xp.int64))

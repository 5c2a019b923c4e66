"""Cutting tensors into pieces and putting pieces together.

Two pairs of primitives undo each other: `cut` takes a box out of a tensor and `paste` puts it into
a larger one; `join` lays tensors end to end, and its gradient cuts them apart again.
"""

from __future__ import annotations

import itertools
import math

from .. import xp
from ..arrays import promoted
from ..errors import DimError, ShapeError, explain
from ..op import Op
from ..tensor import Tensor
from .dims import integer, integers, numpy_names, several, wrap
from .shape import expand, flatten, reshape, unsqueeze


@Op
def cut(input, *, at):
    """Take a box out of a tensor: one slice for each dimension, with positive steps."""
    return input[at]


@Op
def paste(input, *, at, shape, value=0):
    """Put a tensor into a larger one that is filled with `value`: undoes `cut`."""
    out = xp.full(shape, value, input.dtype)
    out[at] = input
    return out


cut.grad(lambda g, y, x, at: paste(g, at=at, shape=x.shape))
paste.grad(lambda g, y, x, at, shape, value: cut(g, at=at))


@Op
def join(*tensors, dim):
    """Lay tensors end to end along `dim`, a dimension counted from the front."""
    return xp.concat(promoted(*tensors), axis=dim)


def _part(g, y, *tensors, i, dim):
    start = sum(x.shape[dim] for x in tensors[:i])
    return narrow(g, dim, start, tensors[i].shape[dim])


join.grad(_part)


# ---------------------------------------------------------------- together


@numpy_names
def cat(tensors, dim: int = 0) -> Tensor:
    """Lay tensors end to end along the dimension `dim`.

    All other sizes must agree; empty tensors of shape (0,) are passed over, as in torch. Raises
    ShapeError where sizes differ, TypeError if there is nothing to join.

    >>> cat([Tensor([1.0]), Tensor([2.0, 3.0])])
    tensor([1., 2., 3.])
    """
    tensors = _listed("cat", tensors)
    given = [x for x in tensors if x.shape != (0,)] or tensors[:1]
    if any(not x.shape for x in given):
        raise ShapeError(explain("cat", "a number has no dimension to join along",
                                 _named(tensors), "use stack"))
    at = wrap("cat", given[0], dim)
    rest = {(*x.shape[:at], *x.shape[at + 1 :]) for x in given}
    if len(rest) > 1 or len({x.ndim for x in given}) > 1:
        raise ShapeError(explain("cat", f"sizes differ in another dimension than {dim}",
                                 _named(tensors)))
    # An empty tensor still has a say in the dtype, and gets its (empty) gradient.
    shape = tuple(0 if i == at else n for i, n in enumerate(given[0].shape))
    return join(*(x if x.ndim == len(shape) else reshape(x, shape=shape) for x in tensors), dim=at)


concat = concatenate = cat


@numpy_names
def stack(tensors, dim: int = 0) -> Tensor:
    """Lay tensors of one shape side by side along a new dimension at position `dim`.

    >>> stack([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])], 1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    tensors = _listed("stack", tensors)
    at = wrap("stack", tensors[0], dim, extra=1)
    if len({x.shape for x in tensors}) > 1:
        raise ShapeError(explain("stack", "all shapes must be equal", _named(tensors)))
    return join(*(unsqueeze(x, at) for x in tensors), dim=at)


def hstack(tensors) -> Tensor:
    """Join along the columns (vectors: end to end)."""
    tensors = atleast_1d(_listed("hstack", tensors))
    return cat(tensors, 0 if tensors[0].ndim == 1 else 1)


def vstack(tensors) -> Tensor:
    """Join along the rows; a vector is a row."""
    return cat(atleast_2d(_listed("vstack", tensors)), 0)


def dstack(tensors) -> Tensor:
    """Join along the third dimension."""
    return cat(atleast_3d(_listed("dstack", tensors)), 2)


def atleast_1d(*tensors) -> Tensor | tuple[Tensor, ...]:
    """Return numbers as vectors of one element; several inputs give a tuple."""
    return _each(tensors, lambda x: x if x.ndim else reshape(x, shape=(1,)))


def atleast_2d(*tensors) -> Tensor | tuple[Tensor, ...]:
    """Return vectors as matrices of one row; several inputs give a tuple."""
    return _each(tensors, lambda x: x if x.ndim >= 2 else reshape(x, shape=(1, -1)))


def atleast_3d(*tensors) -> Tensor | tuple[Tensor, ...]:
    """Return a matrix (R, C) as (R, C, 1) and a vector (C,) as (1, C, 1)."""
    return _each(tensors, lambda x: x if x.ndim >= 3 else unsqueeze(atleast_2d([x])[0], 2))


def _each(tensors, place):
    if len(tensors) == 1 and isinstance(tensors[0], Tensor):
        return place(tensors[0])
    several = tensors[0] if len(tensors) == 1 else tensors
    return tuple(place(x) for x in _listed("atleast", several))


def _listed(function: str, tensors) -> tuple[Tensor, ...]:
    """Read the list of tensors that is to be joined."""
    if not isinstance(tensors, tuple | list):
        raise TypeError(f"{function}: expected a list of Tensors, got {type(tensors).__name__}")
    if not tensors or not all(isinstance(x, Tensor) for x in tensors):
        kinds = ", ".join(type(x).__name__ for x in tensors) or "none"
        raise TypeError(f"{function}: expected Tensors to join, got {kinds}")
    return tuple(tensors)


def _named(tensors) -> dict[str, Tensor]:
    return {f"tensors[{i}]": x for i, x in enumerate(tensors)}


# ---------------------------------------------------------------- apart


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """Return `length` places along `dim`, from `start` on (negative: counted from the end)."""
    at = _dimension("narrow", input, dim)
    start, length = integers("narrow", "start and length", (start, length))
    size = input.shape[at]
    first = start + size if start < 0 else start
    if not 0 <= first <= first + length <= size:
        raise DimError(explain("narrow", f"dimension {dim} has only {size} places",
                               {"input": input, "start": start, "length": length}))
    box = [slice(0, n) for n in input.shape]
    box[at] = slice(first, first + length)
    return cut(input, at=tuple(box))


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """Return the slice at one place along `dim`, without that dimension."""
    at = _dimension("select", input, dim)
    place = integer("select", "index", index)
    size = input.shape[at]
    if not -size <= place < size:
        raise DimError(explain("select", f"dimension {dim} has only {size} places",
                               {"input": input, "index": index}))
    return reshape(narrow(input, at, place, 1), shape=input.shape[:at] + input.shape[at + 1 :])


def split(tensor: Tensor, split_size_or_sections, dim: int = 0) -> tuple[Tensor, ...]:
    """Cut into pieces of one size (the last may be smaller), or of the listed sizes.

    Raises ShapeError unless the listed sizes add up to the size of `dim`.

    >>> [piece.shape for piece in split(Tensor([1.0, 2.0, 3.0]), 2)]
    [(2,), (1,)]
    """
    at = _dimension("split", tensor, dim)
    size = tensor.shape[at]
    sizes = integers("split", "split_size_or_sections", split_size_or_sections)
    several = isinstance(split_size_or_sections, tuple | list)
    if not several and (sizes[0] > 0 or sizes[0] == size == 0):
        step = max(sizes[0], 1)
        sizes = tuple(min(step, size - start) for start in range(0, max(size, 1), step))
    if sum(sizes) != size or min(sizes, default=0) < 0:
        raise ShapeError(explain("split", f"the sizes do not add up to {size}", {
            "tensor": tensor, "split_size_or_sections": split_size_or_sections, "dim": dim}))
    return _pieces(tensor, at, itertools.accumulate(sizes, initial=0))


@numpy_names
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Cut into at most `chunks` pieces of one size, the last may be smaller."""
    at = _dimension("chunk", input, dim)
    count = integer("chunk", "chunks", chunks)
    if count < 1:
        raise ValueError(f"chunk: chunks must be at least 1, got {chunks}")
    size = input.shape[at]
    return split(input, math.ceil(size / count) if size else [0] * count, at)


@numpy_names
def tensor_split(input: Tensor, indices_or_sections, dim: int = 0) -> tuple[Tensor, ...]:
    """Cut into a number of pieces, as equal as can be, or before each of the listed places."""
    at = _dimension("tensor_split", input, dim)
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = indices_or_sections.tolist()
    places = integers("tensor_split", "indices_or_sections", indices_or_sections)
    size = input.shape[at]
    if isinstance(indices_or_sections, tuple | list):
        places = tuple(min(max(p + size if p < 0 else p, 0), size) for p in places)
        return _pieces(input, at, (0, *places, size))
    if places[0] < 1:
        raise ValueError(f"tensor_split: there must be at least 1 section, got {places[0]}")
    each, larger = divmod(size, places[0])
    return split(input, [each + (i < larger) for i in range(places[0])], at)


@numpy_names
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Return all slices along `dim`, without that dimension."""
    at = _dimension("unbind", input, dim)
    size, half = input.shape[at], input.shape[at] // 2
    if size < 2:
        return tuple(select(input, at, i) for i in range(size))
    # In halves: a gradient is then pasted into ever larger pieces, log2(n) times, and not each of
    # the n slices into the whole.
    parts = narrow(input, at, 0, half), narrow(input, at, half, size - half)
    return tuple(piece for part in parts for piece in unbind(part, at))


def _pieces(x, at, bounds):
    return tuple(narrow(x, at, a, max(b - a, 0)) for a, b in itertools.pairwise(bounds))


def _dimension(function, x, dim):
    """Count a dimension from the front, in a tensor that has one."""
    if not x.shape:
        raise DimError(explain(function, "a number has no dimension to cut", {"input": x}))
    return wrap(function, x, dim)


# ---------------------------------------------------------------- again and again


def repeat(input: Tensor, repeats) -> Tensor:
    """Lay copies of the whole tensor side by side: `repeats[i]` of them along dimension i.

    More repeats than dimensions add dimensions in front. Raises ShapeError for fewer.
    """
    repeats = integers("repeat", "repeats", repeats)
    lead = len(repeats) - input.ndim
    if lead < 0 or min(repeats, default=0) < 0:
        raise ShapeError(explain("repeat", "needs a number of copies for each dimension",
                                 {"input": input, "repeats": repeats}))
    shape = (1,) * lead + input.shape
    apart = reshape(input, shape=tuple(n for size in shape for n in (1, size)))
    copies = tuple(n for pair in zip(repeats, shape, strict=True) for n in pair)
    total = tuple(r * n for r, n in zip(repeats, shape, strict=True))
    return reshape(expand(apart, copies), shape=total)


def tile(input: Tensor, dims) -> Tensor:
    """Do what `repeat` does, with ones put in front of `dims` if they are few."""
    dims = several("tile", "dims", dims)
    if min(dims, default=0) < 0:
        raise ValueError(explain("tile", "sizes cannot be negative",
                                 {"input": input, "dims": dims}))
    return repeat(input, (1,) * (input.ndim - len(dims)) + dims)


@numpy_names
def repeat_interleave(
    input: Tensor, repeats, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Repeat each element `repeats` times in its place, along `dim` (None: as one line).

    repeats: a number, or an integer tensor with one number for each place.

    >>> repeat_interleave(Tensor([1.0, 2.0]), 2)
    tensor([1., 1., 2., 2.])
    """
    x = flatten(input) if dim is None else input
    at = wrap("repeat_interleave", x, 0 if dim is None else dim)
    size = x.shape[at] if x.shape else 1
    counts = _counts(x, repeats, size)
    if min(counts, default=0) < 0 or output_size not in (None, sum(counts)):
        raise ValueError(explain("repeat_interleave", "repeats cannot be negative, and add up "
                                 "to output_size", {"repeats": counts, "output_size": output_size}))
    if len(set(counts)) > 1 or not x.shape:
        places = [i for i, n in enumerate(counts) for _ in range(n)]
        return x.index_select(at, Tensor(xp.array(places, "int64")))
    shape = x.shape[:at], x.shape[at + 1 :]
    each = counts[0] if counts else 1
    copies = expand(unsqueeze(x, at + 1), (*shape[0], size, each, *shape[1]))
    return reshape(copies, shape=(*shape[0], size * each, *shape[1]))


def _counts(x, repeats, size):
    """Read how often each place is repeated."""
    kind, values = "number", repeats
    if isinstance(repeats, Tensor):
        kind = "tensor"
        if repeats.ndim > 1 or xp.is_floating(repeats.data):
            raise TypeError(explain("repeat_interleave", "repeats must be one line of integers",
                                    {"input": x, "repeats": repeats}))
        values = repeats.reshape(-1).tolist()
    elif isinstance(repeats, tuple | list):
        raise TypeError("repeat_interleave: repeats must be a number or a tensor, not a list")
    counts = integers("repeat_interleave", "repeats", values)
    counts = counts * size if len(counts) == 1 else counts
    if len(counts) != size:
        raise ShapeError(explain("repeat_interleave", f"{kind} of repeats for {size} places",
                                 {"input": x, "repeats": repeats}))
    return counts

"""The same numbers in another arrangement: each op's gradient is the arrangement undone.

Four primitives, `reshape`, `permute`, `flip` and `roll`; the rest says the same in handier words.
A method takes sizes one by one, too: `x.reshape(2, 3)` is `reshape(x, (2, 3))`.
"""

from __future__ import annotations

import math

from .. import xp
from ..errors import DimError, ShapeError, explain, none_left_out
from ..op import Op
from ..tensor import Tensor
from .dims import integer, integers, need_tensors, numpy_names, several, wrap, wrap_all
from .elementwise import clone
from .reduce import broadcast_to

# ---------------------------------------------------------------- reading arguments


def completed(function: str, x, shape, of: int) -> tuple[int, ...]:
    """Work out the size that is given as -1, for `of` elements in all."""
    if set(map(type, shape if type(shape) is tuple else ())) == {int} and min(shape) >= 0 \
            and math.prod(shape) == of:
        return shape  # nothing to do, which is nearly always so
    shape = several(function, "shape", shape)
    known = math.prod(n for n in shape if n != -1)
    if shape.count(-1) == 1 and known > 0 and of % known == 0:
        shape = tuple(of // known if n == -1 else n for n in shape)
    if min(shape, default=0) < 0 or math.prod(shape) != of:
        raise ShapeError(explain(
            function, f"{of} elements do not fill this shape", {"input": x, "shape": shape},
            "the sizes must multiply to the number of elements; one may be -1"))
    return shape


# ---------------------------------------------------------------- primitives


@Op
def reshape(input, *, shape):
    """Return the same elements in the order of memory with another shape; one size may be -1.

    Raises ShapeError unless the sizes multiply to the number of elements.

    >>> reshape(Tensor([1.0, 2.0, 3.0, 4.0]), (2, -1))
    tensor([[1., 2.],
            [3., 4.]])
    """
    return xp.reshape(input, completed("reshape", input, shape, math.prod(input.shape)))


reshape.grad(lambda g, y, x, shape: reshape(g, shape=tuple(x.data.shape)))


@Op
def permute(input, *, dims):
    """Return a view with the dimensions in the order `dims`, each of them once."""
    if type(dims) is tuple and sorted(dims) == [*range(input.ndim)]:
        return xp.permute_dims(input, dims)
    order = wrap_all("permute", input, several("permute", "dims", dims))
    if len(order) != input.ndim:
        raise ShapeError(explain("permute", "every dimension must be named once",
                                 {"input": input, "dims": dims}))
    return xp.permute_dims(input, order)


def _undo(g, y, x, dims):
    order = wrap_all("permute", x, dims)
    return permute(g, dims=tuple(order.index(i) for i in range(len(order))))


permute.grad(_undo)


@Op
def flip(input, *, dims):
    """Return the elements in reverse order along the dimensions `dims`."""
    dims = wrap_all("flip", input, several("flip", "dims", dims))
    return xp.flip(input, axis=dims) if dims and input.ndim else xp.copy(input)


flip.grad(lambda g, y, x, dims: flip(g, dims=dims))


@Op
def roll(input, *, shifts, dims=None):
    """Move the elements `shifts` places along `dims`; those that fall off the end come in in front.

    Without `dims` the tensor is rolled as one line. Raises ShapeError unless there is one shift
    for each dimension.
    """
    shifts = integers("roll", "shifts", shifts)
    dims = integers("roll", "dims", () if dims is None else dims)
    if len(shifts) != len(dims) and (len(shifts), len(dims)) != (1, 0):
        raise ShapeError(explain("roll", "there must be one shift for each dimension",
                                 {"shifts": shifts, "dims": dims}))
    axes = tuple(wrap("roll", input, d) for d in dims)
    if axes and not input.ndim:
        raise DimError(explain("roll", "a number has no dimensions", {"input": input}))
    if not axes:
        return xp.roll(input, shifts[0])
    return xp.roll(input, shifts, axis=axes)


def _roll_back(g, y, x, shifts, dims):
    return roll(g, shifts=tuple(-s for s in integers("roll", "shifts", shifts)), dims=dims)


roll.grad(_roll_back)


# ---------------------------------------------------------------- the same memory, other dimensions


def view(input: Tensor, size) -> Tensor:
    """Return the same elements with another shape; one size may be -1.

    Where torch asks for `reshape` because of the layout in memory, this is `reshape` already.
    """
    return reshape(input, shape=completed("view", input, size, input.numel()))


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the dimensions from `start_dim` to `end_dim` (included) into one.

    >>> flatten(Tensor([[[1.0], [2.0]]]), 1).shape
    (1, 2)
    """
    first, last = (wrap("flatten", input, d) for d in (start_dim, end_dim))
    if first > last:
        raise DimError(explain("flatten", "start_dim comes after end_dim", {
            "input": input, "start_dim": start_dim, "end_dim": end_dim}))
    shape = input.shape or (1,)
    joined = math.prod(shape[first : last + 1])
    return reshape(input, shape=(*shape[:first], joined, *shape[last + 1 :]))


@numpy_names
def ravel(input: Tensor) -> Tensor:
    """Return all elements in one dimension."""
    return flatten(input)


def unflatten(input: Tensor, dim: int, sizes) -> Tensor:
    """Split the dimension `dim` into several of the given sizes; one may be -1."""
    at = wrap("unflatten", input, dim)
    shape = input.shape
    several, sizes = isinstance(sizes, tuple | list), integers("unflatten", "sizes", sizes)
    if not shape or not sizes or not several:
        raise ShapeError(explain("unflatten", "needs a dimension and sizes to split it into",
                                 {"input": input, "sizes": sizes}))
    sizes = completed("unflatten", input, sizes, shape[at])
    return reshape(input, shape=(*shape[:at], *sizes, *shape[at + 1 :]))


@numpy_names
@none_left_out
def squeeze(input: Tensor, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Leave out the dimensions of size 1: all, or those among `dim`."""
    dims = range(input.ndim) if dim is None else wrap_all("squeeze", input, dim)
    kept = (n for i, n in enumerate(input.shape) if n != 1 or i not in dims)
    return reshape(input, shape=tuple(kept))


@numpy_names
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Insert a dimension of size 1 at position `dim` of the result."""
    at = wrap("unsqueeze", input, dim, extra=1)
    return reshape(input, shape=(*input.shape[:at], 1, *input.shape[at:]))


def expand(input: Tensor, size) -> Tensor:
    """Repeat dimensions of size 1 up to `size`, without a copy; -1 keeps a size.

    New dimensions may be added in front. Raises ShapeError where a size is neither 1 nor the same.
    """
    size = integers("expand", "size", size)
    new = len(size) - input.ndim
    kept = (*(None,) * new, *input.shape) if new >= 0 else ()
    full = tuple(k if n == -1 else n for n, k in zip(size, kept, strict=False))
    if new < 0 or any(n is None or n < 0 or k not in (None, 1, n)
                      for n, k in zip(full, kept, strict=True)):
        raise ShapeError(explain("expand", "only sizes of 1 can be expanded",
                                 {"input": input, "size": size}))
    return broadcast_to(input, size=full)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expand to the shape of another tensor."""
    need_tensors("expand_as", input=input, other=other)
    return expand(input, other.shape)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the same elements with the shape of another tensor."""
    need_tensors("view_as", input=input, other=other)
    return view(input, other.shape)


reshape_as = view_as


# ---------------------------------------------------------------- dimensions in another order


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Exchange two dimensions."""
    a, b = (wrap("transpose", input, d) for d in (dim0, dim1))
    order = list(range(input.ndim))
    if order:
        order[a], order[b] = b, a
    return permute(input, dims=tuple(order))


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Exchange two dimensions: NumPy's name for `transpose`."""
    return transpose(input, axis0, axis1)


swapdims = transpose


@numpy_names
def t(input: Tensor) -> Tensor:
    """Transpose a matrix; a vector or a number stays as it is."""
    if input.ndim > 2:
        raise ShapeError(explain("t", "is for at most 2 dimensions", {"input": input},
                                 "use transpose or permute"))
    return permute(input, dims=tuple(reversed(range(input.ndim))))


def movedim(input: Tensor, source, destination) -> Tensor:
    """Move the dimensions `source` to the positions `destination`; the others keep their order."""
    sources = wrap_all("movedim", input, source)
    targets = wrap_all("movedim", input, destination)
    kinds = {isinstance(dims, tuple | list) for dims in (source, destination)}
    if len(kinds) > 1 or len(sources) != len(targets):
        raise ShapeError(explain("movedim", "source and destination differ in length",
                                 {"source": source, "destination": destination}))
    order = [d for d in range(input.ndim) if d not in sources]
    for target, moved in sorted(zip(targets, sources, strict=True)):
        order.insert(target, moved)
    return permute(input, dims=tuple(order[: input.ndim]))


moveaxis = movedim


@numpy_names
def fliplr(input: Tensor) -> Tensor:
    """Reverse the columns of a matrix."""
    return _flipped("fliplr", input, 1)


@numpy_names
def flipud(input: Tensor) -> Tensor:
    """Reverse the rows of a matrix."""
    return _flipped("flipud", input, 0)


def _flipped(function, input, dim):
    if input.ndim <= dim:
        raise ShapeError(explain(function, f"needs {dim + 1} dimensions", {"input": input}))
    return flip(input, dims=(dim,))


def rot90(input: Tensor, k: int = 1, dims: tuple[int, int] = (0, 1)) -> Tensor:
    """Turn by `k` times 90 degrees in the plane of two dimensions, from the first to the second."""
    pair, k = wrap_all("rot90", input, dims), integer("rot90", "k", k)
    if len(pair) != 2 or input.ndim < 2:
        raise ShapeError(explain("rot90", "needs two dimensions to turn in",
                                 {"input": input, "dims": dims}))
    if k % 4 == 2:
        return flip(input, dims=pair)
    turned = transpose(input, *pair) if k % 2 else clone(input)
    return turned if k % 4 == 0 else flip(turned, dims=pair[:1] if k % 4 == 1 else pair[1:])

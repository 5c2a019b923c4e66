"""Triangles and diagonals of matrices, and grids."""

from __future__ import annotations

from .. import xp
from ..errors import ShapeError, explain
from ..op import Op
from ..tensor import Tensor
from .dims import integer, integers, numpy_names, wrap
from .pieces import cut, paste
from .shape import expand, flatten, movedim, permute, reshape


@Op
def tril(input, *, diagonal=0):
    """Return the lower triangle of each matrix, and 0 above the given diagonal."""
    return xp.tril(_matrix("tril", input), k=integer("tril", "diagonal", diagonal))


@Op
def triu(input, *, diagonal=0):
    """Return the upper triangle of each matrix, and 0 below the given diagonal."""
    return xp.triu(_matrix("triu", input), k=integer("triu", "diagonal", diagonal))


tril.grad(lambda g, y, x, diagonal: tril(g, diagonal=diagonal))
triu.grad(lambda g, y, x, diagonal: triu(g, diagonal=diagonal))


def _matrix(function, x):
    if x.ndim < 2:
        raise ShapeError(explain(function, "needs at least 2 dimensions", {"input": x}))
    return x


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return the diagonal of the matrices in `dim1` and `dim2`, as the last dimension.

    offset: how far above the main diagonal. Raises ShapeError if the dimensions are one.
    """
    offset = integer("diagonal", "offset", offset)
    rows, columns = _two_dims("diagonal", input, dim1, dim2)
    order = (*(d for d in range(input.ndim) if d not in (rows, columns)), rows, columns)
    x = permute(input, dims=order)
    *lead, r, c = x.shape
    places = _places(offset, c, max(min(r + min(offset, 0), c - max(offset, 0)), 0))
    line = reshape(x, shape=(*lead, r * c))
    return cut(line, at=(*(slice(0, n) for n in lead), places))


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return matrices with the last dimension as a diagonal and 0 elsewhere: undoes `diagonal`."""
    *lead, n = input.shape or (1,)
    offset = integer("diag_embed", "offset", offset)
    size = n + abs(offset)
    where = _two_dims("diag_embed", input, dim1, dim2, extra=1)
    box = (*(slice(0, m) for m in lead), _places(offset, size, n))
    line = paste(input, at=box, shape=(*lead, size * size))
    return movedim(reshape(line, shape=(*lead, size, size)), (-2, -1), where)


def _two_dims(function, x, dim1, dim2, extra=0):
    found = tuple(wrap(function, x, d, extra) for d in (dim1, dim2))
    if found[0] == found[1] or len(x.shape) + extra < 2:
        raise ShapeError(explain(function, "needs two different dimensions",
                                 {"input": x, "dim1": dim1, "dim2": dim2}))
    return found


def _places(offset, columns, count):
    """Where the `count` elements of a diagonal lie in a matrix that is read as one line."""
    if count == 0:
        return slice(0, 0)
    first = max(offset, 0) + max(-offset, 0) * columns
    return slice(first, first + (count - 1) * (columns + 1) + 1, columns + 1)


_diagonal = diagonal  # `diag` has an argument of that name


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return the diagonal of a matrix, or the matrix that has a vector as its diagonal."""
    if input.ndim not in (1, 2):
        raise ShapeError(explain("diag", "needs 1 or 2 dimensions", {"input": input}))
    return diag_embed(input, diagonal) if input.ndim == 1 else _diagonal(input, diagonal)


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Return the matrix that has all elements as its diagonal."""
    return diag_embed(flatten(input), offset)


@numpy_names
def trace(input: Tensor) -> Tensor:
    """Return the sum of the main diagonal of a matrix."""
    if input.ndim != 2 or input.data.dtype == xp.bool:
        raise ShapeError(explain("trace", "needs one matrix of numbers", {"input": input}))
    return diagonal(input).sum()


# ---------------------------------------------------------------- places


def tril_indices(row: int, col: int, offset: int = 0, *, dtype="int64") -> Tensor:
    """Return the places (2, K) of the lower triangle of a (row, col) matrix, row by row."""
    return _triangle("tril_indices", row, col, offset, dtype, lambda d, offset: d <= offset)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype="int64") -> Tensor:
    """Return the places (2, K) of the upper triangle of a (row, col) matrix, row by row."""
    return _triangle("triu_indices", row, col, offset, dtype, lambda d, offset: d >= offset)


def _triangle(function, row, col, offset, dtype, inside):
    row, col = integers(function, "row and col", (row, col))
    offset = integer(function, "offset", offset)
    if xp.named_dtype(dtype).kind != "i":
        raise TypeError(f"{function}: places are integers, not {xp.named_dtype(dtype)}")
    if min(row, col) < 0:
        raise ValueError(f"{function}: sizes cannot be negative, got ({row}, {col})")
    mask = inside(xp.arange(col)[None, :] - xp.arange(row)[:, None], offset)
    return Tensor(xp.astype(xp.stack(xp.nonzero(mask)), xp.dtype(dtype)))


def meshgrid(*tensors, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Return, for each vector, its coordinate at every point of the grid they span.

    indexing: "ij" (the first vector runs down the rows) or "xy" (the first two exchanged).
    """
    if len(tensors) == 1 and isinstance(tensors[0], tuple | list):
        tensors = tuple(tensors[0])
    given = {f"tensors[{i}]": x for i, x in enumerate(tensors)}
    if indexing not in ("ij", "xy") or not tensors:
        raise ValueError(explain("meshgrid", 'needs vectors, and indexing "ij" or "xy"',
                                 given | {"indexing": indexing}))
    if any(x.ndim > 1 for x in tensors) or len({x.dtype for x in tensors}) > 1:
        raise ShapeError(explain("meshgrid", "needs vectors of one dtype", given))
    order = list(range(len(tensors)))
    if indexing == "xy":
        order[:2] = reversed(order[:2])
    shape = tuple(tensors[i].numel() for i in order)
    lines = (tuple(-1 if i == d else 1 for i in order) for d in range(len(tensors)))
    return tuple(expand(reshape(x, shape=line), shape)
                 for x, line in zip(tensors, lines, strict=True))

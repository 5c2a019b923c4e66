"""Matrix products: one primitive, `matmul`, and its special cases under torch's names."""

from __future__ import annotations

import math

from .. import xp
from ..errors import ShapeError, explain
from ..op import Op
from ..tensor import Tensor
from .dims import need_tensors
from .shape import permute, reshape, transpose, unsqueeze, wrap_all


@Op
def matmul(input, other):
    """Return the matrix product over the last two dimensions; leading ones broadcast.

    (..., N, K) @ (..., K, M) -> (..., N, M). A vector counts as a row on the left, as a column on
    the right, and that dimension is left out of the result. Raises ShapeError if the Ks differ,
    TypeError for mixed dtypes.

    >>> matmul(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    if not (input.ndim and other.ndim) or input.shape[-1] != other.shape[-2:][0]:
        raise ShapeError(explain("matmul", "the last size of the first must be the last but one "
                                 "of the second", {"input": input, "other": other}))
    if input.dtype != other.dtype or input.dtype == xp.bool:
        one_dtype("matmul", input=input, other=other)
    return xp.matmul(input, other)


def _d_input(g, y, a, b):
    if b.ndim == 1:  # each row of a met the one vector b
        return unsqueeze(g, -1) * b
    if a.ndim == 1:
        return matmul(b, unsqueeze(g, -1)).squeeze(-1)
    return matmul(g, transpose(b, -1, -2))


def _d_other(g, y, a, b):
    if a.ndim == 1:
        return a * g if b.ndim == 1 else unsqueeze(a, -1) * unsqueeze(g, -2)
    if b.ndim == 1:
        return matmul(transpose(a, -1, -2), unsqueeze(g, -1)).squeeze(-1)
    if b.ndim == 2 < a.ndim:  # one long product, rather than a batch of them to add up
        rows = math.prod(a.shape[:-1])
        a, g = reshape(a, shape=(rows, a.shape[-1])), reshape(g, shape=(rows, g.shape[-1]))
    return matmul(transpose(a, -1, -2), g)


matmul.grad(_d_input, _d_other)


def one_dtype(function: str, **tensors) -> None:
    """Raise TypeError unless all have one dtype, and one that numbers can be multiplied in."""
    kinds = {x.dtype for x in tensors.values()}
    if len(kinds) > 1:
        raise TypeError(explain(function, "dtypes differ", tensors, "convert one with x.to(...)"))
    if any(str(kind).endswith("bool") for kind in kinds):
        raise TypeError(explain(function, "not for truth values", tensors))


# ---------------------------------------------------------------- special cases


def _need(function: str, ndims: tuple[int, ...], **tensors) -> None:
    """Raise ShapeError unless the tensors have these numbers of dimensions."""
    if tuple(x.ndim for x in tensors.values()) != ndims:
        wanted = " and ".join(map(str, ndims))
        raise ShapeError(explain(function, f"needs {wanted} dimensions", tensors, "try matmul"))


def _need_sizes(function: str, good: bool, **tensors) -> None:
    if not good:
        raise ShapeError(explain(function, "sizes do not fit", tensors))


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the product of two matrices, (N, K) and (K, M)."""
    _need("mm", (2, 2), input=input, mat2=mat2)
    return matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the products of two lists of matrices, (B, N, K) and (B, K, M)."""
    _need("bmm", (3, 3), input=input, mat2=mat2)
    _need_sizes("bmm", input.shape[0] == mat2.shape[0], input=input, mat2=mat2)
    return matmul(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """Return the product of a matrix (N, K) and a vector (K,)."""
    _need("mv", (2, 1), input=input, vec=vec)
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Return the inner product of two vectors of one length."""
    _need("dot", (1, 1), input=input, tensor=tensor)
    return matmul(input, tensor)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Return the products of all rows (last dimensions) of both: (..., K), (..., K)."""
    need_tensors("inner", input=input, other=other)
    if not (input.ndim and other.ndim):
        return input * other
    _need_sizes("inner", input.shape[-1] == other.shape[-1], input=input, other=other)
    return tensordot(input, other, ([-1], [-1]))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Return every product of an element of one vector with one of another: (N,), (M,) -> (N, M).

    >>> outer(Tensor([1.0, 2.0]), Tensor([1.0, 10.0]))
    tensor([[ 1., 10.],
            [ 2., 20.]])
    """
    _need("outer", (1, 1), input=input, vec2=vec2)
    return unsqueeze(input, 1) * vec2


ger = outer


def tensordot(a: Tensor, b: Tensor, dims=2) -> Tensor:
    """Sum products over pairs of dimensions: the last `dims` of `a` with the first of `b`, or
    the two lists of dimensions in `dims`."""
    dims = dims.tolist() if isinstance(dims, Tensor) else dims
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise ShapeError(explain("tensordot", "too many dims", {"a": a, "b": b, "dims": dims}))
        dims = range(a.ndim - dims, a.ndim), range(dims)
    left, right = (wrap_all("tensordot", x, tuple(ds)) for x, ds in zip((a, b), dims, strict=True))
    _need_sizes("tensordot", len(left) == len(right), a=a, b=b)
    for i, j in zip(left, right, strict=True):  # a size of 1 broadcasts: the other can be summed
        a = a.sum(i, True) if b.shape[j] == 1 != a.shape[i] else a
        b = b.sum(j, True) if a.shape[i] == 1 != b.shape[j] else b
    sizes = [[x.shape[d] for d in ds] for x, ds in ((a, left), (b, right))]
    _need_sizes("tensordot", sizes[0] == sizes[1], a=a, b=b)
    rows = [d for d in range(a.ndim) if d not in left]
    columns = [d for d in range(b.ndim) if d not in right]
    return product(a, b, (), (rows, left), (right, columns))


def product(a: Tensor, b: Tensor, batch, left, right) -> Tensor:
    """Multiply as matrices: `a` read as (batch, rows, sum) and `b` as (batch, sum, columns).

    batch: the dimensions they share, as pairs (dimension of a, of b); left, right: (rows, sum) and
    (sum, columns), lists of dimensions. Returns (*batch, *rows, *columns).
    """
    shared = [list(dims) for dims in zip(*batch, strict=True)] or [[], []]
    x = _as_matrices(a, shared[0], *left)
    y = _as_matrices(b, shared[1], *right)
    sizes = [a.shape[d] for d in (*shared[0], *left[0])] + [b.shape[d] for d in right[1]]
    return reshape(matmul(x, y), shape=tuple(sizes))


def _as_matrices(x, batch, rows, columns):
    """See a tensor as a list of matrices: three groups of dimensions, each joined to one."""
    shape = tuple(math.prod(x.shape[d] for d in group) for group in (batch, rows, columns))
    return reshape(permute(x, dims=(*batch, *rows, *columns)), shape=shape)


# ---------------------------------------------------------------- products added to something


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta=1, alpha=1) -> Tensor:
    """Return `beta * input + alpha * (mat1 @ mat2)`; with beta = 0 the input is not looked at."""
    _need("addmm", (2, 2), mat1=mat1, mat2=mat2)
    return _plus("addmm", input, mm(mat1, mat2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta=1, alpha=1) -> Tensor:
    """Return `beta * input + alpha * (mat @ vec)`; with beta = 0 the input is not looked at."""
    _need("addmv", (2, 1), mat=mat, vec=vec)
    return _plus("addmv", input, mv(mat, vec), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta=1, alpha=1) -> Tensor:
    """Return `beta * input + alpha * (batch1 @ batch2)` for lists of matrices."""
    _need("baddbmm", (3, 3), batch1=batch1, batch2=batch2)
    return _plus("baddbmm", input, bmm(batch1, batch2), beta, alpha)


def _plus(function, x, product, beta, alpha):
    need_tensors(function, input=x)
    fits = x.ndim <= product.ndim and all(
        m in (1, n) for m, n in zip(x.shape[::-1], product.shape[::-1], strict=False))
    if not fits:
        raise ShapeError(explain(function, "input does not broadcast to the product",
                                 {"input": x, "product": product}))
    one_dtype(function, input=x, product=product)
    product = product if alpha == 1 else product * alpha
    return product if beta == 0 else product + (x if beta == 1 else x * beta)

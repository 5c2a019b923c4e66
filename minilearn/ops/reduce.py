"""Sums and maxima over dimensions, each beside the op that spreads a gradient back.

`dim` is one dimension, several, or None for all of them; with `keepdim` they stay, with size 1.
"""

from __future__ import annotations

from .. import xp
from ..errors import DimError, explain
from ..op import Op, no_grad
from ..tensor import Tensor
from .dims import integers, need_bool, reduced
from .elementwise import like, where


def spread(g: Tensor, x: Tensor, dim, keepdim: bool) -> Tensor:
    """Stretch a reduced gradient over the shape it was reduced from."""
    if not keepdim:
        gone = reduced("sum", x.data, dim)
        g = g.reshape(tuple(1 if i in gone else n for i, n in enumerate(x.data.shape)))
    return broadcast_to(g, size=tuple(x.data.shape))


@Op
def sum(input, *, dim=None, keepdim=False, dtype=None):
    """Return the sum over the dimensions `dim` (all of them by default).

    Integers and truth values add up to int64; `dtype` converts before adding.

    >>> sum(Tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    need_bool("sum", keepdim=keepdim)
    if dtype is None and not xp.is_floating(input):
        dtype = "int64"
    kind, dims = xp.dtype(dtype or input.dtype), reduced("sum", input, dim)
    input = input if dtype is None else xp.astype(input, kind)
    if kind == xp.bool:
        return xp.any(input, axis=dims, keepdims=keepdim)
    with xp.quiet():
        return xp.sum(input, axis=dims, keepdims=keepdim, dtype=kind)


sum.grad(lambda g, y, x, dim, keepdim, dtype: spread(g, x, dim, keepdim))


@Op
def broadcast_to(input, *, size):
    """Return the tensor stretched to `size`: dimensions of size 1 are repeated, without a copy.

    -1 keeps the size of a dimension.
    """
    size = integers("broadcast_to", "size", size)
    kept = (None,) * (len(size) - input.ndim) + tuple(input.shape)
    full = (k if n == -1 and k is not None else n for n, k in zip(size, kept, strict=False))
    return xp.broadcast_to(input, tuple(full))


broadcast_to.grad(lambda g, y, x, size: g)  # the engine adds the copies up


# ---------------------------------------------------------------- the largest


@Op
def amax(input, *, dim=(), keepdim=False):
    """Return the largest element over the dimensions `dim`; equal ones share the gradient.

    Raises DimError where there is no element.
    """
    return _extreme(xp.max, input, _occupied("amax", input, dim, keepdim), keepdim)


@Op
def amin(input, *, dim=(), keepdim=False):
    """Return the smallest element over the dimensions `dim`; equal ones share the gradient."""
    return _extreme(xp.min, input, _occupied("amin", input, dim, keepdim), keepdim)


def comparable(x):
    """Return truth values as 0 and 1, which have an order in every array library."""
    return xp.astype(x, xp.uint8) if x.dtype == xp.bool else x


def _extreme(find, x, dims, keepdim):
    return xp.astype(find(comparable(x), axis=dims, keepdims=keepdim), x.dtype, copy=False)


def _occupied(function, x, dim, keepdim):
    need_bool(function, keepdim=keepdim)
    dims = reduced(function, x, dim)
    if 0 in [x.shape[d] for d in dims]:
        raise DimError(explain(function, "there is nothing along a dimension",
                               {"input": x, "dim": dim}))
    return dims


def _share(g, y, x, dim, keepdim):
    chosen = like(x, x.data == spread(y, x, dim, keepdim).data)
    return spread(g, x, dim, keepdim) * (chosen / sum(chosen, dim=dim, keepdim=True))


amax.grad(_share)
amin.grad(_share)


@Op
def logsumexp(input, *, dim, keepdim=False):
    """Return `log(sum(exp(input)))` over the dimensions `dim`, without overflow.

    >>> logsumexp(Tensor([100.0, 100.0]), dim=0)
    tensor(100.6931)
    """
    need_bool("logsumexp", keepdim=keepdim)
    something = input.shape and 0 not in input.shape  # else torch takes dim=()
    if dim is None or something and not keepdim and isinstance(dim, tuple | list) and not dim:
        raise TypeError(explain("logsumexp", "name the dimensions", {"input": input, "dim": dim}))
    input, dims = xp.floating(input), reduced("logsumexp", input, dim)
    with xp.quiet():
        peak = _finite_peak(input, dims)
        total = xp.log(xp.sum(xp.exp(input - peak), axis=dims, keepdims=True)) + peak
    return total if keepdim else xp.squeeze(total, axis=dims)


def _finite_peak(x, dims):
    if 0 in x.shape:
        return xp.zeros((), x.dtype)
    peak = xp.max(x, axis=dims, keepdims=True)
    return xp.where(xp.isfinite(peak), peak, xp.zeros_like(peak))


def _softmax_times(g, y, x, dim, keepdim):
    below = x - spread(y, x, dim, keepdim)
    # Infinitely far below (or -inf below -inf) nothing flows, where exp would give 0 or nan.
    lost = Tensor(x.data == -float("inf"))
    return spread(g, x, dim, keepdim) * where(lost, 0.0, below.exp())


logsumexp.grad(_softmax_times)


# ---------------------------------------------------------------- counting


@no_grad()
@Op
def any(input, *, dim=None, keepdim=False):
    """Say whether any element over the dimensions `dim` is nonzero."""
    return _truth("any", xp.any, input, dim, keepdim)


@no_grad()
@Op
def all(input, *, dim=None, keepdim=False):
    """Say whether all elements over the dimensions `dim` are nonzero."""
    return _truth("all", xp.all, input, dim, keepdim)


def _truth(function, test, input, dim, keepdim):
    need_bool(function, keepdim=keepdim)
    nothing = isinstance(dim, tuple | list) and not dim  # here () really means: none
    axis = () if nothing else reduced(function, input, dim)
    found = test(xp.astype(input, xp.bool), axis=axis, keepdims=keepdim)
    return xp.astype(found, input.dtype) if input.dtype == xp.uint8 else found


@no_grad()
@Op
def count_nonzero(input, *, dim=None):
    """Return the number of elements that are not 0, over the dimensions `dim`."""
    axis = reduced("count_nonzero", input, dim)
    return xp.sum(xp.astype(xp.astype(input, xp.bool), xp.int64), axis=axis)

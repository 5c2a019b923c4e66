"""Sums and maxima over dimensions, each beside the op that spreads a gradient back."""

from __future__ import annotations

from .. import xp
from ..tensor import Op, Tensor
from .elementwise import like


def spread(g: Tensor, x: Tensor, dim, keepdim: bool) -> Tensor:
    """Stretch a reduced gradient over the shape it was reduced from."""
    if not keepdim:
        dims = range(x.data.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
        kept = {d % max(x.data.ndim, 1) for d in dims}
        g = g.reshape(tuple(1 if i in kept else n for i, n in enumerate(x.data.shape)))
    return broadcast_to(g, shape=tuple(x.data.shape))


@Op
def sum(input, *, dim=None, keepdim=False):
    """Return the sum over the dimensions `dim` (all of them by default)."""
    return xp.sum(input, axis=dim, keepdims=keepdim)


sum.grad(lambda g, y, x, dim, keepdim: spread(g, x, dim, keepdim))


@Op
def broadcast_to(input, *, shape):
    """Return the tensor stretched to `shape`: dimensions of size 1 are repeated, without a copy."""
    return xp.broadcast_to(input, shape)


broadcast_to.grad(lambda g, y, x, shape: g)  # the engine adds the copies up


@Op
def amax(input, *, dim=None, keepdim=False):
    """Return the largest element over the dimensions `dim`; equal ones share the gradient."""
    return xp.max(input, axis=dim, keepdims=keepdim)


def _share(g, y, x, dim, keepdim):
    chosen = like(x, x.data == spread(y, x, dim, keepdim).data)
    count = chosen.sum(dim, True) if dim is not None else chosen.sum()
    return spread(g, x, dim, keepdim) * (chosen / count)


amax.grad(_share)

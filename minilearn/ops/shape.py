"""The same numbers in another arrangement: each op's gradient is the arrangement undone."""

from __future__ import annotations

from .. import xp
from ..tensor import Op


@Op
def reshape(input, *, shape):
    """Return the same elements in the order of memory with another shape; one size may be -1."""
    return xp.reshape(input, tuple(shape))


reshape.grad(lambda g, y, x, shape: g.reshape(tuple(x.data.shape)))


@Op
def permute(input, *, dims):
    """Return a view with the dimensions in another order."""
    return xp.permute_dims(input, tuple(dims))


def _undo(dims):
    back = [0] * len(dims)
    for i, d in enumerate(dims):
        back[d] = i
    return tuple(back)


permute.grad(lambda g, y, x, dims: g.permute(_undo(dims)))

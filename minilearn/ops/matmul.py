"""Matrix products."""

from __future__ import annotations

from .. import xp
from ..tensor import Op


@Op
def matmul(input, other):
    """Return the matrix product over the last two dimensions; leading ones broadcast."""
    return xp.matmul(input, other)


matmul.grad(lambda g, y, a, b: g @ b.mT, lambda g, y, a, b: a.mT @ g)

"""Taking places along one dimension by a fixed list: what resizing is made of.

`index_select` does the same for a tensor of places, and its gradient must look where they meet.
Here the list is known, so the gradient is a few selections again: one for all the first uses of
each place, one for all the second uses, ...
"""

from __future__ import annotations

import operator
from functools import reduce

from .. import xp
from ..arrays import constant
from ..op import Op


@Op
def pick(input, *, dim, places):
    """Return the listed places along `dim`; the place after the last one holds zeros."""
    if input.shape[dim] in places:
        input = xp.pad_along(input, dim, 0, 1, 0)
    return xp.take(input, constant(places, "int64"), axis=dim)


@Op
def unpick(input, *, dim, places, size):
    """Add everything up where it was picked, in a dimension of `size` places: undoes `pick`."""
    uses = [[] for _ in range(size + 1)]
    for use, place in enumerate(places):
        uses[place].append(use)
    uses, zeros = uses[:size], len(places)
    rounds = max(map(len, uses), default=0)
    tables = [tuple(u[r] if r < len(u) else zeros for u in uses) for r in range(max(rounds, 1))]
    return reduce(operator.add, (pick.forward(input, dim=dim, places=table) for table in tables))


pick.grad(lambda g, y, x, dim, places: unpick(g, dim=dim, places=places, size=x.shape[dim]))
unpick.grad(lambda g, y, x, dim, places, size: pick(g, dim=dim, places=places))

"""Sums over all the processes that train together: the sum of a tensor here and its twins there."""

from __future__ import annotations

from .. import processes
from ..op import Op


@Op
def joined_sum(input):
    """Return the sum of the tensors, of equal shape, that all processes give, in all of them.

    For a process alone it is the tensor itself. See `minilearn.processes`.
    """
    return processes.add_up(input)


# The loss is the sum of all processes' losses, and each of them depends on the sum: so the gradient
# of what one process gave is the sum of all their gradients. The op is its own adjoint.
joined_sum.grad(lambda g, y, input: joined_sum(g))

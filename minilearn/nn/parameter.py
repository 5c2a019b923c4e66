"""A tensor that a module learns."""

from __future__ import annotations

from typing import Any

from .. import xp
from ..tensor import Tensor


class Parameter(Tensor):
    """A tensor that is learnt: assigned to a module, it becomes one of its `parameters()`.

    data: a tensor or array, taken over without a copy. Raises RuntimeError for integers that
    should require a gradient.
    """

    __slots__ = ()

    def __init__(self, data: Any = None, requires_grad: bool = True):
        data = xp.empty((0,)) if data is None else data
        array = data.data if isinstance(data, Tensor) else data
        super().__init__(array, requires_grad=requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def empty(*shape: int, dtype: Any = None) -> Parameter:
    """Return a parameter whose values are still to be set, float32 unless told otherwise."""
    return Parameter(xp.empty(shape, dtype or "float32"))

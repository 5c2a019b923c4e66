"""Making tensors: from numbers, from arrays, from chance. Names and arguments are torch's."""

from __future__ import annotations

from typing import Any

from . import xp
from .tensor import Tensor, to_array


def tensor(data: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Copy numbers, nested lists or an array into a new tensor.

    Python floats become float32 and ints int64; arrays keep their dtype.

    >>> tensor([1, 2.5])
    tensor([1. , 2.5])
    """
    made = Tensor(to_array(data, dtype))
    return made.requires_grad_() if requires_grad else made

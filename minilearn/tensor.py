"""A Tensor is an array that remembers how it was made.

`op.py` makes the memory, one Node for each call of an op; `autograd.py` walks it backwards.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import xp
from .arrays import printed, to_array
from .errors import explain

_age = itertools.count(1)


class Node:
    """One call of an op: which op, on which inputs, with what result. A leaf has no op."""

    op: Any = None
    inputs: tuple[Tensor, ...] = ()
    age = 0  # a node is younger than all it was made from
    grad: Tensor | None = None
    keeps_grad = False  # whether a backward pass leaves the gradient in `grad`
    hooks: tuple[Callable, ...] = ()

    def __init__(self, op: Any, inputs: tuple[Tensor, ...], params: dict, y: Any):
        self.op, self.inputs, self.params, self.y = op, inputs, params, y
        self.age = next(_age)


class Leaf(Node):
    """Stands for a tensor that the user wants the gradient of."""

    keeps_grad = True

    def __init__(self) -> None:
        pass


class Tensor:
    """An array that remembers how it was made.

    `data` is the array, `node` the record of its making: None for a constant.

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("data", "node")
    data: Any
    node: Node | None
    __array_priority__ = 1000  # so that numpy_array * tensor is left to the tensor

    if TYPE_CHECKING:  # operators and methods are attached from above, by `methods.py`

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __add__(self, other: Any) -> Tensor: ...

        __sub__ = __mul__ = __truediv__ = __pow__ = __matmul__ = __add__
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __add__
        __lt__ = __le__ = __gt__ = __ge__ = __and__ = __or__ = __add__

    def __init__(self, data: Any, node: Node | None = None, *, requires_grad: bool = False):
        self.data = data if isinstance(data, xp.ARRAY) else to_array(data)
        self.node = node
        if requires_grad:
            self.requires_grad = True

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow into this tensor; set it on tensors that were not computed."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if not self.is_leaf:
            raise RuntimeError("requires_grad: this tensor was computed; use x.detach()")
        if not wanted:
            self.node = None
        elif not xp.is_floating(self.data):
            raise RuntimeError(f"requires_grad: only floating-point tensors, this is {self.dtype}")
        elif self.node is None:
            self.node = Leaf()

    @property
    def is_leaf(self) -> bool:
        """Whether the user made this tensor, rather than an op."""
        return self.node is None or self.node.op is None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` has accumulated here, or None."""
        return self.node.grad if self.node is not None else None

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if self.node is None and value is not None:
            raise RuntimeError("grad: this tensor does not require a gradient")
        if value is not None and (value.shape, value.dtype) != (self.shape, self.dtype):
            raise ValueError(explain("grad", "its shape and dtype must be the tensor's",
                                     {"tensor": self, "grad": value}))
        if self.node is not None:
            self.node.grad = value

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each dimension."""
        return tuple(self.data.shape)

    @property
    def dtype(self) -> Any:
        """The kind of number, as a NumPy dtype on every array library."""
        return xp.host_dtype(self.data)

    def numel(self) -> int:
        """Return the number of elements."""
        return math.prod(self.data.shape)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.data.ndim

    def detach(self) -> Tensor:
        """Return the same array without its history."""
        return Tensor(self.data)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` and return the tensor itself. Raises TypeError for no bool."""
        if not isinstance(requires_grad, bool):
            raise TypeError(f"requires_grad_: expected True or False, got {requires_grad!r}")
        if self.is_leaf or not requires_grad:  # what was computed requires it already
            self.requires_grad = requires_grad
        return self

    def numpy(self) -> Any:
        """Return the values as a NumPy array (sharing memory where the library allows it)."""
        if self.node is not None:
            raise RuntimeError("numpy: this tensor requires a gradient; use x.detach().numpy()")
        return xp.to_numpy(self.data)

    def tolist(self) -> Any:
        """Return the values as a Python number or nested lists."""
        return xp.to_numpy(self.data).tolist()

    def item(self) -> float | int | bool:
        """Return the one element as a Python number."""
        if self.numel() != 1:
            raise RuntimeError(f"item: only for one element, this tensor has shape {self.shape}")
        return xp.to_numpy(self.data).reshape(()).item()

    def __repr__(self) -> str:
        track = "" if self.node is None else f", grad_fn={self.node.op.__name__}" if self.node.op \
            else ", requires_grad=True"
        return f"tensor({printed(self.data, 'tensor(')}{track})"

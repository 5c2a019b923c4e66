"""A Tensor is an array that remembers how it was made; `autograd.py` walks that memory backwards.

Three things, from the bottom up:

* an `Op` is a function on arrays with, for each input, a *rule*: the gradient of the loss with
  respect to that input, given the gradient `g` with respect to the output. A rule is written in ops
  itself, so it can be differentiated again;
* a `Node` records one call of an op: which op, on which inputs, with what result;
* a `Tensor` is an array and the node that made it (None for a constant).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from contextlib import ContextDecorator
from functools import update_wrapper
from types import MethodType
from typing import TYPE_CHECKING, Any

from . import xp
from .arrays import printed, promoted, to_array, torch_names
from .errors import explain

OPS: dict[str, Op] = {}  # every primitive by name; the modules of `ops/` fill it
NUMBERS = (bool, int, float)
NO_PARAMS: dict[str, Any] = {}
CAUGHT = (ValueError, IndexError, TypeError, RuntimeError, OverflowError)
_age = itertools.count(1)
_recording = True


class Node:
    """One call of an op: which op, on which inputs, with what result. A leaf has no op."""

    op: Op | None = None
    inputs: tuple[Tensor, ...] = ()
    age = 0  # a node is younger than all it was made from
    grad: Tensor | None = None
    keeps_grad = False  # whether a backward pass leaves the gradient in `grad`
    hooks: tuple[Callable, ...] = ()

    def __init__(self, op: Op, inputs: tuple[Tensor, ...], params: dict, y: Any):
        self.op, self.inputs, self.params, self.y = op, inputs, params, y
        self.age = next(_age)


class Leaf(Node):
    """Stands for a tensor that the user wants the gradient of."""

    keeps_grad = True

    def __init__(self) -> None:
        pass


class Op:
    """A function on arrays and the rules for its gradients; calling it takes and returns Tensors.

    Positional parameters of the array function are tensors, everything else is keyword-only in it;
    callers may still use torch's order.
    """

    def __init__(self, forward: Callable):
        update_wrapper(self, forward)
        self.forward = forward
        code = forward.__code__
        self.arity = code.co_argcount
        self.variadic = bool(code.co_flags & 0x04)  # def f(*inputs, ...)
        self.names = code.co_varnames[: self.arity]
        self.options = code.co_varnames[self.arity : self.arity + code.co_kwonlyargcount]
        self.defaults = forward.__kwdefaults__ or {}
        self.rules: tuple[Callable, ...] = ()
        self.joint: Callable | None = None  # one rule for all inputs at once
        self.composite: Callable | None = None
        OPS[forward.__name__] = self

    def grad(self, *rules: Callable) -> None:
        """Set one `rule(g, y, *inputs, **params) -> Tensor` per input; a variadic op has one rule
        that also takes `i`, the position of the input."""
        self.rules = rules

    def fused(self, joint: Callable, composite: Callable | None = None) -> None:
        """Set a faster rule for a first derivative, for all inputs at once and on plain arrays:
        `joint(g, y, *inputs, needs, **params) -> arrays`, where `needs` tells which are wanted.

        Higher derivatives go through `composite`, the same function in smaller steps, or through
        the ordinary rules.
        """
        self.joint, self.composite = joint, composite

    def __call__(self, *inputs: Any, **params: Any) -> Tensor:
        if "axis" in params or "keepdims" in params:
            params = torch_names(self.__name__, params)
        for x in inputs:
            if not isinstance(x, Tensor):
                inputs, params = self._bind(inputs, params)
                break
        else:
            if len(inputs) != self.arity and not self.variadic:
                inputs, params = self._bind(inputs, params)
        try:
            y = self.forward(*[x.data for x in inputs], **params)
        except CAUGHT as error:
            raise self._explained(error, inputs, params) from error
        if _recording:
            for x in inputs:
                if x.node is not None:
                    return Tensor(y, Node(self, inputs, self.defaults | params, y))
        return Tensor(y)

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else MethodType(self, instance)  # x.exp() is exp(x)

    def _bind(self, inputs: tuple, params: dict) -> tuple[tuple, dict]:
        """Sort arguments into tensors and options: torch lets both come by position or by name."""
        if not self.variadic:
            extra, inputs = inputs[self.arity :], inputs[: self.arity]
            missing = [n for n in self.names[len(inputs) :] if n in params]
            inputs += tuple(params[n] for n in missing)
            params = {k: v for k, v in params.items() if k not in missing}
            if len(self.options) == 1 and len(extra) > 1:
                extra = (extra,)  # x.permute(0, 2, 1) is x.permute((0, 2, 1))
            given = dict(zip(self.options, extra, strict=False))
            if len(inputs) < self.arity or len(extra) > len(self.options) or given.keys() & params:
                wanted = ", ".join((*self.names, *self.options))
                raise TypeError(f"{self.__name__}: takes ({wanted}); got {len(inputs)} tensors, "
                                f"{len(extra)} further arguments and {sorted(params)} by name")
            params = given | params
        return as_tensors(self.__name__, inputs), params

    def _explained(self, error: Exception, inputs: tuple, params: dict) -> Exception:
        """Say which function failed on which arguments, unless the op has said so itself."""
        if str(error).startswith(f"{self.__name__}:"):
            return error
        names = self.names or [f"tensors[{i}]" for i in range(len(inputs))]
        arguments = dict(zip(names, inputs, strict=False)) | params
        kind = type(error) if type(error).__module__ == "builtins" else ValueError
        return kind(explain(self.__name__, str(error), arguments))


class BinaryOp(Op):
    """An op of two tensors, element by element: mixed dtypes are promoted first.

    `Op.__call__` would do, with that added; written out for two inputs it takes half the time.
    """

    promote = staticmethod(promoted)

    def __call__(self, input: Any = None, other: Any = None, **named: Any) -> Tensor:
        if named:
            input, other = self._named(input, other, named)
        if not (isinstance(input, Tensor) and isinstance(other, Tensor)):
            input, other = _pair(self.__name__, input, other)
        a, b = input.data, other.data
        if a.dtype != b.dtype:
            a, b = self.promote(a, b)
        try:
            y = self.forward(a, b)
        except CAUGHT as error:
            raise self._explained(error, (input, other), {}) from error
        if _recording and (input.node is not None or other.node is not None):
            return Tensor(y, Node(self, (input, other), NO_PARAMS, y))
        return Tensor(y)

    def _named(self, input: Any, other: Any, named: dict) -> tuple:
        """Take inputs that come by name: `pow(x, exponent=2)`."""
        given = tuple(x for x in (input, other) if x is not None)
        inputs, unknown = self._bind(given, named)
        if unknown:
            raise TypeError(f"{self.__name__}: takes {', '.join(self.names)}, not {[*unknown]}")
        return inputs


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
        """Set `requires_grad` and return the tensor itself."""
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


def as_tensors(function: str, inputs: Iterable[Any]) -> tuple[Tensor, ...]:
    """Turn numbers and arrays among the inputs into constant tensors.

    A number takes the dtype of the first tensor it meets, so that it never widens a float32.
    """
    inputs = tuple(inputs)
    like = next((x for x in inputs if isinstance(x, Tensor)), None)
    return tuple(x if isinstance(x, Tensor) else _constant(function, x, like) for x in inputs)


def _pair(function: str, input: Any, other: Any) -> tuple[Tensor, ...]:
    """Do what `as_tensors` does, for two inputs of which one is a Tensor: `x * 2`."""
    if isinstance(input, Tensor):
        return input, _constant(function, other, input)
    if isinstance(other, Tensor):
        return _constant(function, input, other), other
    return as_tensors(function, (input, other))


def _constant(function: str, x: Any, like: Tensor | None) -> Tensor:
    if isinstance(x, xp.HOST_SCALAR):
        x = x.item()
    if isinstance(x, NUMBERS) and like is not None:
        kind = like.data.dtype
        if isinstance(x, float) and not xp.is_floating(like.data):
            kind = "float32"
        elif kind == xp.bool and not isinstance(x, bool):
            kind = "int64"
        return Tensor(xp.scalar(x, kind))
    if like is not None and isinstance(x, xp.ARRAY):
        return Tensor(x)
    raise TypeError(f"{function}: expected Tensors, got {type(x).__name__}; "
                    "make one with minilearn.tensor(...)")


# ---------------------------------------------------------------- recording or not


class _Recording(ContextDecorator):
    """Switch recording on or off, for a block or a decorated function."""

    mode: bool

    def __new__(cls, function: Callable | None = None) -> Any:
        made = super().__new__(cls)
        return made if function is None else cls()(function)  # @no_grad, without brackets

    def __init__(self, function: Callable | None = None):
        self.before: list[bool] = []

    def __enter__(self) -> None:
        global _recording
        self.before.append(_recording)
        _recording = self.mode

    def __exit__(self, *exc: object) -> None:
        global _recording
        _recording = self.before.pop()


class no_grad(_Recording):
    """Stop recording: for evaluation, and wherever no gradient will be asked for.

    >>> x = Tensor([1.0], requires_grad=True)
    >>> with no_grad():
    ...     (x * 2).requires_grad
    False
    """

    mode = False


class enable_grad(_Recording):
    """Record again, inside a `no_grad` block."""

    mode = True


class set_grad_enabled:
    """Switch recording on or off from now on, or for a `with` block or a decorated function."""

    def __init__(self, mode: bool):
        global _recording
        self.mode, self.before = bool(mode), _recording
        _recording = self.mode

    def __enter__(self) -> None:
        global _recording
        _recording = self.mode

    def __exit__(self, *exc: object) -> None:
        global _recording
        _recording = self.before

    def __call__(self, function: Callable) -> Callable:
        self.__exit__()  # not now, but whenever the function is called
        return (enable_grad() if self.mode else no_grad())(function)


def is_grad_enabled() -> bool:
    """Say whether ops are being recorded."""
    return _recording

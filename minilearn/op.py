"""Ops: functions on arrays that record their calls and know their gradients.

An `Op` has, for each input, a *rule*: the gradient of the loss with respect to that input, given
the gradient `g` with respect to the output. A rule is written in ops itself, so it can be
differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ContextDecorator
from functools import update_wrapper
from types import MethodType
from typing import Any

from . import xp
from .arrays import promoted, torch_names
from .errors import explain
from .tensor import Node, Tensor

OPS: dict[str, Op] = {}  # every primitive by name; the modules of `ops/` fill it
NUMBERS = (bool, int, float)
NO_PARAMS: dict[str, Any] = {}
BY_NAME = ("dtype", "decimals", "stable")  # options that torch takes by name alone
CAUGHT = (ValueError, IndexError, TypeError, RuntimeError, OverflowError)
_recording = True


class Op:
    """A function on arrays and the rules for its gradients; calling it takes and returns Tensors.

    Positional parameters of the array function are tensors, everything else is keyword-only in it;
    callers may still use torch's order.
    """

    def __init__(self, forward: Callable, listed: bool = True):
        update_wrapper(self, forward)
        self.forward = forward
        code = forward.__code__
        self.arity = code.co_argcount
        self.variadic = bool(code.co_flags & 0x04)  # def f(*inputs, ...)
        self.names = code.co_varnames[: self.arity]
        self.options = code.co_varnames[self.arity : self.arity + code.co_kwonlyargcount]
        self.defaults = forward.__kwdefaults__ or {}
        self.in_order = tuple(name for name in self.options if name not in BY_NAME)
        self.rules: tuple[Callable, ...] = ()
        self.joint: Callable | None = None  # one rule for all inputs at once
        self.composite: Callable | None = None
        self.arithmetic = False  # whether the rules hold for plain arrays too
        if listed:
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
        params = torch_names(self.__name__, params)
        if not self.variadic:
            extra, inputs = inputs[self.arity :], inputs[: self.arity]
            missing = [n for n in self.names[len(inputs) :] if n in params]
            inputs += tuple(params[n] for n in missing)
            params = {k: v for k, v in params.items() if k not in missing}
            given = dict(zip(self.in_order, extra, strict=False))
            if len(inputs) < self.arity or len(extra) > len(self.in_order) or given.keys() & params:
                wanted = ", ".join((*self.names, *self.options))
                raise TypeError(f"{self.__name__}: takes ({wanted}); got {len(inputs)} tensors, "
                                f"{len(extra)} further arguments and {sorted(params)} by name")
            params = given | params
        return self._tensors(inputs), params

    def _tensors(self, inputs: tuple) -> tuple[Tensor, ...]:
        return as_tensors(self.__name__, inputs)

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

    of_numbers = False  # whether both inputs may be numbers: add(2, 3) is tensor(5)

    promote = staticmethod(promoted)

    def grad(self, *rules: Callable, arithmetic: bool = False) -> None:
        """Set the two rules. `arithmetic` ones are made of + - * / alone, and then hold for arrays
        as they are: a first derivative calls them so, in half the time."""
        self.rules, self.arithmetic = rules, arithmetic

    def __call__(self, input: Any = None, other: Any = None, **named: Any) -> Tensor:
        if named:
            input, other = self._named(input, other, named)
        if not (isinstance(input, Tensor) and isinstance(other, Tensor)):
            input, other = self.pair(input, other)
        a, b = input.data, other.data
        if a.dtype is not b.dtype:
            a, b = self.promote(a, b)
        try:
            y = self.forward(a, b)
        except CAUGHT as error:
            raise self._explained(error, (input, other), {}) from error
        if _recording and (input.node is not None or other.node is not None):
            return Tensor(y, Node(self, (input, other), NO_PARAMS, y))
        return Tensor(y)

    def pair(self, input: Any, other: Any) -> tuple[Tensor, ...]:
        """Do what `as_tensors` does, for two inputs of which one is a Tensor: `x * 2`."""
        if isinstance(input, Tensor):
            return input, _constant(self.__name__, other, input)
        if isinstance(other, Tensor):
            return _constant(self.__name__, input, other), other
        input, other = (x.item() if isinstance(x, xp.HOST_SCALAR) else x for x in (input, other))
        if self.of_numbers and isinstance(input, NUMBERS) and isinstance(other, NUMBERS):
            return Tensor(input), Tensor(other)
        return as_tensors(self.__name__, (input, other))

    def _tensors(self, inputs: tuple) -> tuple[Tensor, ...]:
        return inputs if all(isinstance(x, Tensor) for x in inputs) else self.pair(*inputs)

    def _named(self, input: Any, other: Any, named: dict) -> tuple:
        """Take inputs that come by name: `pow(x, exponent=2)`."""
        given = tuple(x for x in (input, other) if x is not None)
        inputs, unknown = self._bind(given, named)
        if unknown:
            raise TypeError(f"{self.__name__}: takes {', '.join(self.names)}, not {[*unknown]}")
        return inputs


class StrictOp(BinaryOp):
    """An op of two tensors that takes no numbers in their place, as torch has it."""

    strict: tuple[int, ...] = (0, 1)  # which of the inputs must be tensors

    def pair(self, input: Any, other: Any) -> tuple[Tensor, ...]:
        """Raise TypeError where a Tensor is missing."""
        for i in self.strict:
            if not isinstance((input, other)[i], Tensor):
                raise TypeError(explain(self.__name__, f"{self.names[i]} must be a Tensor",
                                        {"input": input, "other": other}))
        return super().pair(input, other)


def as_tensors(function: str, inputs: Iterable[Any]) -> tuple[Tensor, ...]:
    """Turn numbers among the inputs into constant tensors.

    A number takes the dtype of the first tensor it meets, so that it never widens a float32.
    """
    inputs = tuple(inputs)
    like = next((x for x in inputs if isinstance(x, Tensor)), None)
    return tuple(x if isinstance(x, Tensor) else _constant(function, x, like) for x in inputs)


def _constant(function: str, x: Any, like: Tensor | None) -> Tensor:
    if isinstance(x, xp.HOST_SCALAR):
        x = x.item()
    if isinstance(x, NUMBERS) and like is not None:
        if isinstance(x, int) and not -(2**63) <= x < 2**64:
            raise ValueError(f"{function}: {x} is too large for an integer; write it as a float")
        kind = like.data.dtype
        if isinstance(x, float) and not xp.is_floating(like.data):
            kind = "float32"
        elif kind == xp.bool and not isinstance(x, bool):
            kind = "int64"
        try:
            return Tensor(xp.scalar(x, kind))
        except (OverflowError, RuntimeError):  # it does not fit: cut when it meets the tensor
            return Tensor(xp.scalar(x, "int64"))
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

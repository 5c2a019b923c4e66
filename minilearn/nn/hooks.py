"""Callbacks around a module's call: before it, after it, and when the gradient comes back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from math import prod
from typing import Any

from ..ops import pieces
from ..ops.elementwise import alias
from ..tensor import Tensor

_ids = itertools.count()


class RemovableHandle:
    """Takes a hook away again, by `remove()` or at the end of a `with` block."""

    def __init__(self, hooks: dict):
        self.hooks, self.id = hooks, next(_ids)

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self.hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def register(hooks: dict, hook: Any, prepend: bool = False) -> RemovableHandle:
    """Store a hook behind the others, or before them, and return the handle that removes it."""
    handle = RemovableHandle(hooks)
    others = dict(hooks) if prepend else {}
    if prepend:
        hooks.clear()
    hooks[handle.id] = hook
    hooks.update(others)
    return handle


def call_with_hooks(module: Any, args: tuple, kwargs: dict) -> Any:
    """Call `module.forward` with every hook of the module around it."""
    args, kwargs = _before(module, args, kwargs)
    backward = None
    if module._backward_hooks or module._backward_pre_hooks:
        backward = BackwardHooks(module, len(args))
        args = backward.watch_inputs(args)
    output = module.forward(*args, **kwargs)
    for hook, with_kwargs in list(module._forward_hooks.values()):
        changed = hook(module, args, kwargs, output) if with_kwargs else hook(module, args, output)
        output = output if changed is None else changed
    return output if backward is None else backward.watch_outputs(output)


def _before(module: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Let the forward pre-hooks replace the arguments."""
    for hook, with_kwargs in list(module._forward_pre_hooks.values()):
        changed = hook(module, args, kwargs) if with_kwargs else hook(module, args)
        if changed is None:
            continue
        if not with_kwargs:
            args = changed if isinstance(changed, tuple) else (changed,)
        elif isinstance(changed, tuple) and len(changed) == 2:
            args, kwargs = changed
        else:
            raise RuntimeError("forward pre-hook: with_kwargs=True wants None or a tuple of new "
                               f"args and kwargs, got {type(changed).__name__}")
    return args, kwargs


class BackwardHooks:
    """One call of a module whose gradients are watched.

    The gradients of the outputs arrive first and are kept; when those of the inputs are complete,
    the hooks see both.
    """

    def __init__(self, module: Any, count: int):
        self.module, self.count = module, count
        self.grad_output: tuple | None = None
        self.inputs_watched = False

    def watch_inputs(self, args: tuple) -> tuple:
        """Return the arguments of the call, with an ear on their gradients."""
        watched = tap(args, self._inputs_arrived)
        self.inputs_watched = watched is not args
        return watched

    def watch_outputs(self, output: Any) -> Any:
        """Return the output of the call, with an ear on its gradients."""
        if isinstance(output, tuple):
            return tap(output, self._outputs_arrived)
        return tap((output,), self._outputs_arrived)[0]

    def _outputs_arrived(self, grads: tuple) -> tuple:
        for hook in list(self.module._backward_pre_hooks.values()):
            grads = _replaced(grads, hook(self.module, grads), "backward pre-hook")
        self.grad_output = grads
        if not self.inputs_watched:  # no input requires a gradient: there is nothing to wait for
            for hook in list(self.module._backward_hooks.values()):
                hook(self.module, (None,) * self.count, grads)
            self.grad_output = None
        return grads

    def _inputs_arrived(self, grads: tuple) -> tuple:
        if self.grad_output is None:
            return grads  # a second derivative can reach the inputs without passing the outputs
        for hook in list(self.module._backward_hooks.values()):
            changed = hook(self.module, grads, self.grad_output)
            grads = _replaced(grads, changed, "backward hook")
        self.grad_output = None
        return grads


def _replaced(grads: tuple, changed: Any, what: str) -> tuple:
    if changed is None:
        return grads
    changed = changed if isinstance(changed, tuple | list) else (changed,)
    if len(changed) != len(grads):
        raise RuntimeError(f"{what}: returned {len(changed)} gradients where {len(grads)} are due; "
                           "return one for each (None where there is none), or None")
    return tuple(changed)


def tap(values: tuple, hook: Callable[[tuple], tuple]) -> tuple:
    """Return the same values; `hook(gradients)` is called when those of all of them are known.

    A node has one result, so several tensors are led through one: joined end to end and cut again.
    """
    places = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
    if not places:
        return values
    shapes = [values[i].shape for i in places]
    joined = _join([values[i] for i in places])
    if joined.node is None:  # inside no_grad
        return values

    def arrived(g: Tensor) -> Tensor:
        parts = dict(zip(places, _cut(g, shapes), strict=True))
        new = hook(tuple(parts.get(i) for i in range(len(values))))
        return _join([parts[i] if new[i] is None else new[i] for i in places])

    joined.node.hooks += (arrived,)
    seen = dict(zip(places, _cut(joined, shapes), strict=True))
    return tuple(seen.get(i, v) for i, v in enumerate(values))


def _join(tensors: list[Tensor]) -> Tensor:
    if len(tensors) == 1:
        return alias(tensors[0])
    return pieces.cat([t.reshape((-1,)) for t in tensors])


def _cut(joined: Tensor, shapes: list[tuple[int, ...]]) -> list[Tensor]:
    if len(shapes) == 1:
        return [joined]
    ends = list(itertools.accumulate(map(prod, shapes)))
    return [joined[end - prod(size) : end].reshape(size)
            for end, size in zip(ends, shapes, strict=True)]

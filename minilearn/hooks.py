"""Looking at gradients on their way back, and changing them."""

from __future__ import annotations

from collections.abc import Callable
from weakref import ref

from .errors import explain
from .tensor import Node, Tensor


class Hook:
    """A function that sees a gradient on its way, and may replace it. `remove()` takes it away."""

    def __init__(self, node: Node, function: Callable):
        self.function = function
        self.node = ref(node)  # the node holds its hooks: a strong reference back were a cycle

    def __call__(self, g: Tensor) -> Tensor:
        new = self.function(g)
        if new is None:
            return g
        if not isinstance(new, Tensor):
            raise TypeError(f"register_hook: a hook must return a Tensor or None, "
                            f"got {type(new).__name__}")
        if new.shape != g.shape or new.dtype != g.dtype:
            raise RuntimeError(explain("register_hook", "a hook must keep the shape and dtype",
                                       {"gradient": g, "returned": new}))
        return new

    def remove(self) -> None:
        """Take the hook off its tensor."""
        node = self.node()
        if node is not None:
            node.hooks = tuple(hook for hook in node.hooks if hook is not self)

    def __enter__(self) -> Hook:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def register_hook(tensor: Tensor, hook: Callable[[Tensor], Tensor | None]) -> Hook:
    """Have `hook(gradient)` called whenever the gradient of this tensor is known.

    What it returns takes the gradient's place; None keeps it. Returns a handle: `handle.remove()`
    undoes it. Raises RuntimeError for a tensor that does not require a gradient.

    >>> x = Tensor([1.0], requires_grad=True)
    >>> handle = register_hook(x, lambda g: g * 10)
    >>> (x * 2).sum().backward(); x.grad
    tensor([20.])
    """
    if tensor.node is None:
        raise RuntimeError("register_hook: this tensor does not require a gradient")
    if not callable(hook):
        raise TypeError(f"register_hook: a hook is a function, got {type(hook).__name__}")
    made = Hook(tensor.node, hook)
    tensor.node.hooks = (*tensor.node.hooks, made)
    return made


def retain_grad(tensor: Tensor) -> None:
    """Have the gradient of a computed tensor kept in its `.grad`, as that of a leaf is."""
    if tensor.node is None:
        raise RuntimeError("retain_grad: this tensor does not require a gradient")
    tensor.node.keeps_grad = True

"""Module: a function with parameters, that can be saved, moved, switched, watched and printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .. import xp
from ..tensor import Tensor
from .hooks import RemovableHandle, call_with_hooks, register
from .state import IncompatibleKeys, load
from .tree import Tree, joined

HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")


class Module(Tree):
    """Base of every layer and model: subclass it, assign parameters and layers, write `forward`.

    >>> from minilearn import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.body = nn.Linear(3, 2)
    ...     def forward(self, x):
    ...         return self.body(x).relu()
    >>> [name for name, _ in Net().named_parameters()]
    ['body.weight', 'body.bias']
    """

    training: bool
    _may_be_missing: tuple[str, ...] = ()  # buffers that old checkpoints do not have

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__()
        if args or options:
            raise TypeError(f"{type(self).__name__}: takes no arguments, got {[*args, *options]}")
        hooks: dict[str, Any] = {name: {} for name in HOOKS}
        self.__dict__.update(hooks, training=True)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every subclass writes its own."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for name in HOOKS:
            if self.__dict__[name]:
                return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    # ------------------------------------------------------------ the whole tree

    def apply(self, fn: Callable[[Module], Any]) -> Module:
        """Call `fn` on every module, the innermost first, and return this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Module:
        """Switch dropout, batch norm and the like to training (or, with False, to evaluation)."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: training mode is expected to be boolean, got {mode!r}")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Module:
        """Switch to evaluation: the same as `train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Let every parameter be learnt, or freeze them all."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every parameter's gradient, or set it to zeros."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                parameter.grad = None if set_to_none else Tensor(xp.zeros_like(parameter.grad.data))

    def to(self, target: Any = None, *, dtype: Any = None) -> Module:
        """Cast the floating-point tensors to a dtype, or move all to the current array library.

        target: a floating dtype or its name, or the library that `minilearn.use` has chosen.
        """
        if isinstance(target, str) and target in xp.LIBRARIES:
            if target != xp.library():
                raise ValueError(f"to({target!r}): the current library is {xp.library()!r}; "
                                 f"call minilearn.use({target!r}) first")
            self._replace_arrays(lambda array: xp.array(xp.to_numpy(array)))
        elif target is not None and dtype is not None:
            raise TypeError(f"to: two dtypes, {target!r} and {dtype!r}")
        else:
            dtype = target if dtype is None else dtype
        if dtype is None:
            return self
        kind = xp.dtype(dtype)
        if not xp.isdtype(kind, "real floating"):
            raise TypeError(f"to: only floating-point dtypes, got {dtype!r}")
        return self._replace_arrays(lambda a: xp.astype(a, kind) if xp.is_floating(a) else a)

    def _replace_arrays(self, new: Callable[[Any], Any]) -> Module:
        """Give every parameter, gradient and buffer a new array."""
        for tensor in (*self.parameters(), *self.buffers()):
            gradient = tensor.grad
            tensor.data = new(tensor.data)
            if gradient is not None:
                gradient.data = new(gradient.data)
        return self

    def float(self) -> Module:
        """Cast the floating-point tensors to float32."""
        return self.to("float32")

    def double(self) -> Module:
        """Cast the floating-point tensors to float64."""
        return self.to("float64")

    # ------------------------------------------------------------ saving

    def state_dict(
        self, *, destination: dict | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Tensor]:
        """Return all parameters and persistent buffers by dotted name.

        keep_vars: return the tensors themselves instead of detached ones.
        """
        found = {} if destination is None else destination
        modules = self.named_modules(prefix=prefix.removesuffix("."), remove_duplicate=False)
        for path, module in modules:
            for name, tensor in {**module._parameters, **module._buffers}.items():
                if tensor is not None and name not in module._non_persistent:
                    found[joined(path, name)] = tensor if keep_vars else tensor.detach()
        return found

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> IncompatibleKeys:
        """Copy in what `state_dict` returned, here or in torch: tensors or arrays of any library.

        Returns the missing and the unexpected names. Raises RuntimeError that lists every one of
        them (if strict) and every shape that differs; then nothing has been loaded.
        """
        optional = set()
        if getattr(state_dict, "_metadata", None) is None:  # torch's own note about versions
            modules = self.named_modules(remove_duplicate=False)
            optional = {joined(path, name) for path, module in modules
                        for name in module._may_be_missing}
        own = self.state_dict(keep_vars=True)
        return load(type(self).__name__, own, state_dict, strict, optional)

    # ------------------------------------------------------------ hooks

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before each `forward`; it may return new arguments."""
        return register(self._forward_pre_hooks, (hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after each `forward`; it may return a new output."""
        return register(self._forward_hooks, (hook, with_kwargs), prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable, prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, grad_output)` in the backward pass; it may return another."""
        return register(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)`; it may return another grad_input."""
        return register(self._backward_hooks, hook, prepend)

    # ------------------------------------------------------------ printing

    def extra_repr(self) -> str:
        """Return what stands between the brackets when the module is printed."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr().split("\n") if self.extra_repr() else []
        children = [(name, repr(module)) for name, module in self._modules.items()]
        return indented(type(self).__name__, extra, children)


def indented(name: str, extra: list[str], children: list[tuple[str, str]]) -> str:
    """Write a module with its children indented below it, as torch does."""
    lines = [f"({key}): " + text.replace("\n", "\n  ") for key, text in children]
    if not lines and len(extra) <= 1:
        return f"{name}({''.join(extra)})"
    return "\n  ".join([f"{name}(", *extra, *lines]) + "\n)"

"""Module: parameters, buffers and modules by name, under one function.

Whatever is assigned to an attribute finds its own place: a Parameter in `_parameters`, a Module in
`_modules`, everything else stays an ordinary attribute. All the rest (listing, saving, moving,
switching to evaluation) walks these dictionaries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .. import xp
from ..tensor import Tensor
from .hooks import RemovableHandle, call_with_hooks, register
from .parameter import Parameter
from .state import IncompatibleKeys, load

REGISTRIES = ("_parameters", "_buffers", "_modules")
HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")


class Module:
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
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _may_be_missing: tuple[str, ...] = ()  # buffers that old checkpoints do not have

    def __init__(self) -> None:
        places: dict[str, Any] = {name: {} for name in (*REGISTRIES, *HOOKS)}
        self.__dict__.update(places, training=True, _non_persistent=set())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every subclass writes its own."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for name in HOOKS:
            if self.__dict__[name]:
                return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    # ------------------------------------------------------------ attributes

    def __getattr__(self, name: str) -> Any:
        for registry in REGISTRIES:  # only called where there is no ordinary attribute
            if name in self.__dict__.get(registry, ()):
                return self.__dict__[registry][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self._make_room("_parameters", name)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._make_room("_modules", name)
            self._modules[name] = value
        elif (registry := self._registry_of(name)) is None:
            object.__setattr__(self, name, value)
        else:
            kind = {"_parameters": Parameter, "_buffers": Tensor, "_modules": Module}[registry]
            if value is not None and not isinstance(value, kind):
                raise TypeError(f"cannot assign {type(value).__name__!r} as {name!r}: "
                                f"{kind.__name__} or None expected")
            self.__dict__[registry][name] = value

    def __delattr__(self, name: str) -> None:
        registry = self._registry_of(name)
        if registry is None:
            return object.__delattr__(self, name)
        del self.__dict__[registry][name]
        self._non_persistent.discard(name)

    def __dir__(self) -> list[str]:
        named = [name for registry in REGISTRIES for name in self.__dict__.get(registry, ())]
        return sorted({*super().__dir__(), *named})

    def _registry_of(self, name: str) -> str | None:
        return next((r for r in REGISTRIES if name in self.__dict__.get(r, ())), None)

    def _make_room(self, registry: str, name: str) -> None:
        """Forget whatever else has this name."""
        if registry not in self.__dict__:
            raise AttributeError(
                f"cannot assign {registry.strip('_')} before Module.__init__() call: start "
                f"{type(self).__name__}.__init__ with super().__init__()")
        self.__dict__.pop(name, None)
        for other in REGISTRIES:
            if other != registry:
                self.__dict__[other].pop(name, None)
        self._non_persistent.discard(name)

    def _check_name(self, registry: str, name: Any) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a name should be a string, got {type(name).__name__}")
        if registry not in self.__dict__:
            raise AttributeError(f"cannot assign {registry.strip('_')} before Module.__init__()")
        if "." in name or not name:
            raise KeyError(f'a name cannot contain "." or be empty, got {name!r}')
        if hasattr(self, name) and name not in self.__dict__[registry]:
            raise KeyError(f"attribute {name!r} already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or None for one that this module does without."""
        self._check_name("_parameters", name)
        if not isinstance(param, Parameter | None):
            raise TypeError(f"cannot assign {type(param).__name__!r} object to parameter {name!r}: "
                            "Parameter or None required")
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is saved and moved with the module but not learnt.

        persistent: whether it is part of the `state_dict`.
        """
        self._check_name("_buffers", name)
        if not isinstance(tensor, Tensor | None):
            raise TypeError(f"cannot assign {type(tensor).__name__!r} object to buffer {name!r}: "
                            "Tensor or None required")
        self._buffers[name] = tensor
        (self._non_persistent.discard if persistent else self._non_persistent.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a module under a name that need not be an identifier."""
        if not isinstance(module, Module | None):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        self._check_name("_modules", name)
        self._modules[name] = module

    register_module = add_module

    # ------------------------------------------------------------ listing

    def named_modules(
        self, memo: set | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield this module and all below it with dotted names, each once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, _joined(prefix, name), remove_duplicate)

    def _named(
        self, registry: str, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """Yield the entries of one registry, here and below; a shared tensor once."""
        below = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        seen: set[int] = set()
        for path, module in below if recurse else [(prefix, self)]:
            for name, value in module.__dict__[registry].items():
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield _joined(path, name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters with their dotted names; a shared one once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers with their dotted names; a shared one once."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules directly below, each once."""
        return self._named("_modules", recurse=False)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters, a shared one once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers, a shared one once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def children(self) -> Iterator[Module]:
        """Yield the modules directly below, each once."""
        return (child for _, child in self.named_children())

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def get_submodule(self, target: str) -> Module:
        """Return the module with a dotted name; "" is this one. Raises AttributeError."""
        module = self
        for name in target.split(".") if target else ():
            if not isinstance(getattr(module, name, None), Module):
                raise AttributeError(f"{type(module).__name__} has no submodule {name!r} "
                                     f"(looking for {target!r})")
            module = getattr(module, name)
        return module

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter with a dotted name. Raises AttributeError."""
        return self._get("_parameters", target)

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer with a dotted name. Raises AttributeError."""
        return self._get("_buffers", target)

    def _get(self, registry: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if module.__dict__[registry].get(name) is None:
            raise AttributeError(f"{name!r} is not among the {registry.strip('_')} of "
                                 f"{type(module).__name__} (looking for {target!r})")
        return module.__dict__[registry][name]

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
        for path, module in self.named_modules(prefix=prefix.removesuffix("."), remove_duplicate=False):
            for name, tensor in {**module._parameters, **module._buffers}.items():
                if tensor is not None and name not in module._non_persistent:
                    found[_joined(path, name)] = tensor if keep_vars else tensor.detach()
        return found

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy in what `state_dict` returned, here or in torch; values may be arrays of any library.

        Returns the missing and the unexpected names. Raises RuntimeError that lists every one of
        them (if strict) and every shape that differs; then nothing has been loaded.
        """
        optional = set()
        if getattr(state_dict, "_metadata", None) is None:
            optional = {_joined(path, name) for path, module in
                        self.named_modules(remove_duplicate=False) for name in module._may_be_missing}
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
        return tree(type(self).__name__, extra, [(n, repr(m)) for n, m in self._modules.items()])


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def tree(name: str, extra: list[str], children: list[tuple[str, str]]) -> str:
    """Write a module with its children indented below it, as torch does."""
    lines = [f"({key}): " + text.replace("\n", "\n  ") for key, text in children]
    if not lines and len(extra) <= 1:
        return f"{name}({''.join(extra)})"
    return "\n  ".join([f"{name}(", *extra, *lines]) + "\n)"

"""The tree of modules: what is assigned to an attribute finds its place, and is found again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..tensor import Tensor
from .parameter import Parameter

REGISTRIES = ("_parameters", "_buffers", "_modules")


class Tree:
    """Parameters, buffers and modules by name, here and below: the first half of `Module`.

    A Parameter goes to the dictionary `_parameters`, a module to `_modules`, what was registered as
    a buffer to `_buffers`; everything else stays an ordinary attribute.
    """

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Tree | None]
    _non_persistent: set[str]  # buffers that are not saved

    def __init__(self) -> None:
        registries: dict[str, Any] = {name: {} for name in REGISTRIES}
        self.__dict__.update(registries, _non_persistent=set())

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
        elif isinstance(value, Tree) and name not in self.__dict__.get("_parameters", ()):
            self._make_room("_modules", name)
            self._modules[name] = value
        elif (registry := self._registry_of(name)) is None:
            object.__setattr__(self, name, value)
        else:
            kind = {"_parameters": Parameter, "_buffers": Tensor, "_modules": Tree}[registry]
            if value is not None and not isinstance(value, kind):
                raise TypeError(f"cannot assign {type(value).__name__!r} as {name!r}: it is one of "
                                f"the {registry.strip('_')}, which takes another or None")
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

    def add_module(self, name: str, module: Tree | None) -> None:
        """Add a module under a name that need not be an identifier."""
        if not isinstance(module, Tree | None):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        self._check_name("_modules", name)
        self._modules[name] = module

    register_module = add_module

    # ------------------------------------------------------------ listing

    def named_modules(
        self, memo: set | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tree]]:
        """Yield this module and all below it with dotted names, each once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, joined(prefix, name), remove_duplicate)

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
                yield joined(path, name), value

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

    def named_children(self) -> Iterator[tuple[str, Tree]]:
        """Yield the modules directly below, each once."""
        return self._named("_modules", recurse=False)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters, a shared one once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers, a shared one once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def children(self) -> Iterator[Tree]:
        """Yield the modules directly below, each once."""
        return (child for _, child in self.named_children())

    def modules(self) -> Iterator[Tree]:
        """Yield this module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def get_submodule(self, target: str) -> Tree:
        """Return the module with a dotted name; "" is this one. Raises AttributeError."""
        module = self
        for name in target.split(".") if target else ():
            if not isinstance(getattr(module, name, None), Tree):
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


def joined(prefix: str, name: str) -> str:
    """Return a dotted name."""
    return f"{prefix}.{name}" if prefix else name

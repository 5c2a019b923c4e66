"""Parameters that are computed from others.

A parametrised `weight` is no longer stored but computed at each access, from `original` tensors in
`module.parametrizations.weight`. The names, and so the keys of `state_dict`, are torch's.
"""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError, explain
from ..op import no_grad
from ..tensor import Tensor
from .containers import ModuleDict, ModuleList
from .module import Module
from .parameter import Parameter


class ParametrizationList(ModuleList):
    """The modules that compute one tensor, and the parameters they start from.

    A module's `right_inverse`, where it has one, finds those parameters for a given value; there
    are several (`original0`, `original1`, ...) if it returns several.
    """

    def __init__(self, module: Module, value: Parameter):
        super().__init__([module])
        with no_grad():
            start: Any = value
            if hasattr(module, "right_inverse"):
                start = module.right_inverse(value)
        self.is_tensor = isinstance(start, Tensor)
        if self.is_tensor:
            value.data = start.data
            self.original = value  # the same object: optimizers know it
        else:
            for i, part in enumerate(start):
                setattr(self, f"original{i}", Parameter(part.detach(), value.requires_grad))

    def originals(self) -> list[Parameter]:
        """Return the parameters that the tensor is computed from."""
        return list(self._parameters.values())

    def forward(self) -> Tensor:
        """Compute the tensor."""
        first, *others = self
        value = first(*self.originals())
        for module in others:
            value = module(value)
        return value

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the tensor becomes `value`."""
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"assignment to a parametrized tensor: "
                                       f"{type(module).__name__} has no right_inverse")
                value = module.right_inverse(value)
            parts: Any = [value] if self.is_tensor else value
            for own, part in zip(self.originals(), parts, strict=True):
                own.data = part.data


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Compute a parameter of `module` by `parametrization` from now on; several are chained.

    Raises ValueError when there is no such parameter, or when the computed tensor has another shape
    or dtype (`unsafe` allows it).
    """
    if is_parametrized(module, tensor_name):
        module.parametrizations[tensor_name].append(parametrization)
        return module
    value = module._parameters.get(tensor_name)
    if value is None:
        raise ValueError(f"register_parametrization: {type(module).__name__} has no parameter "
                         f"{tensor_name!r}; it has {list(module._parameters)}")
    found = ParametrizationList(parametrization, value)
    if not unsafe:
        with no_grad():
            made = _without_training(found)
        if made.shape != value.shape or made.dtype != value.dtype:
            raise ShapeError(explain("register_parametrization", "the computed tensor differs",
                                     {tensor_name: value, "computed": made}, "pass unsafe=True"))
    if not is_parametrized(module):
        module.parametrizations = ModuleDict()
        module.__class__ = _parametrized(type(module))
    del module._parameters[tensor_name]
    module.parametrizations[tensor_name] = found
    setattr(type(module), tensor_name, _computed(tensor_name))
    return module


def _without_training(found: ParametrizationList) -> Tensor:
    """Compute the tensor once without a trace: no power iteration, no running statistics."""
    found.eval()
    made = found()
    found.train()
    return made


def _parametrized(kind: type[Module]) -> type[Module]:
    """Derive a class for one module, to which the computed attributes can be added."""
    return type(f"Parametrized{kind.__name__}", (kind,), {"__reduce__": _reduce})


def _reduce(module: Module) -> tuple:
    kind = type(module).__mro__[1]
    return _rebuild, (kind, list(module.parametrizations)), module.__dict__


def _rebuild(kind: type[Module], names: list[str]) -> Module:
    """Make an empty module of a derived class: what `copy` and `pickle` start from."""
    derived = _parametrized(kind)
    for name in names:
        setattr(derived, name, _computed(name))
    return derived.__new__(derived)


def _computed(name: str) -> property:
    return property(lambda module: module.parametrizations[name](),
                    lambda module, value: module.parametrizations[name].right_inverse(value))


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Say whether a parameter of the module is computed: this one, or any."""
    lists = module._modules.get("parametrizations")
    return lists is not None and (tensor_name is None or tensor_name in lists)


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Store a computed parameter again: as it is now, or (if False) as its `original` is.

    Raises ValueError when it is not computed, or has several originals to leave.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"remove_parametrizations: {type(module).__name__} has no parametrization "
                         f"on {tensor_name!r}")
    found = module.parametrizations[tensor_name]
    if not leave_parametrized and not found.is_tensor:
        raise ValueError("remove_parametrizations: leave_parametrized=False needs one original "
                         f"tensor, {tensor_name!r} has {len(found.originals())}")
    originals = found.originals()
    parameter = originals[0] if found.is_tensor else Parameter(None, originals[0].requires_grad)
    if leave_parametrized:
        with no_grad():
            parameter.data = found().data
    del module.parametrizations[tensor_name]
    delattr(type(module), tensor_name)
    if not module.parametrizations:
        del module.parametrizations
        module.__class__ = type(module).__mro__[1]
    module.register_parameter(tensor_name, parameter)
    return module

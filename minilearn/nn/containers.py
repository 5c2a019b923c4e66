"""Modules that hold other modules (or parameters) in order or by name."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from ..tensor import Tensor
from .module import Module, indented
from .parameter import Parameter


class _Row(Module):
    """What Sequential, ModuleList and ParameterList share: entries named "0", "1", ..."""

    _registry = "_modules"

    def _entries(self) -> dict[str, Any]:
        return self.__dict__[self._registry]

    def _index(self, index: int) -> int:
        place = operator.index(index)
        if not -len(self) <= place < len(self):
            raise IndexError(f"{type(self).__name__}: index {index} is out of range for "
                             f"{len(self)} entries")
        return place % len(self)

    def _refill(self, entries: Iterable[Any]) -> None:
        """Number all entries anew."""
        entries = list(entries)
        self._entries().clear()
        for i, entry in enumerate(entries):
            self._add(str(i), entry)

    def _add(self, name: str, entry: Any) -> None:
        self.add_module(name, entry)

    def __len__(self) -> int:
        return len(self._entries())

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._entries().values()))

    def __getitem__(self, index: int | slice) -> Any:
        entries = list(self._entries().values())
        if isinstance(index, slice):
            return type(self)(entries[index])  # type: ignore[call-arg]
        return entries[self._index(index)]

    def __setitem__(self, index: int, entry: Any) -> None:
        setattr(self, list(self._entries())[self._index(index)], entry)

    def __delitem__(self, index: int | slice) -> None:
        entries = list(self._entries().values())
        del entries[index if isinstance(index, slice) else self._index(index)]
        self._refill(entries)

    def __iadd__(self, others: Iterable[Any]) -> Any:
        return self.extend(others)

    def append(self, entry: Any) -> Any:
        """Add one entry at the end and return the container."""
        self._add(str(len(self)), entry)
        return self

    def extend(self, entries: Iterable[Any]) -> Any:
        """Add several entries at the end and return the container."""
        if not isinstance(entries, Iterable):
            raise TypeError(f"extend: expected an iterable, got {type(entries).__name__}")
        for entry in list(entries):
            self.append(entry)
        return self

    def insert(self, index: int, entry: Any) -> Any:
        """Put an entry before the one at `index`."""
        entries = list(self)
        entries.insert(index, entry)
        self._refill(entries)
        return self

    def pop(self, key: int) -> Any:
        """Take one entry out and return it."""
        entry = self[key]
        del self[key]
        return entry


class Sequential(_Row):
    """Call modules one after the other, each on the result of the one before.

    Takes modules, or one dictionary of them by name. A slice is a Sequential of the same modules.

    >>> from minilearn import nn
    >>> net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> len(net), net[0].out_features, len(net[1:])
    (3, 3, 2)
    """

    def __init__(self, *args: Any):
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], Mapping) else (
            (str(i), module) for i, module in enumerate(args))
        for name, module in named:
            self.add_module(name, module)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            # A subclass that builds its own modules has no constructor for a part of them.
            kind: Any = next(k for k in type(self).__mro__ if _built_alike(k))
            return kind(dict(list(self._modules.items())[index]))
        return super().__getitem__(index)

    def insert(self, index: int, entry: Module) -> Sequential:
        """Put a module before the one at `index`. Raises IndexError outside the container."""
        if not isinstance(entry, Module):
            raise AssertionError(f"insert: module should be of type Module, got {type(entry)}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"insert: index {index} is out of range for {len(self)} modules")
        return super().insert(index, entry)

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"add: only a Sequential can be added, got {type(other).__name__}")
        return Sequential(*self, *other)

    def forward(self, input: Any) -> Any:
        """Pass the input through all modules in order."""
        for module in self._modules.values():
            input = module(input)
        return input


def _built_alike(kind: Any) -> bool:
    return kind.__init__ is Sequential.__init__


class ModuleList(_Row):
    """A list of modules that the owner calls itself."""

    def __init__(self, modules: Iterable[Module] | None = None):
        super().__init__()
        self.extend(modules or ())

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def insert(self, index: int, entry: Module) -> None:
        """Put a module before the one at `index`, as `list.insert` does."""
        super().insert(index, entry)

    def __repr__(self) -> str:
        runs = [(text, [i for i, _ in run])
                for text, run in groupby(enumerate(map(repr, self)), key=operator.itemgetter(1))]
        children = [(str(at[0]), text) if len(at) == 1 else
                    (f"{at[0]}-{at[-1]}", f"{len(at)} x {text}") for text, at in runs]
        return indented(type(self).__name__, [], children)


class ParameterList(_Row):
    """A list of parameters that the owner uses itself; plain tensors become parameters."""

    _registry = "_parameters"

    def __init__(self, values: Iterable[Tensor] | None = None):
        super().__init__()
        self.extend(values or ())

    def _add(self, name: str, entry: Any) -> None:
        self._parameters[name] = _as_parameter(entry)

    def __setitem__(self, index: int, entry: Any) -> None:
        self._add(str(self._index(index)), entry)

    def __repr__(self) -> str:
        return _listed(self)


class _Dictionary(Module):
    """What ModuleDict and ParameterDict share."""

    _registry = "_modules"

    def _entries(self) -> dict[str, Any]:
        return self.__dict__[self._registry]

    def __getitem__(self, key: str) -> Any:
        return self._entries()[key]

    def __setitem__(self, key: str, entry: Any) -> None:
        self.add_module(key, entry)

    def __delitem__(self, key: str) -> None:
        del self._entries()[key]

    def __len__(self) -> int:
        return len(self._entries())

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __contains__(self, key: object) -> bool:
        return key in self._entries()

    def keys(self) -> Any:
        """Return the names."""
        return self._entries().keys()

    def values(self) -> Any:
        """Return the entries."""
        return self._entries().values()

    def items(self) -> Any:
        """Return the pairs of name and entry."""
        return self._entries().items()

    def clear(self) -> None:
        """Take all entries out."""
        self._entries().clear()

    def pop(self, key: str) -> Any:
        """Take one entry out and return it."""
        entry = self[key]
        del self[key]
        return entry

    def update(self, entries: Any) -> None:
        """Add the entries of a dictionary, or pairs of name and entry."""
        if not isinstance(entries, Iterable):
            raise TypeError(f"update: expected a dictionary or pairs, got {type(entries).__name__}")
        for key, entry in dict(entries.items() if hasattr(entries, "items") else entries).items():
            self[key] = entry


class ModuleDict(_Dictionary):
    """Modules by name, that the owner calls itself."""

    def __init__(self, modules: Any = None):
        super().__init__()
        self.update(modules or {})


class ParameterDict(_Dictionary):
    """Parameters by name, that the owner uses itself; plain tensors become parameters."""

    _registry = "_parameters"

    def __init__(self, parameters: Any = None):
        super().__init__()
        self.update(parameters or {})

    def __setitem__(self, key: str, entry: Any) -> None:
        self.register_parameter(key, _as_parameter(entry))

    def get(self, key: str, default: Any = None) -> Any:
        """Return a parameter by name, or the default."""
        return self._entries().get(key, default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return a parameter by name, which is first added if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def __repr__(self) -> str:
        return _listed(self)


def _as_parameter(entry: Any) -> Parameter:
    if not isinstance(entry, Tensor):
        raise TypeError(f"expected a Tensor or a Parameter, got {type(entry).__name__}")
    return entry if isinstance(entry, Parameter) else Parameter(entry)


def _listed(container: Module) -> str:
    sizes = {name: "x".join(map(str, p.shape)) for name, p in container._parameters.items()}
    lines = [(name, f"Parameter containing: [{container._parameters[name].dtype} of size {size}]")
             for name, size in sizes.items()]
    return indented(type(container).__name__, [], lines)

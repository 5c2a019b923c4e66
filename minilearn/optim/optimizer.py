"""What every optimizer shares: groups of parameters, state, and walking over both.

The mathematics of an optimizer is a pure function, `update(p, g, state, **options) -> (p, state)`,
from arrays to new arrays. The class around it keeps what is needed from one step to the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from numbers import Real
from typing import Any

from .. import xp
from ..arrays import to_array
from ..op import enable_grad
from ..tensor import Tensor

State = dict[str, Any]  # of one parameter: arrays, and `step`, how many updates it has had


class Optimizer:
    """Move parameters downhill: the base of `SGD`, `Adam` and their kin.

    params: tensors, or (name, tensor) pairs, or dicts {"params": tensors, "lr": ...} whose other
    entries take the place of the defaults for those tensors. `param_groups` lists such dicts,
    completed; an option edited there holds from the next step on. `state` maps each parameter to
    its arrays, which are replaced and never written into, so a `state_dict` stays as it was taken.
    """

    update: Callable  # (p, g, state, **options) -> (p, state), on arrays

    def __init__(self, params: Iterable, defaults: dict[str, Any]):
        self.defaults = defaults
        self.state: dict[Tensor, State] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        if isinstance(params, Tensor):
            raise TypeError(f"{self.name}: params must be a list of tensors or of dicts; got one "
                            "tensor. To repair it: write [tensor].")
        groups = list(params)
        if not groups:
            raise ValueError(f"{self.name}: the list of parameters is empty")
        self.check(**defaults)
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    @property
    def name(self) -> str:
        """What the optimizer is called, for messages."""
        return type(self).__name__

    def check(self, *args: Any, **options: Any) -> None:
        """Raise TypeError or ValueError for options that make no sense."""

    def step(self, closure: Callable | None = None) -> Any:
        """Update every parameter that has a gradient; return what the closure returned.

        closure: computes the loss and its gradients again, and returns the loss.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with xp.quiet():
            for group in self.param_groups:
                options = {name: _plain(group[name]) for name in self.defaults}
                for p in group["params"]:
                    g = p.grad
                    if g is not None:
                        new, state = self.update(p.data, g.data, self.state.get(p, {}), **options)
                        p.data = xp.asarray(new)  # a NumPy result without dimensions is no array
                        if state:
                            self.state[p] = state
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or set them to zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad = None if set_to_none else Tensor(xp.zeros_like(p.data))

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take in more parameters, with options of their own where the dict has them.

        Raises TypeError or ValueError for what is no leaf tensor, or comes a second time.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"{self.name}: a parameter group must be a dict {{'params': [...]}}; "
                            f"got {type(param_group).__name__}")
        if "params" not in param_group:
            raise KeyError(f"{self.name}: a parameter group needs an entry 'params'; this one has "
                           f"{sorted(param_group)}")
        names, params = self._named(param_group["params"])
        known = [p for group in self.param_groups for p in group["params"]]
        if len({*known, *params}) < len(known) + len(params):
            raise ValueError(f"{self.name}: some parameters appear more than once; "
                             "a parameter belongs to one group, once")
        group = {**self.defaults, **param_group, "params": params}
        if names:
            group["param_names"] = names
        if any(("param_names" in other) != bool(names) for other in self.param_groups):
            raise ValueError(f"{self.name}: either all groups have named parameters, or none")
        self.check(**{name: group[name] for name in self.defaults})
        self.param_groups.append(group)

    def _named(self, params: Any) -> tuple[list[str], list[Tensor]]:
        """Split (name, tensor) pairs, and make sure that each tensor can be optimized."""
        if isinstance(params, set | frozenset):
            raise TypeError(f"{self.name}: params must be in order, and a set is not; pass a list")
        entries = [params] if isinstance(params, Tensor) else list(params)
        names = [entry[0] for entry in entries if isinstance(entry, tuple)]
        tensors = [entry[1] if isinstance(entry, tuple) else entry for entry in entries]
        if names and len(names) < len(tensors):
            raise ValueError(f"{self.name}: either all parameters have names, or none")
        for i, p in enumerate(tensors):
            if not isinstance(p, Tensor):
                kind = type(p).__name__
                raise TypeError(f"{self.name}: params[{i}] must be a Tensor; got {kind}")
            if not p.is_leaf:
                raise ValueError(f"{self.name}: params[{i}] of shape {p.shape} was computed; only "
                                 "tensors made by the user (leaves) can be optimized")
        return names, tensors

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on later, in torch's layout.

        "state" maps the position of a parameter to its tensors; "param_groups" lists the options
        and the positions of each group.
        """
        params = [p for group in self.param_groups for p in group["params"]]
        index = {p: i for i, p in enumerate(params)}
        groups = [{**group, "params": [index[p] for p in group["params"]]}
                  for group in self.param_groups]
        state = {index[p]: {k: Tensor(to_array(float(v)) if k == "step" else xp.asarray(v))
                            for k, v in self.state[p].items()} for p in params if p in self.state}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict`, ours or torch's: the same steps follow, bit for bit.

        Raises ValueError where its groups or shapes are not those of this optimizer.
        """
        if missing := {"state", "param_groups"} - set(state_dict):
            raise KeyError(f"{self.name}.load_state_dict: the saved state has no {sorted(missing)}")
        saved = state_dict["param_groups"]
        sizes = [[len(g["params"]) for g in groups] for groups in (self.param_groups, saved)]
        if sizes[0] != sizes[1]:
            raise ValueError(f"{self.name}.load_state_dict: this one has groups of {sizes[0]} "
                             f"parameters, the saved one had {sizes[1]}")
        params = [p for group in self.param_groups for p in group["params"]]
        at = dict(zip([i for group in saved for i in group["params"]], params, strict=True))
        if unknown := sorted(set(state_dict["state"]) - set(at)):
            raise ValueError(f"{self.name}.load_state_dict: unknown parameters {unknown}")
        loaded = {at[i]: {name: self._loaded(name, value, at[i]) for name, value in entry.items()}
                  for i, entry in state_dict["state"].items()}
        self.state = defaultdict(dict, loaded)
        for group, new in zip(self.param_groups, saved, strict=True):
            group.update(deepcopy({k: v for k, v in new.items() if k != "params"}))

    def _loaded(self, name: str, value: Any, p: Tensor) -> Any:
        """Bring one entry of a saved state to the library and dtype of its parameter."""
        if value is None:
            return None
        array = to_array(value)
        if name == "step":
            return int(xp.to_numpy(array))
        if tuple(array.shape) != p.shape:
            raise ValueError(f"{self.name}.load_state_dict: {name} has shape {tuple(array.shape)}, "
                             f"its parameter {p.shape}")
        return xp.astype(array, p.data.dtype)

    def __repr__(self) -> str:
        lines = [f"{self.name} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {k}: {v}" for k, v in sorted(group.items()) if k != "params"]
        return "\n".join([*lines, ")"])


def _plain(option: Any) -> Any:
    """Make a Python number of an option: a NumPy number would widen a float32 array."""
    if isinstance(option, tuple | list):
        return tuple(_plain(x) for x in option)
    number = isinstance(option, Real | Tensor) and not isinstance(option, bool)
    return float(option) if number else option  # a switch may be anything, as in torch


def non_negative(function: str, **options: Any) -> None:
    """Raise TypeError for what is no number, ValueError for what is below 0 or nan."""
    for name, value in options.items():
        if isinstance(value, Tensor) and value.numel() == 1:  # torch takes a rate of this kind
            value = value.item()
        if not isinstance(value, Real):
            raise TypeError(f"{function}: {name} must be a number; got {type(value).__name__}")
        if not value >= 0:
            raise ValueError(f"{function}: {name} must be 0 or more; got {value}")


def descent(p: Any, g: Any, weight_decay: float, maximize: bool) -> Any:
    """Return the gradient to go down along, the L2 penalty's included; -g goes up."""
    if weight_decay is True:
        raise TypeError("weight_decay must be a number; got True")
    if maximize:
        g = -g
    return g + p * weight_decay if weight_decay else g

"""Layer groups: the parts of a model that are frozen, or learn at rates of their own.

A net that was trained before knows edges better than the task at hand: its first layers should
hardly move, or not at all, while what is new behind them learns fast (Howard & Ruder 2018).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..nn import BatchNorm1d, BatchNorm2d, GroupNorm, InstanceNorm2d, LayerNorm, Module
from ..tensor import Tensor

BATCH_NORMS = (BatchNorm1d, BatchNorm2d)
NORMS = (*BATCH_NORMS, GroupNorm, InstanceNorm2d, LayerNorm)


def layer_groups(model: Any) -> list[list[Module]]:
    """Return the model's `layer_groups()`, from the input on, or all of it as one group."""
    return model.layer_groups() if hasattr(model, "layer_groups") else [[model]]


def param_groups(model: Module, decay_norms: bool = True) -> list[dict[str, Any]]:
    """Return the parameters for an optimizer, one dict for each layer group.

    decay_norms: False makes two dicts of each, the second, of normalisations and biases, with
    weight_decay 0. The entry "layer_group" counts the groups, so that `OneCycle` can give each its
    rate. Frozen parameters are in it too: without a gradient they stay as they are.
    """
    found = []
    for i, layers in enumerate(layer_groups(model)):
        params = list(dict.fromkeys(p for layer in layers for p in layer.parameters()))
        plain = set() if decay_norms else set(_norms_and_biases(layers))
        found.append({"params": [p for p in params if p not in plain], "layer_group": i})
        if plain:
            rest = [p for p in params if p in plain]
            found.append({"params": rest, "layer_group": i, "weight_decay": 0.0})
    return [group for group in found if group["params"]]


def to_optimize(model: Any) -> Any:
    """Return what a Learner hands to its optimizer: layer groups, of a model that has some."""
    return param_groups(model) if hasattr(model, "layer_groups") else model.parameters()


def _norms_and_biases(layers: Iterable[Module]) -> Iterable[Tensor]:
    for layer in layers:
        for module in layer.modules():
            for name, p in module.named_parameters(recurse=False):
                if name == "bias" or isinstance(module, NORMS):
                    yield p


def freeze_to(model: Module, n: int) -> None:
    """Let only the layer groups from the n-th on learn; batch norm before it learns too.

    Where the layers around it stand still, batch norm must still fit the new images. n may count
    from the end. Raises IndexError for a group that does not exist.
    """
    groups = layer_groups(model)
    if not -len(groups) <= n < len(groups):
        raise IndexError(f"freeze_to: there is no layer group {n}; the model has {len(groups)}")
    first = n % len(groups)
    for i, layers in enumerate(groups):
        for module in (m for layer in layers for m in layer.modules()):
            for p in module.parameters(recurse=False):
                p.requires_grad = i >= first or isinstance(module, BATCH_NORMS)


def freeze(model: Module) -> None:
    """Let only the last layer group learn, and batch norm: a pretrained encoder stays as it is."""
    freeze_to(model, -1)


def unfreeze(model: Module) -> None:
    """Let all layer groups learn."""
    freeze_to(model, 0)


def rates_of(groups: list[dict[str, Any]], lr: float | slice | list[float]) -> list[float]:
    """Return the rate of each parameter group of an optimizer: that of its layer group."""
    places = [group.get("layer_group", i) for i, group in enumerate(groups)]
    each = rates(lr, max(places) + 1)
    return [each[place] for place in places]


def rates(lr: float | slice | list[float], count: int) -> list[float]:
    """Return a learning rate for each of `count` layer groups, as fast.ai writes them.

    A number is for all; slice(b) is b for the last group and b / 10 before; slice(a, b) grows from
    a to b by equal factors; a list says each. Raises ValueError for what is none of these.

    >>> rates(slice(1e-2), 3)
    [0.001, 0.001, 0.01]
    >>> [round(r, 6) for r in rates(slice(1e-6, 1e-4), 3)]
    [1e-06, 1e-05, 0.0001]
    """
    if isinstance(lr, list):
        if len(lr) != count:
            raise ValueError(f"rates: {len(lr)} learning rates for {count} layer groups")
        return lr
    if not isinstance(lr, slice):
        return [lr] * count
    first, last = lr.start, lr.stop
    if last is None or lr.step is not None or not (last > 0 and (first is None or first > 0)):
        raise ValueError(f"rates: expected slice(b) or slice(a, b) above 0, got {lr}")
    if first is None:
        return [last / 10] * (count - 1) + [last]
    steps = max(count - 1, 1)
    return [first * (last / first) ** (i / steps) for i in range(count - 1)] + [last]

"""Adagrad: steps shrink with the sum of all squared gradients so far (Duchi et al. 2011)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import xp
from .optimizer import Optimizer, State, descent, non_negative


def adagrad_step(
    p: Any, g: Any, state: State, *, lr: float, lr_decay: float = 0.0, weight_decay: float = 0.0,
    initial_accumulator_value: float = 0.0, eps: float = 1e-10, maximize: bool = False,
) -> tuple[Any, State]:
    """Return the parameter after one step, and its state: p <- p - lr g / sqrt(sum of g**2)."""
    g = descent(p, g, weight_decay, maximize)
    step, total = state.get("step", 0), state.get("sum", initial_accumulator_value)
    total = total + g * g
    lr = lr / (1 + step * lr_decay)
    return p - g / (xp.sqrt(total) + eps) * lr, {"step": step + 1, "sum": total}


class Adagrad(Optimizer):
    """Adagrad, with a decaying rate; arguments and defaults are torch's."""

    update = staticmethod(adagrad_step)

    def __init__(
        self, params: Iterable, lr: float = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, *, maximize: bool = False,
    ):
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "eps": eps,
            "maximize": maximize,
        })

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take in more parameters; their sums start at the `initial_accumulator_value`."""
        super().add_param_group(param_group)
        start = float(self.defaults["initial_accumulator_value"])
        for p in self.param_groups[-1]["params"]:
            self.state[p] = {"step": 0, "sum": xp.full_like(p.data, start)}

    def check(self, *, maximize: bool, **numbers: float) -> None:
        """Raise TypeError or ValueError for options that make no sense."""
        non_negative("Adagrad", **numbers)

"""RMSprop: divide the gradient by a moving average of its size (Hinton 2012, lecture 6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import xp
from .optimizer import Optimizer, State, descent, non_negative


def rmsprop_step(
    p: Any, g: Any, state: State, *, lr: float, alpha: float = 0.99, eps: float = 1e-8,
    weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False,
    maximize: bool = False,
) -> tuple[Any, State]:
    """Return the parameter after one step, and its state.

    v is the moving average of g squared; centered, the average of g is taken out of it, which
    leaves the variance (Graves 2013).
    """
    g = descent(p, g, weight_decay, maximize)
    state = state or {"step": 0, "square_avg": xp.zeros_like(p)}
    v = state["square_avg"] * alpha + g * g * (1 - alpha)
    state = state | {"step": state["step"] + 1, "square_avg": v}
    if centered:
        mean = state.get("grad_avg", 0.0)
        state["grad_avg"] = mean = mean + (g - mean) * (1 - alpha)
        v = v - mean * mean
    g = g / (xp.sqrt(v) + eps)
    if momentum > 0:
        state["momentum_buffer"] = g = g + state.get("momentum_buffer", 0.0) * momentum
    return p - g * lr, state


class RMSprop(Optimizer):
    """RMSprop, with momentum; arguments and defaults are torch's."""

    update = staticmethod(rmsprop_step)

    def __init__(
        self, params: Iterable, lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0, momentum: float = 0, centered: bool = False, *,
        maximize: bool = False,
    ):
        super().__init__(params, {
            "lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay,
            "momentum": momentum, "centered": centered, "maximize": maximize,
        })

    def check(self, *, centered: bool, maximize: bool, **numbers: float) -> None:
        """Raise TypeError or ValueError for options that make no sense."""
        non_negative("RMSprop", **numbers)

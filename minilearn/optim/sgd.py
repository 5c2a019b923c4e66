"""Stochastic gradient descent: p <- p - lr g, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import xp
from .optimizer import Optimizer, State, descent, non_negative


def sgd_step(
    p: Any, g: Any, state: State, *, lr: float, momentum: float = 0.0, dampening: float = 0.0,
    weight_decay: float = 0.0, nesterov: bool = False, maximize: bool = False,
) -> tuple[Any, State]:
    """Return the parameter after one step, and its state.

    With momentum the step is along an average b <- momentum b + (1 - dampening) g of the gradients
    so far, whose first value is g; Nesterov's variant looks one step ahead (Sutskever et al. 2013).
    """
    g = descent(p, g, weight_decay, maximize)
    if momentum:
        b = state.get("momentum_buffer")
        b = xp.copy(g) if b is None else b * momentum + g * (1 - dampening)
        state = {"momentum_buffer": b}
        g = g + b * momentum if nesterov else b
    return p - g * lr, state


class SGD(Optimizer):
    """Stochastic gradient descent with momentum; arguments and defaults are torch's.

    >>> from minilearn import tensor
    >>> x = tensor([1.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> SGD([x], lr=0.1).step(); x.detach()  # 1 - 0.1 * 2
    tensor([0.8])
    """

    update = staticmethod(sgd_step)

    def __init__(
        self, params: Iterable, lr: float = 1e-3, momentum: float = 0, dampening: float = 0,
        weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False,
    ):
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening,
            "weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize,
        })

    def check(self, *, lr, momentum, dampening, weight_decay, nesterov, maximize) -> None:
        """Raise TypeError or ValueError for options that make no sense."""
        non_negative("SGD", lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum is True or momentum <= 0 or dampening != 0):
            raise ValueError("SGD: nesterov needs momentum above 0 and dampening 0; got "
                             f"momentum={momentum}, dampening={dampening}")

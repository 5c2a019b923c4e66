"""Adam: each number of a parameter has a step size of its own (Kingma & Ba 2015)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import xp
from .optimizer import Optimizer, State, descent, non_negative


def adam_step(
    p: Any, g: Any, state: State, *, lr: float, betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8, weight_decay: float = 0.0, amsgrad: bool = False, maximize: bool = False,
    decoupled_weight_decay: bool = False,
) -> tuple[Any, State]:
    """Return the parameter after one step, and its state.

    m and v are moving averages of the gradient and of its square. Both start at 0, so dividing by
    1 - beta**step makes them unbiased; the step is lr m / sqrt(v). Decoupled weight decay shrinks
    p itself, and not through the gradient (Loshchilov & Hutter 2019); amsgrad divides by the
    largest v so far (Reddi et al. 2018).
    """
    (b1, b2), step = betas, state.get("step", 0) + 1
    if decoupled_weight_decay and weight_decay:
        p, weight_decay = p * (1 - lr * weight_decay), 0.0
    g = descent(p, g, weight_decay, maximize)
    m, v = (state["exp_avg"], state["exp_avg_sq"]) if state else (xp.zeros_like(p),) * 2
    m = m + (g - m) * (1 - b1)
    v = v * b2 + g * g * (1 - b2)
    state = {"step": step, "exp_avg": m, "exp_avg_sq": v} | _largest(v, state, amsgrad)
    root = xp.sqrt(state["max_exp_avg_sq"] if amsgrad else v)
    return p - m / (root * (1 - b2**step) ** -0.5 + eps) * (lr / (1 - b1**step)), state


def _largest(v: Any, state: State, amsgrad: bool) -> State:
    if not amsgrad:
        return {}
    return {"max_exp_avg_sq": xp.maximum(state["max_exp_avg_sq"], v) if state else v}


class Adam(Optimizer):
    """Adam, with weight decay as an L2 penalty; arguments and defaults are torch's."""

    update = staticmethod(adam_step)

    def __init__(
        self, params: Iterable, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *,
        maximize: bool = False, decoupled_weight_decay: bool = False,
    ):
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "amsgrad": amsgrad, "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        })

    def check(self, *, lr, betas, eps, weight_decay, **switches: bool) -> None:
        """Raise TypeError or ValueError for options that make no sense."""
        non_negative(self.name, lr=lr, eps=eps, weight_decay=weight_decay)
        pair = betas if isinstance(betas, tuple | list) else ()
        if len(pair) != 2 or not all(isinstance(b, float) and 0 <= b < 1 for b in pair):
            raise ValueError(f"{self.name}: betas must be two floats in [0, 1), like (0.9, 0.999); "
                             f"got {betas!r}")


class AdamW(Adam):
    """Adam with decoupled weight decay: p <- p (1 - lr weight_decay) before the step.

    fast.ai's optimizer is `AdamW(params, betas=(0.9, 0.99))`.

    >>> from minilearn import tensor
    >>> x = tensor([1.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> AdamW([x], lr=0.25, weight_decay=1.0).step(); x.detach()  # 1 - 0.25 * 1 - 0.25
    tensor([0.5])
    """

    def __init__(
        self, params: Iterable, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, *,
        maximize: bool = False,
    ):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize,
                         decoupled_weight_decay=True)

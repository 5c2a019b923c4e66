"""The lesson on training: layer, losses, first weights, batches, optimizers, schedules."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional, nn, optim, xp
from ..data import loader
from ..op import OPS
from ..optim import clip, schedules
from ..tensor import Tensor
from ..train import Interpretation, metrics
from ..train.lr_find import should_stop
from .table import Functions, Swap, adapter, primitive


@adapter("linear")
def _linear(mine: Functions) -> list[Swap]:
    def forward(input: Any, weight: Any, bias: Any) -> Any:
        return mine["linear"](input, weight, bias)

    def joint(g: Any, y: Any, input: Any, weight: Any, bias: Any, *, needs: Any) -> Any:
        return mine["linear_grad"](g, input, weight)

    slot = functional.linear
    own = slot.function
    op = primitive(forward, own, joint if "linear_grad" in mine else None)

    def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        covered = bias is not None and weight.ndim == 2
        return op(input, weight, bias) if covered else own(input, weight, bias)

    return [(slot, {"function": linear})]


@adapter("kaiming_normal")
def _kaiming(mine: Functions) -> list[Swap]:
    own = nn.init.kaiming_normal_.function

    def kaiming_normal_(tensor: Tensor, a: float = 0, mode: str = "fan_in",
                        nonlinearity: str = "leaky_relu") -> Tensor:
        if nonlinearity not in ("leaky_relu", "relu") or tensor.ndim < 2:
            return own(tensor, a, mode, nonlinearity)
        normal = xp.generator().normal(size=tensor.shape)
        slope = a if nonlinearity == "leaky_relu" else 0.0
        tensor.data = xp.astype(mine["kaiming_normal"](normal, slope, mode), tensor.data.dtype)
        return tensor

    return [(nn.init.kaiming_normal_, {"function": kaiming_normal_})]


@adapter("log_softmax")
def _log_softmax(mine: Functions) -> list[Swap]:
    op = OPS["log_softmax"]
    own = op.forward

    def log_softmax(input: Any, *, dim: Any, dtype: Any = None) -> Any:
        if dtype is not None or dim not in (-1, input.ndim - 1) or not input.ndim:
            return own(input, dim=dim, dtype=dtype)
        return mine["log_softmax"](input)

    return [(op, {"forward": log_softmax})]


@adapter("cross_entropy")
def _cross_entropy(mine: Functions) -> list[Swap]:
    def softmax_nll(input: Any, *, target: Any, scale: float) -> Any:
        loss = mine["cross_entropy"](input, target) * (scale * len(target))
        return np.asarray(loss, input.dtype)

    return [(OPS["softmax_nll"], {"forward": softmax_nll})]


@adapter("cross_entropy_grad")
def _cross_entropy_grad(mine: Functions) -> list[Swap]:
    def joint(g: Any, y: Any, input: Any, *, needs: Any, target: Any, scale: float) -> Any:
        return (mine["cross_entropy_grad"](input, target) * (g * (scale * len(target))),)

    return [(OPS["softmax_nll"], {"joint": joint})]


@adapter("accuracy")
def _accuracy(mine: Functions) -> list[Swap]:
    def accuracy(output: Tensor, target: Tensor) -> Tensor:
        return Tensor(np.float32(mine["accuracy"](output.data, target.data)))

    return [(metrics.accuracy, {"function": accuracy})]


@adapter("top_k_accuracy")
def _top_k_accuracy(mine: Functions) -> list[Swap]:
    own = metrics.top_k_accuracy.function

    def top_k_accuracy(output: Tensor, target: Tensor, k: int = 5) -> Tensor:
        if output.ndim != 2 or k > output.shape[1]:
            return own(output, target, k)
        return Tensor(np.float32(mine["top_k_accuracy"](output.data, target.data, k)))

    return [(metrics.top_k_accuracy, {"function": top_k_accuracy})]


@adapter("confusion_matrix")
def _confusion_matrix(mine: Functions) -> list[Swap]:
    def confusion_matrix(self: Interpretation) -> np.ndarray:
        return mine["confusion_matrix"](self.outputs, self.targets)

    return [(Interpretation, {"confusion_matrix": confusion_matrix})]


@adapter("batches")
def _batches(mine: Functions) -> list[Swap]:
    def cut(order: np.ndarray, size: int, drop_last: bool) -> list[np.ndarray]:
        items = np.arange(len(order))
        return [x for x, _ in mine["batches"](items, items, size, order, drop_last)]

    return [(loader.cut, {"function": cut})]


@adapter("sgd_step")
def _sgd(mine: Functions) -> list[Swap]:
    own = optim.SGD.update

    def update(p: Any, g: Any, state: dict, *, lr: float, momentum: float, dampening: float,
               weight_decay: float, nesterov: bool, maximize: bool) -> Any:
        if dampening or maximize:
            return own(p, g, state, lr=lr, momentum=momentum, dampening=dampening,
                       weight_decay=weight_decay, nesterov=nesterov, maximize=maximize)
        v = state.get("momentum_buffer", np.zeros_like(p))
        p, v = mine["sgd_step"](p, g, v, lr, momentum, weight_decay, nesterov)
        return p, {"momentum_buffer": v} if momentum else {}

    return [(optim.SGD, {"update": staticmethod(update)})]


@adapter("adamw_step")
def _adamw(mine: Functions) -> list[Swap]:
    own = optim.AdamW.update

    def update(p: Any, g: Any, state: dict, *, lr: float, betas: Any, eps: float,
               weight_decay: float, amsgrad: bool, maximize: bool, **rest: Any) -> Any:
        if amsgrad or maximize:
            return own(p, g, state, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay,
                       amsgrad=amsgrad, maximize=maximize, **rest)
        zeros = np.zeros_like(p)
        t = state.get("step", 0) + 1
        m, v = state.get("exp_avg", zeros), state.get("exp_avg_sq", zeros)
        p, m, v = mine["adamw_step"](p, g, m, v, t, lr, betas, eps, weight_decay)
        return p, {"step": t, "exp_avg": m, "exp_avg_sq": v}

    return [(optim.AdamW, {"update": staticmethod(update)})]


@adapter("one_cycle")
def _one_cycle(mine: Functions) -> list[Swap]:
    def one_cycle(step: int, total: int, max_lr: float, *, div: float = 25.0,
                  final_div: float = 1e4, pct_start: float = 0.3,
                  momenta: tuple[float, float] = (0.95, 0.85)) -> Any:
        return mine["one_cycle"](step, total, max_lr, div, final_div, pct_start, momenta)

    return [(schedules.one_cycle, {"function": one_cycle})]


@adapter("clip_grad_norm")
def _clip(mine: Functions) -> list[Swap]:
    slot = clip.clip_grad_norm_
    own = slot.function

    def clip_grad_norm_(parameters: Any, max_norm: float, norm_type: float = 2.0,
                        error_if_nonfinite: bool = False) -> Tensor:
        if norm_type != 2.0 or error_if_nonfinite:
            return own(parameters, max_norm, norm_type, error_if_nonfinite)
        given = [parameters] if isinstance(parameters, Tensor) else list(parameters)
        held = [p for p in given if p.grad is not None]
        clipped, total = mine["clip_grad_norm"]([p.grad.data for p in held], max_norm)
        for p, g in zip(held, clipped, strict=True):
            p.grad.data = g
        return Tensor(np.asarray(total, held[0].grad.data.dtype if held else "float32"))

    return [(slot, {"function": clip_grad_norm_})]


@adapter("Smoothed")
def _smoothed(mine: Functions) -> list[Swap]:
    def add(self: metrics.Smoothed, value: float) -> float:
        if not self.count:
            self.mine = mine["Smoothed"](self.beta)
        self.count += 1
        self.mean = self.mine.add(value)
        return self.mean

    latest = property(lambda self: self.mean if self.count else float("nan"))
    return [(metrics.Smoothed, {"add": add, "value": latest})]


@adapter("should_stop")
def _should_stop(mine: Functions) -> list[Swap]:
    return [(should_stop, {"function": mine["should_stop"]})]

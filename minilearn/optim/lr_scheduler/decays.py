"""Schedules that lead from one rate to another, mostly downwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import cos, inf, pi
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, name, need_nonzero, optimizer_of, per_group


class LambdaLR(LRScheduler):
    """Make the rate the initial one times `lr_lambda(epoch)`; one function, or one per group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable | list[Callable],
                 last_epoch: int = -1):
        self.lr_lambdas = per_group(self, optimizer_of(self, optimizer), "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of epoch `last_epoch`, one per group."""
        return [lr * f(self.last_epoch)
                for lr, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    first_lr = get_lr


class MultiplicativeLR(LRScheduler):
    """Multiply the rate by `lr_lambda(epoch)`; one function, or one per group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable | list[Callable],
                 last_epoch: int = -1):
        self.lr_lambdas = per_group(self, optimizer_of(self, optimizer), "lr_lambda", lr_lambda)
        for f in self.lr_lambdas:
            if not callable(f):
                raise TypeError(f"MultiplicativeLR: lr_lambda must be a function; got {f!r}")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of epoch `last_epoch`, one per group."""
        return [group["lr"] * (1.0 if self._is_initial else f(self.last_epoch))
                for group, f in zip(self.optimizer.param_groups, self.lr_lambdas, strict=True)]

    first_lr = get_lr


class StepLR(LRScheduler):
    """Multiply the rate by `gamma` every `step_size` epochs."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1,
                 last_epoch: int = -1):
        need_nonzero(self, step_size=step_size)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def multiplier(self, epoch: int) -> float:
        """Return what the rate is multiplied by on arriving at an epoch."""
        return 1.0 if epoch == 0 or epoch % self.step_size else self.gamma


class MultiStepLR(LRScheduler):
    """Multiply the rate by `gamma` at each of the epochs in `milestones`."""

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1,
                 last_epoch: int = -1):
        try:
            self.milestones, self.gamma = sorted(milestones), gamma
        except TypeError:
            raise TypeError("MultiStepLR: milestones must be a list of epochs; "
                            f"got {milestones!r}") from None
        super().__init__(optimizer, last_epoch)

    def multiplier(self, epoch: int) -> float:
        """Return what the rate is multiplied by on arriving at an epoch."""
        return self.gamma ** self.milestones.count(epoch)


class ConstantLR(LRScheduler):
    """Multiply the rate by `factor` for the first `total_iters` epochs only."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5,
                 last_epoch: int = -1):
        _in_unit(self, factor=factor)
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def multiplier(self, epoch: int) -> float:
        """Return what the rate is multiplied by on arriving at an epoch."""
        if epoch == 0 or epoch != self.total_iters:
            return self.factor if epoch == 0 else 1.0
        need_nonzero(self, factor=self.factor)  # who came down to 0 cannot go back
        return 1 / self.factor


class LinearLR(LRScheduler):
    """Change the rate from `start_factor` to `end_factor` of it in `total_iters` equal steps."""

    def __init__(self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0,
                 total_iters: int = 5, last_epoch: int = -1):
        _in_unit(self, start_factor=start_factor, end_factor=end_factor)
        if start_factor == 0:
            raise ValueError("LinearLR: start_factor must be above 0")
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def multiplier(self, epoch: int) -> float:
        """Return what the rate is multiplied by on arriving at an epoch."""
        if epoch == 0:
            return self.start_factor
        if self._is_initial or epoch > self.total_iters:
            return 1.0
        rise = self.end_factor - self.start_factor
        return 1.0 + rise / (self.total_iters * self.start_factor + (epoch - 1) * rise)


class ExponentialLR(LRScheduler):
    """Multiply the rate by `gamma` every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def multiplier(self, epoch: int) -> float:
        """Return what the rate is multiplied by on arriving at an epoch."""
        return 1.0 if self._is_initial or epoch == 0 else self.gamma


class PolynomialLR(LRScheduler):
    """Let the rate fall to 0 in `total_iters` epochs as (1 - epoch / total_iters)**power."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0,
                 last_epoch: int = -1):
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def multiplier(self, epoch: int) -> float:
        """Return what the rate is multiplied by on arriving at an epoch."""
        if self._is_initial or epoch == 0 or epoch > self.total_iters:
            return 1.0
        left, before = (1.0 - e / self.total_iters for e in (epoch, epoch - 1))
        if left == 0 and self.power < 0:
            raise ValueError(f"PolynomialLR: power must not be negative where the rate falls to 0; "
                             f"got {self.power}")
        return (left / before) ** self.power


class CosineAnnealingLR(LRScheduler):
    """Let the rate fall to `eta_min` along a cosine in `T_max` epochs, and rise again after.

    Source: Loshchilov & Hutter 2017, without the restarts.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0,
                 last_epoch: int = -1):
        need_nonzero(self, T_max=T_max)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of epoch `last_epoch`, one per group."""
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if self._is_initial:
            return rates
        now, before = (1 + cos(pi * e / self.T_max) for e in (self.last_epoch, self.last_epoch - 1))
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # before is 0: at the bottom
            return [lr + (base - self.eta_min) * (1 - cos(pi / self.T_max)) / 2
                    for lr, base in zip(rates, self.base_lrs, strict=True)]
        return [now / before * (lr - self.eta_min) + self.eta_min for lr in rates]

    def first_lr(self) -> list[float]:
        """Return the rates of epoch 0."""
        return list(self.base_lrs)


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rate by `factor` when a metric has not improved for `patience` epochs.

    mode: whether to "min"imise or "max"imise it. threshold: an improvement must exceed it,
    relative to the best ("rel") or absolute ("abs"). cooldown: epochs to wait after a reduction.
    min_lr: a bound, or one per group. eps: smaller changes of the rate are not made.
    """

    def __init__(self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1,
                 patience: int = 10, threshold: float = 1e-4, threshold_mode: str = "rel",
                 cooldown: int = 0, min_lr: float | list[float] = 0, eps: float = 1e-8):
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1; got {factor}")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError("ReduceLROnPlateau: mode must be 'min' or 'max' and threshold_mode "
                             f"'rel' or 'abs'; got {mode!r} and {threshold_mode!r}")
        self.optimizer = optimizer_of(self, optimizer)
        self.min_lrs = per_group(self, optimizer, "min_lr", min_lr)
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.factor, self.patience, self.cooldown, self.eps = factor, patience, cooldown, eps
        self.best = inf if mode == "min" else -inf
        self.last_epoch = self.cooldown_counter = self.num_bad_epochs = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    def step(self, metrics: Any) -> None:  # type: ignore[override]  # as in torch
        """Take note of the metric of this epoch, a number, and reduce the rates if need be."""
        current = float(metrics.item() if hasattr(metrics, "item") else metrics)
        self.last_epoch += 1
        self.num_bad_epochs += 1
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if self.num_bad_epochs > self.patience:
            rates = [self._reduced(*pair) for pair in zip(rates, self.min_lrs, strict=True)]
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._set(rates)

    def _is_better(self, current: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            return sign * current < sign * (self.best * (1 - sign * self.threshold))
        return sign * current < sign * (self.best - sign * self.threshold)

    def _reduced(self, lr: float, min_lr: float) -> float:
        new = max(lr * self.factor, min_lr)
        return new if lr - new > self.eps else lr


def _in_unit(scheduler: LRScheduler, **factors: float) -> None:
    for what, value in factors.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name(scheduler)}: {what} must be from 0 to 1; got {value}")

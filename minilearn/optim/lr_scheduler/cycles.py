"""Schedules that rise and fall, and take the momentum along the other way."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, floor, pi
from typing import Any

from ..optimizer import Optimizer
from ..schedules import Annealing, cosine, linear
from .base import LRScheduler, name, need_nonzero, optimizer_of, per_group


class CosineAnnealingWarmRestarts(LRScheduler):
    """Let the rate fall to `eta_min` along a cosine, then start again from the top (SGDR).

    T_0: the epochs of the first fall; each later one takes `T_mult` times as long. Source:
    Loshchilov & Hutter 2017.
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0,
                 last_epoch: int = -1):
        _positive(self, T_0=T_0, T_mult=T_mult)
        if not isinstance(eta_min, float | int):
            raise ValueError(f"{name(self)}: eta_min must be a number; got {eta_min!r}")
        self.T_0, self.T_i, self.T_mult, self.eta_min = T_0, T_0, T_mult, eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of epoch `last_epoch`, one per group."""
        wave = 1 + cos(pi * self.T_cur / self.T_i)
        return [self.eta_min + (lr - self.eta_min) * wave / 2 for lr in self.base_lrs]

    first_lr = get_lr

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch, or to the given one, which may be a fraction: after batch i of n
        `step(epoch + i / n)`. Raises ValueError below 0."""
        if epoch is not None and epoch < 0:
            raise ValueError(f"{name(self)}: epoch must be 0 or more; got {epoch}")
        if epoch is not None:
            self._restart_before(epoch)
        else:
            self.T_cur = self.T_cur + 1 if self.last_epoch >= 0 else 0
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
            self.last_epoch += 1
        self._set(self.get_lr())

    def _restart_before(self, epoch: float) -> None:
        """Find the fall that an epoch lies in: how long it is, and how far the epoch is in it."""
        self.last_epoch, self.T_cur, self.T_i = floor(epoch), epoch, self.T_0
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult


class OneCycleLR(LRScheduler):
    """Let the rate rise to `max_lr` and fall far below its start, in one cycle (Smith 2018).

    total_steps (or epochs and steps_per_epoch): the length, in calls of `step()`. The rate rises
    from max_lr / div_factor over the first `pct_start` of it, and falls to 1 / final_div_factor of
    that; with `three_phase` it falls to its start first. With `cycle_momentum` the momentum (or
    Adam's first beta) goes from max_momentum to base_momentum and back. max_lr and both momenta:
    a number, or one per group. Raises ValueError on a step beyond the end.
    """

    def __init__(self, optimizer: Optimizer, max_lr: float | list[float],
                 total_steps: int | None = None, epochs: int | None = None,
                 steps_per_epoch: int | None = None, pct_start: float = 0.3,
                 anneal_strategy: str = "cos", cycle_momentum: bool = True,
                 base_momentum: float | list[float] = 0.85,
                 max_momentum: float | list[float] = 0.95, div_factor: float = 25.0,
                 final_div_factor: float = 1e4, three_phase: bool = False, last_epoch: int = -1):
        need_nonzero(self, div_factor=div_factor, final_div_factor=final_div_factor)
        self.optimizer = optimizer_of(self, optimizer)
        self.total_steps = _length(self, total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start must be a float in [0, 1]; got {pct_start!r}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError("OneCycleLR: anneal_strategy must be 'cos' or 'linear'; got "
                             f"{anneal_strategy!r}")
        self.pct_start, self.three_phase = pct_start, three_phase
        self.anneal_strategy, self.cycle_momentum = anneal_strategy, cycle_momentum
        max_lrs = per_group(self, optimizer, "max_lr", max_lr)
        if last_epoch == -1:
            for group, top in zip(optimizer.param_groups, max_lrs, strict=True):
                start = top / div_factor
                group.update(initial_lr=start, max_lr=top, min_lr=start / final_div_factor)
        if cycle_momentum:
            _prepare_momentum(self, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def phases(self) -> list[tuple[float, tuple[str, str], tuple[str, str]]]:
        """List the phases: last step, and between which of a group's entries both go."""
        up, back = ("base_momentum", "max_momentum"), ("max_momentum", "base_momentum")
        turn, end = self.pct_start * self.total_steps - 1, self.total_steps - 1
        rise = (turn, ("initial_lr", "max_lr"), back)
        if not self.three_phase:
            return [rise, (end, ("max_lr", "min_lr"), up)]
        return [rise, (2 * self.pct_start * self.total_steps - 2, ("max_lr", "initial_lr"), up),
                (end, ("initial_lr", "min_lr"), ("max_momentum", "max_momentum"))]

    def get_lr(self) -> list[float]:
        """Return the rates of step `last_epoch`, one per group; set the momenta as well."""
        step, start = self.last_epoch, 0.0
        if step > self.total_steps:
            raise ValueError(f"OneCycleLR: this is step {step} of a cycle of {self.total_steps}")
        *early, phase = self.phases()
        for candidate in early:
            if step <= candidate[0]:
                phase = candidate
                break
            start = candidate[0]
        end, rates, momenta = phase
        t = (step - start) / (end - start)
        anneal = cosine if self.anneal_strategy == "cos" else linear
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                _set_momentum(group, _between(anneal, group, momenta, t))
        return [_between(anneal, group, rates, t) for group in self.optimizer.param_groups]

    first_lr = get_lr


class CyclicLR(LRScheduler):
    """Let the rate go up and down between `base_lr` and `max_lr` in straight lines (Smith 2017).

    step_size_up, step_size_down: calls of `step()` to the top and back. mode: "triangular",
    "triangular2" (each cycle half as high) or "exp_range" (height gamma**step). scale_fn: the
    height as a function of the cycle or of the step instead (scale_mode "cycle", "iterations").
    """

    def __init__(self, optimizer: Optimizer, base_lr: float | list[float],
                 max_lr: float | list[float], step_size_up: int = 2000,
                 step_size_down: int | None = None, mode: str = "triangular", gamma: float = 1.0,
                 scale_fn: Callable | None = None, scale_mode: str = "cycle",
                 cycle_momentum: bool = True, base_momentum: float | list[float] = 0.8,
                 max_momentum: float | list[float] = 0.9, last_epoch: int = -1):
        base_lrs = per_group(self, optimizer_of(self, optimizer), "base_lr", base_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                group["lr"] = lr
        self.optimizer, self.max_lrs = optimizer, per_group(self, optimizer, "max_lr", max_lr)
        need_nonzero(self, step_size_up=step_size_up)
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError("CyclicLR: mode must be 'triangular', 'triangular2' or 'exp_range', "
                             f"or pass a scale_fn; got {mode!r}")
        self.mode, self.gamma, self.scale_fn, self.scale_mode = mode, gamma, scale_fn, scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            _prepare_momentum(self, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def height(self, cycle: int) -> float:
        """Return how high the triangle of this cycle is, 1 at first."""
        if self.scale_fn is not None:
            return self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.mode == "exp_range":
            return self.gamma**self.last_epoch
        return 1.0 if self.mode == "triangular" else 0.5 ** (cycle - 1)

    def get_lr(self) -> list[float]:
        """Return the rates of step `last_epoch`, one per group; set the momenta as well."""
        cycle = floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        up = x <= self.step_ratio
        t = x / self.step_ratio if up else (x - 1) / (self.step_ratio - 1)
        t *= self.height(cycle)
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                _set_momentum(group, linear(group["max_momentum"], group["base_momentum"], t))
        return [linear(*pair, t) for pair in zip(self.base_lrs, self.max_lrs, strict=True)]

    first_lr = get_lr


def _between(anneal: Annealing, group: dict, keys: tuple[str, str], t: float) -> float:
    return anneal(group[keys[0]], group[keys[1]], t)


def _positive(scheduler: LRScheduler, **counts: Any) -> None:
    for what, value in counts.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name(scheduler)}: {what} must be a whole number above 0; "
                             f"got {value!r}")


def _length(scheduler: LRScheduler, total: Any, epochs: Any, per_epoch: Any) -> int:
    if total is not None:
        _positive(scheduler, total_steps=total)
        return total
    if epochs is None or per_epoch is None:
        raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
    _positive(scheduler, epochs=epochs, steps_per_epoch=per_epoch)
    return epochs * per_epoch


def _prepare_momentum(scheduler: LRScheduler, base: Any, top: Any, last_epoch: int) -> None:
    optimizer = scheduler.optimizer
    if not {"momentum", "betas"} & optimizer.defaults.keys():
        raise ValueError(f"{name(scheduler)}: {optimizer.name} has no momentum to cycle; "
                         "pass cycle_momentum=False")
    bases = per_group(scheduler, optimizer, "base_momentum", base)
    tops = per_group(scheduler, optimizer, "max_momentum", top)
    if last_epoch == -1:
        for group, low, high in zip(optimizer.param_groups, bases, tops, strict=True):
            _set_momentum(group, high)
            group.update(base_momentum=low, max_momentum=high)


def _set_momentum(group: dict[str, Any], momentum: float) -> None:
    """Set a group's momentum, which Adam calls its first beta."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum

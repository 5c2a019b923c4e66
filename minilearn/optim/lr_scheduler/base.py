"""What all schedulers share: they set the rates of an optimizer's groups, once per `step()`."""

from __future__ import annotations

from typing import Any

from ..optimizer import Optimizer


class LRScheduler:
    """Set each group's learning rate after each epoch (or batch); the base of the others.

    A subclass says by which `multiplier` the rate changes on arriving at an epoch, or computes
    the rates itself in `get_lr`. Because it starts from the present rate, several schedulers can
    act on one optimizer. last_epoch: -1 to start; otherwise the epoch to go on from.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        self.optimizer = optimizer_of(self, optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(f"{name(self)}: to go on from last_epoch={last_epoch}, "
                               f"param_groups[{i}] needs its 'initial_lr'; load the optimizer's "
                               "state_dict first")
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self.begin()

    def begin(self) -> None:
        """Set the first epoch's rates."""
        self._is_initial = True
        self.step()
        self._is_initial = False

    def step(self) -> None:
        """Go on to the next epoch; call it after the optimizer's steps of this one."""
        self.last_epoch += 1
        self._set(self.get_lr())

    def restart(self) -> None:
        """Begin again at epoch 0 with the initial rates: this schedule's turn has come."""
        self.last_epoch = 0
        self._set(self.first_lr())

    def get_lr(self) -> list[float]:
        """Return the rates of epoch `last_epoch`, one per group."""
        multiplier = self.multiplier(self.last_epoch)
        return [group["lr"] * multiplier for group in self.optimizer.param_groups]

    def first_lr(self) -> list[float]:
        """Return the rates of epoch 0."""
        return [lr * self.multiplier(0) for lr in self.base_lrs]

    def multiplier(self, epoch: int) -> float:
        """Return what the rate is multiplied by on arriving at an epoch."""
        raise NotImplementedError(f"{name(self)}: write get_lr or multiplier")

    def get_last_lr(self) -> list[float]:
        """Return the rates that were set last, one per group."""
        return self._last_lr

    def _set(self, rates: list[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = lr
        self._last_lr = list(rates)

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer (and functions, which cannot be saved)."""
        return {k: v for k, v in vars(self).items() if k != "optimizer" and not _functions(v)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict`; load the optimizer's as well."""
        vars(self).update(state_dict)


def optimizer_of(scheduler: Any, optimizer: Any) -> Optimizer:
    """Return the optimizer. Raises TypeError if it is none."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{name(scheduler)}: needs an Optimizer; got {type(optimizer).__name__}")
    return optimizer


def need_nonzero(scheduler: LRScheduler, **numbers: float) -> None:
    """Raise ValueError where a number that is divided by is 0."""
    for what, value in numbers.items():
        if value == 0:
            raise ValueError(f"{name(scheduler)}: {what} must not be 0; got {value}")


def per_group(scheduler: Any, optimizer: Optimizer, what: str, value: Any) -> list:
    """Return one value per group. Raises ValueError for a list of another length."""
    groups = len(optimizer.param_groups)
    values = list(value) if isinstance(value, list | tuple) else [value] * groups
    if len(values) != groups:
        raise ValueError(f"{name(scheduler)}: {what} has {len(values)} values for {groups} groups")
    return values


def name(scheduler: Any) -> str:
    """Return the scheduler's name, for messages."""
    return type(scheduler).__name__


def _functions(value: Any) -> bool:
    return any(callable(v) for v in (value if isinstance(value, list) else [value]))

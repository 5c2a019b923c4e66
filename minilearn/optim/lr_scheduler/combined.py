"""Schedules made of schedules: one after another, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, name
from .decays import ReduceLROnPlateau


class SequentialLR(LRScheduler):
    """Follow one scheduler after another; each milestone is the epoch where the next one starts.

    Raises ValueError unless there is one scheduler more than milestones, all of this optimizer.
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler],
                 milestones: Sequence[int], last_epoch: int = -1):
        _check(self, schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(f"SequentialLR: {len(schedulers)} schedulers need "
                             f"{len(schedulers) - 1} milestones; got {len(milestones)}")
        self.optimizer, self.last_epoch = optimizer, last_epoch + 1
        self._schedulers, self._milestones = list(schedulers), list(milestones)
        for group in optimizer.param_groups:  # undo what the schedulers did when they were made
            group["lr"] = group["initial_lr"]
        _undo(self)
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first.begin()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:
        """Go on to the next epoch; call it after the optimizer's steps of this one."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler.restart()
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer: the schedulers' states and where they are."""
        return _state(self)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict`; load the optimizer's as well."""
        _load(self, state_dict)


class ChainedScheduler(LRScheduler):
    """Let several schedulers act on one optimizer at every step, one on top of the other."""

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None):
        optimizer = optimizer or getattr(next(iter(schedulers), None), "optimizer", None)
        _check(self, schedulers, optimizer)
        self.optimizer, self._schedulers = optimizer, list(schedulers)
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    def step(self) -> None:
        """Go on to the next epoch; call it after the optimizer's steps of this one."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer: the schedulers' states and where they are."""
        return _state(self)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict`; load the optimizer's as well."""
        _load(self, state_dict)


def _check(combined: LRScheduler, schedulers: Sequence, optimizer: Any) -> None:
    if len(schedulers) < 1:
        raise ValueError(f"{name(combined)}: needs at least one scheduler")
    for i, scheduler in enumerate(schedulers):
        if not hasattr(scheduler, "optimizer"):
            raise TypeError(f"{name(combined)}: schedulers[{i}] must be a scheduler; "
                            f"got {type(scheduler).__name__}")
        if isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError(f"{name(combined)}: schedulers[{i}] is a ReduceLROnPlateau, whose "
                             "step needs a metric; step it on its own")
        if scheduler.optimizer is not optimizer:
            raise ValueError(f"{name(combined)}: schedulers[{i}] belongs to another optimizer")


def _undo(scheduler: LRScheduler) -> None:
    """Take back one epoch, in all the schedulers inside."""
    if hasattr(scheduler, "_schedulers"):
        for inner in scheduler._schedulers:
            _undo(inner)
    else:
        scheduler.last_epoch -= 1


def _state(combined: LRScheduler) -> dict[str, Any]:
    own = {k: v for k, v in vars(combined).items() if k not in ("optimizer", "_schedulers")}
    return {**own, "_schedulers": [s.state_dict() for s in combined._schedulers]}


def _load(combined: LRScheduler, state_dict: dict[str, Any]) -> None:
    own = {k: v for k, v in state_dict.items() if k != "_schedulers"}
    vars(combined).update(own)
    for scheduler, state in zip(combined._schedulers, state_dict["_schedulers"], strict=True):
        scheduler.load_state_dict(state)

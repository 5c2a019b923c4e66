"""The learning-rate finder: try every rate for one batch each, and look where the loss falls."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

from ..slots import Slot
from .callbacks import Callback, StopFit
from .learner import Learner
from .metrics import Smoothed


@dataclass
class LRFinder:
    """What the finder saw: `lrs` tried and the smoothed `losses` (debiased, beta 0.98)."""

    lrs: list[float]
    losses: list[float]

    @property
    def steepest(self) -> float:
        """The rate at which the loss falls fastest: the usual suggestion."""
        lrs, losses = self.shown()
        slopes = [
            (losses[i + 1] - losses[i - 1]) / math.log(lrs[i + 1] / lrs[i - 1])
            for i in range(1, len(lrs) - 1)
        ]
        return lrs[1 + slopes.index(min(slopes))]

    @property
    def minimum_tenth(self) -> float:
        """A tenth of the rate with the smallest loss: a second opinion."""
        lrs, losses = self.shown()
        return lrs[losses.index(min(losses))] / 10

    def shown(self, skip_start: int = 10, skip_end: int = 5) -> tuple[list[float], list[float]]:
        """Return the part worth plotting: without the first 10 points and the last 5."""
        if len(self.lrs) < skip_start + skip_end + 3:
            raise ValueError(f"lr_find: only {len(self.lrs)} points, the loss exploded at once; "
                             "start at a smaller learning rate")
        end = len(self.lrs) - skip_end
        return self.lrs[skip_start:end], self.losses[skip_start:end]


@Slot
def should_stop(losses: list[float], factor: float = 4.0) -> bool:
    """Say whether the newest loss is not finite, or above `factor` times the smallest so far."""
    return not math.isfinite(losses[-1]) or losses[-1] > factor * min(losses)


class _Sweep(Callback):
    """Set an exponentially growing rate for each batch; stop when the loss explodes."""

    def __init__(self, start: float, end: float, steps: int) -> None:
        self.start, self.end, self.steps = start, end, steps
        self.found, self.smoothed = LRFinder([], []), Smoothed()

    def before_batch(self, learn: Learner) -> None:
        share = len(self.found.lrs) / (self.steps - 1)
        self.lr = self.start * (self.end / self.start) ** share
        for group in learn.optimizer.param_groups:
            group["lr"] = self.lr

    def after_loss(self, learn: Learner) -> None:
        loss = self.smoothed.add(learn.loss.item())
        if should_stop([*self.found.losses, loss]):
            raise StopFit("the loss exploded")
        self.found.lrs.append(self.lr)
        self.found.losses.append(loss)
        if len(self.found.lrs) == self.steps:
            raise StopFit("every rate was tried")


def lr_find(
    learn: Learner, start: float = 1e-7, end: float = 10, steps: int = 100
) -> LRFinder:
    """Train on up to `steps` batches with rates from `start` to `end`, then put everything back.

    Stops early when the smoothed loss exceeds four times its best. Source: Smith 2015, fast.ai.
    """
    if not 0 < start < end or steps < 2:
        raise ValueError(f"lr_find: needs 0 < start < end and steps >= 2; got start {start}, "
                         f"end {end}, steps {steps}")
    weights = copy.deepcopy(learn.model.state_dict())
    optimizer = copy.deepcopy(learn.optimizer.state_dict())
    kept = learn.callbacks, learn.valid, learn.epoch, learn.iteration
    sweep = _Sweep(start, end, steps)
    try:
        learn.callbacks, learn.valid = [], None
        learn.fit(learn.epoch + math.ceil(steps / len(learn.train)), callbacks=[sweep])
    finally:
        learn.callbacks, learn.valid, learn.epoch, learn.iteration = kept
        learn.model.load_state_dict(weights)
        learn.optimizer.load_state_dict(optimizer)
    return sweep.found

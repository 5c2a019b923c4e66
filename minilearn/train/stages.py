"""Training in stages: first frozen, then all of it; first small images, then larger ones.

    plan = [Stage(10, slice(1e-2), 32, small, frozen=True),
            Stage(10, slice(1e-5, 1e-3), 32, small),
            Stage(10, slice(1e-6, 1e-4), 12, large)]
    learn.callbacks.append(Stages(plan, learn.train))
    learn.fit(30)

A net that has learnt on small images knows most of what it needs for larger ones, and learnt it in
a fraction of the time (Karras et al. 2018; fast.ai's lesson 7 calls it progressive resizing).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from .callbacks import Callback, OneCycle
from .checkpoint import save_checkpoint
from .groups import freeze, unfreeze


@dataclass(frozen=True)
class Stage:
    """One part of a training: a one-cycle of its own, on images of its own size.

    lr: largest rate, a number or a slice over the layer groups (`train.rates`). batch_size: of the
    training. train, valid: the `batch_transform` of each loader; valid None: the same as train.
    frozen: only the last layer group learns, and batch norm.
    """

    epochs: int
    lr: float | slice | list[float]
    batch_size: int
    train: Callable[..., Any]
    valid: Callable[..., Any] | None = None
    frozen: bool = False
    pct_start: float = 0.3


class Stages(Callback):
    """Take a Learner through several stages, each with a fresh optimizer, weights carried over.

    It stands in the place of `OneCycle`; `learn.fit` gets `self.epochs`, the sum of theirs.
    loader: the Learner's, for training. folder: gets stage-1.safetensors, ..., a checkpoint at the
    end of each stage but the last.
    A run that is resumed goes on in the right stage, if this is one of the Learner's own callbacks.
    Raises ValueError where no stage is given.
    """

    def __init__(
        self, stages: Sequence[Stage], loader: Any, folder: str | Path | None = None
    ) -> None:
        if not stages or any(stage.epochs < 1 for stage in stages):
            raise ValueError("Stages: give at least one stage, each of one epoch or more")
        self.stages, self.loader, self.folder = list(stages), loader, folder
        self.ends = list(accumulate(stage.epochs for stage in stages))
        self.epochs = self.ends[-1]

    def number(self, epoch: int) -> int:
        """Return the place of the stage in which the epoch (from 0) lies; the last one's after it.

        >>> from functools import partial
        >>> halves = Stages([Stage(2, 0.1, 8, partial), Stage(2, 0.1, 4, partial)], [])
        >>> [halves.number(epoch) for epoch in range(4)]
        [0, 0, 1, 1]
        """
        return next((i for i, end in enumerate(self.ends) if epoch < end), len(self.ends) - 1)

    def before_epoch(self, learn: Any) -> None:
        number = self.number(learn.epoch)
        stage, done = self.stages[number], learn.epoch - self.ends[number]
        self.loader.batch_size, self.loader.batch_transform = stage.batch_size, stage.train
        if learn.valid is not None:
            loader_of(learn.valid).batch_transform = stage.valid or stage.train
        (freeze if stage.frozen else unfreeze)(learn.model)
        if done + stage.epochs == 0:  # what Adam remembers is of other rates and other images
            learn.optimizer.state = defaultdict(dict)
        self.cycle = OneCycle(stage.lr, pct_start=stage.pct_start)
        self.cycle.total = stage.epochs * len(learn.train)
        self.cycle.first = learn.iteration - (done + stage.epochs) * len(learn.train)

    def before_batch(self, learn: Any) -> None:
        self.cycle.before_batch(learn)

    def after_epoch(self, learn: Any) -> None:
        if self.folder is not None and learn.epoch in self.ends[:-1]:
            number = self.ends.index(learn.epoch) + 1
            save_checkpoint(learn, Path(self.folder) / f"stage-{number}.safetensors")

    def state_dict(self) -> dict[str, Any]:
        return {"batch_size": self.loader.batch_size}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.loader.batch_size = state["batch_size"]  # or its own state would not fit it


def loader_of(loader: Any) -> Any:
    """Return the loader inside what gives each worker its share, or the loader itself."""
    return getattr(loader, "loader", loader)

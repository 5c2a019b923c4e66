"""The training loop, on one screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .. import functional as F
from .. import xp
from ..data import DataLoader
from ..nn import Module
from ..optim import AdamW
from ..tensor import Tensor
from .callbacks import Callback, OneCycle, Recorder, StopFit
from .evaluate import Evaluator
from .groups import rates_of, to_optimize
from .metrics import accuracy
from .parallel import with_workers


class Learner(Evaluator):
    """A model, its data, a loss and an optimizer, and the loop that brings them together.

    train, valid: loaders of (input, target) batches. optimizer: called with the parameters.
    metrics: functions of (output, target), averaged over the validation set.
    callbacks: told of every event (see `Callback`), in the order given.
    """

    def __init__(
        self, model: Module, train: DataLoader, valid: Iterable | None = None, *,
        loss: Callable[[Any, Any], Tensor] = F.cross_entropy,
        optimizer: Callable[..., Any] = AdamW, metrics: Sequence[Callable] = (accuracy,),
        callbacks: Sequence[Callback] = (),
    ):
        self.model, self.train, self.valid = model, train, valid
        self.loss_function, self.optimizer = loss, optimizer(to_optimize(model))
        self.metrics, self.recorder = metrics, Recorder()
        self.callbacks = [self.recorder, *callbacks]
        self.epoch = self.iteration = 0  # finished so far

    def fit(self, epochs: int, lr: Any = 0.0, callbacks: Sequence[Callback] = ()) -> None:
        """Train until `epochs` epochs are finished: a resumed learner does what is left of them.

        lr: a number, or a slice over the layer groups, see `train.rates`.
        """
        self.epochs, self.active = epochs, with_workers([*self.callbacks, *callbacks])
        groups = self.optimizer.param_groups
        for group, rate in zip(groups, rates_of(groups, lr), strict=True) if lr else ():
            group["lr"] = rate
        try:
            self.tell("before_fit")
            with xp.quiet():  # a diverging loss is told by a callback, not by warnings
                while self.epoch < epochs:
                    self.run_epoch()
        except StopFit as stop:
            self.stopped = str(stop)
        except BaseException as error:
            self.tell("on_error", error)
            raise
        finally:
            self.tell("after_fit")

    def fit_one_cycle(
        self, epochs: int, lr_max: Any = 3e-3, callbacks: Sequence[Callback] = ()
    ) -> None:
        """Train with the rate going up to `lr_max` and down again (`OneCycle` has more options)."""
        self.fit(epochs, callbacks=[OneCycle(lr_max), *callbacks])

    def run_epoch(self) -> None:
        """Go once through the training data, then once through the validation data."""
        self.tell("before_epoch")
        self.model.train()
        for batch in self.train:
            self.batch = batch
            self.tell("before_batch")
            self.run_batch(*self.batch)
            self.iteration += 1
            self.tell("after_batch")
        self.results = {} if self.valid is None else self.validate()
        self.epoch += 1
        self.tell("after_epoch")

    def run_batch(self, x: Any, y: Any) -> None:
        """Predict, measure the loss, work out its gradient, take a step: all of deep learning."""
        self.output = self.model(x)
        self.loss = self.loss_function(self.output, y)
        self.tell("after_loss")
        self.loss.backward()
        self.tell("after_backward")
        self.optimizer.step()
        self.optimizer.zero_grad()

    def tell(self, event: str, *details: Any) -> None:
        """Tell every callback of an event."""
        for callback in self.active:
            getattr(callback, event)(self, *details)

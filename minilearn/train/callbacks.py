"""Callbacks: what else should happen while a model trains, said without touching the loop."""

from __future__ import annotations

import csv
import io
import math
import time
from pathlib import Path
from typing import Any

from .. import optim, xp
from .files import write_whole
from .groups import rates_of
from .metrics import Smoothed


class StopFit(Exception):
    """Raised by a callback to end the training in good order."""


class Callback:
    """Base class: every event there is, in the order in which they happen; each does nothing.

    `learn` is the Learner, with `model`, `optimizer`, `epoch` and `iteration` (finished so far),
    `epochs` (wanted), `batch`, `output`, `loss`, `results`. A misspelt event is refused.
    """

    def before_fit(self, learn: Any) -> None:
        """Training is about to begin, or to go on."""

    def before_epoch(self, learn: Any) -> None:
        """An epoch begins."""

    def before_batch(self, learn: Any) -> None:
        """`learn.batch` is ready: the moment to set the learning rate."""

    def after_loss(self, learn: Any) -> None:
        """`learn.output` and `learn.loss` are known."""

    def after_backward(self, learn: Any) -> None:
        """Gradients are in place: the moment to clip them."""

    def after_batch(self, learn: Any) -> None:
        """The step is taken and `learn.iteration` counts it."""

    def after_epoch(self, learn: Any) -> None:
        """Validation is done and `learn.epoch` counts the epoch."""

    def after_fit(self, learn: Any) -> None:
        """Training is over, in whichever way."""

    def on_error(self, learn: Any, error: BaseException) -> None:
        """Training ends with an error (Ctrl-C is one); `after_fit` follows."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint must keep of this callback."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""

    def __init_subclass__(cls) -> None:
        known = [name for name in vars(Callback) if name.startswith(("before_", "after_", "on_"))]
        for name in vars(cls):
            if name.startswith(("before_", "after_", "on_")) and name not in known:
                events = ", ".join(known)
                raise TypeError(f"{cls.__name__}.{name}: no such event; there are {events}")


class Recorder(Callback):
    """Keep the numbers of the run: a row for each epoch, loss and rates for each batch.

    `history`: rows of `epoch` (from 1), `train_loss` (smoothed), `valid_loss`, metrics, `seconds`.
    """

    def __init__(self) -> None:
        self.history: list[dict[str, float]] = []
        self.losses: list[float] = []
        self.lrs: list[float] = []
        self.momenta: list[float] = []
        self.smoothed = Smoothed()

    def before_epoch(self, learn: Any) -> None:
        self.began = time.perf_counter()

    def after_batch(self, learn: Any) -> None:
        group = learn.optimizer.param_groups[-1]
        self.losses.append(learn.loss.item())
        self.smoothed.add(self.losses[-1])
        self.lrs.append(group["lr"])
        self.momenta.append(group["betas"][0] if "betas" in group else group.get("momentum", 0.0))

    def after_epoch(self, learn: Any) -> None:
        seconds = time.perf_counter() - self.began
        row = {"epoch": learn.epoch, "train_loss": self.smoothed.value, **learn.results}
        self.history.append(row | {"seconds": seconds})

    def state_dict(self) -> dict[str, Any]:
        kept = {k: list(getattr(self, k)) for k in ("history", "losses", "lrs", "momenta")}
        return kept | {"mean": self.smoothed.mean, "count": self.smoothed.count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in ("history", "losses", "lrs", "momenta"):
            setattr(self, name, list(state[name]))
        self.smoothed.mean, self.smoothed.count = state["mean"], state["count"]


class OneCycle(Callback):
    """Raise the learning rate to its maximum and let it sink again, momentum the other way round.

    lr_max: a number, a list of one for each layer group, or a slice, see `train.rates`. The other
    arguments are `optim.one_cycle`'s.
    Source: Smith 2018, as fast.ai's fit_one_cycle.
    """

    def __init__(self, lr_max: float | slice | list[float], **shape: Any) -> None:
        self.lr_max, self.shape = lr_max, shape

    def before_fit(self, learn: Any) -> None:
        self.first, self.total = 0, learn.epochs * len(learn.train)

    def before_batch(self, learn: Any) -> None:
        groups, step = learn.optimizer.param_groups, learn.iteration - self.first
        for group, peak in zip(groups, rates_of(groups, self.lr_max), strict=True):
            group["lr"], momentum = optim.one_cycle(step, self.total, peak, **self.shape)
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum


class CSVLog(Callback):
    """Write the history as a CSV file after each epoch."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def after_epoch(self, learn: Any) -> None:
        rows = learn.recorder.history
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[-1]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_whole(self.path, text.getvalue().encode())


class EarlyStopping(Callback):
    """Stop when `monitor` has not improved by `min_delta` for `patience` epochs.

    mode: "min" for losses, "max" for accuracies.
    """

    def __init__(
        self, monitor: str = "valid_loss", patience: int = 3, min_delta: float = 0,
        mode: str = "min",
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f'EarlyStopping: mode must be "min" or "max", got {mode!r}')
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta
        self.sign = 1 if mode == "min" else -1
        self.best, self.waited = math.inf, 0

    def after_epoch(self, learn: Any) -> None:
        if self.monitor not in learn.results:
            raise KeyError(f"EarlyStopping: no {self.monitor!r} is measured, only "
                           f"{', '.join(learn.results)}")
        value = self.sign * learn.results[self.monitor]
        self.waited = 0 if value < self.best - self.min_delta else self.waited + 1
        self.best = min(self.best, value)
        if self.waited >= self.patience:
            raise StopFit(f"{self.monitor} has not improved for {self.patience} epochs")

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best if math.isfinite(self.best) else None, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best = math.inf if state["best"] is None else state["best"]
        self.waited = state["waited"]


class Diverged(FloatingPointError):
    """The loss became infinite or not a number."""


class StopOnNaN(Callback):
    """Stop when the loss is not finite, and name the layer in which that began."""

    def after_loss(self, learn: Any) -> None:
        loss = learn.loss.item()
        if math.isfinite(loss):
            return
        rates = ", ".join(f"{group['lr']:.3g}" for group in learn.optimizer.param_groups)
        place = first_bad_place(learn.model, learn.batch[0])
        raise Diverged(
            f"the loss is {loss} at step {learn.iteration + 1} (epoch {learn.epoch + 1}) with "
            f"learning rate {rates}; {place}. Try a learning rate 10 times smaller, or look at the "
            "data for values that are not finite.")


def first_bad_place(model: Any, x: Any) -> str:
    """Say where a number that is not finite first appears when `model` is given `x`."""
    if not _finite(x):
        return "the input batch itself has a value that is not finite"
    for name, parameter in model.named_parameters():
        if not _finite(parameter):
            return f"parameter {name} is no longer finite: the step before was too large"
    found: list[str] = []

    def look(module: Any, inputs: Any, output: Any) -> None:
        if hasattr(output, "data") and not found and not _finite(output):
            found.append(f"it first appears in the output of {names[module]} ({module!r})")

    leaves = {m: name for name, m in model.named_modules() if not list(m.children())}
    names = leaves or {model: "the model"}
    handles = [module.register_forward_hook(look) for module in names]
    try:
        model(x)
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else "every layer's output is finite, so the loss function made it"


def _finite(tensor: Any) -> bool:
    return bool(xp.all(xp.isfinite(tensor.data))) if xp.is_floating(tensor.data) else True

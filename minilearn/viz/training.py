"""Pictures of a training run: losses, metrics, the schedules, the learning-rate finder."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..train.lr_find import LRFinder
from ..train.metrics import Smoothed
from .style import BLUE, GREEN, ORANGE, RED, describe, logarithmic, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOT_METRICS = ("epoch", "train_loss", "valid_loss", "seconds")


@styled
def losses(learn: Any) -> Figure:
    """Draw the loss of every batch, thin; smoothed, thick; and of every validation, as dots.

    learn: a Learner that has trained. The loss axis is logarithmic where all losses are above 0.
    Raises ValueError where nothing has been trained yet.
    """
    recorder = learn.recorder
    if not recorder.losses:
        raise ValueError("losses: nothing has been recorded; call learn.fit first")
    figure, axes = _one("loss")
    smoothed = Smoothed(recorder.smoothed.beta)
    trend = [smoothed.add(loss) for loss in recorder.losses]
    steps = np.arange(1, len(trend) + 1)
    thin = {"alpha": 0.35, "linewidth": 0.6}
    axes.plot(steps, recorder.losses, color=BLUE, **thin, label="training, each batch")
    axes.plot(steps, trend, color=BLUE, label="training, smoothed")
    valid = _valid_losses(learn)
    if valid:
        ends = zip(*valid, strict=True)  # steps, losses
        axes.plot(*ends, "o-", color=RED, markersize=4.5, label="validation, each epoch")
    if min(recorder.losses + [loss for _, loss in valid]) > 0:
        logarithmic(axes)
    axes.set(title="Losses", xlabel="training step (batch)")
    _whole(axes, len(trend))
    axes.legend()
    end = f", the validation loss at {valid[-1][1]:.4f}" if valid else ""
    return describe(figure, f"Losses over {len(trend)} training steps: the smoothed training loss "
                            f"ends at {trend[-1]:.4f}{end}.")


def _valid_losses(learn: Any) -> list[tuple[int, float]]:
    """Return (steps taken, validation loss) at the end of each epoch that was validated."""
    rows = [row for row in learn.recorder.history if "valid_loss" in row]
    return [(row["epoch"] * len(learn.train), row["valid_loss"]) for row in rows]


@styled
def metrics(learn: Any) -> Figure:
    """Draw each metric over the epochs, a panel for each, with its last value.

    learn: a Learner that has finished an epoch. Raises ValueError where no metric was measured.
    """
    history = learn.recorder.history
    names = [name for name in (history[-1] if history else ()) if name not in NOT_METRICS]
    if not names:
        raise ValueError("metrics: none has been measured; give the Learner metrics= and "
                         "validation data, and train for an epoch")
    figure = new_figure(5.6 * len(names), 3.6)
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False).flat, names, strict=True):
        rows = [row for row in history if name in row]
        epochs, values = [row["epoch"] for row in rows], [row[name] for row in rows]
        axes.plot(epochs, values, "o-", color=GREEN, markersize=4.5, clip_on=False)
        words = name.replace("_", " ")
        axes.set_title(f"{words.capitalize()}: {values[-1]:.4f} at the end")
        axes.set(xlabel="epoch", ylabel=words)
        _whole(axes, max(epochs))
    last = ", ".join(f"{name} {history[-1][name]:.4f}" for name in names)
    return describe(figure, f"Metrics over {len(history)} epochs, at the end: {last}.")


@styled
def schedules(learn: Any) -> Figure:
    """Draw the learning rate and the momentum of every step, side by side.

    Raises ValueError where nothing has been trained yet.
    """
    recorder = learn.recorder
    if not recorder.lrs:
        raise ValueError("schedules: nothing has been recorded; call learn.fit first")
    figure = new_figure(9, 3.4)
    drawn = (("Learning rate", recorder.lrs, BLUE), ("Momentum", recorder.momenta, ORANGE))
    for axes, (title, values, colour) in zip(figure.subplots(1, 2), drawn, strict=True):
        axes.plot(np.arange(1, len(values) + 1), values, color=colour)
        axes.set(title=title, xlabel="training step (batch)", ylabel=title.lower())
        axes.ticklabel_format(axis="y", useOffset=False)
        _whole(axes, len(values))
    return describe(figure, f"Schedules over {len(recorder.lrs)} steps: the learning rate peaks at "
                            f"{max(recorder.lrs):.3g} and ends at {recorder.lrs[-1]:.3g}.")


@styled
def lr_finder(found: LRFinder) -> Figure:
    """Draw the smoothed loss over the learning rates tried, and mark the two suggestions.

    The flat start and the explosion at the end are left out, as in `LRFinder.shown`.
    Raises ValueError where too few rates were tried.
    """
    lrs, values = found.shown()
    figure, axes = _one("smoothed loss")
    axes.plot(lrs, values, color=BLUE)
    axes.set_xscale("log")
    marks = (("where the loss falls fastest", found.steepest, RED, "o"),
             ("a tenth of where it is lowest", found.minimum_tenth, ORANGE, "D"))
    for name, lr, colour, shape in marks:
        height = np.interp(math.log(lr), np.log(lrs), values)
        axes.axvline(lr, color=colour, linewidth=1, linestyle=":")
        axes.plot([lr], [height], shape, color=colour, markersize=7, label=f"{name}: {lr:.2g}")
    axes.set(title="Learning-rate finder", xlabel="learning rate (logarithmic)")
    axes.legend()
    told = " and ".join(f"{name} {lr:.2g}" for name, lr, _, _ in marks)
    return describe(figure, f"Loss over learning rates from {lrs[0]:.2g} to {lrs[-1]:.2g}; "
                            f"suggested rates: {told}.")


def _one(ylabel: str) -> tuple[Figure, Any]:
    figure = new_figure(6.6, 4)
    axes = figure.subplots()
    axes.set_ylabel(ylabel)
    return figure, axes


def _whole(axes: Any, last: int) -> None:
    """Let the x axis run from 1 to `last`, with ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    margin = max(0.02 * last, 0.1)
    axes.set_xlim(1 - margin, last + margin)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))

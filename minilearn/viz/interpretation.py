"""Pictures of where a classifier goes wrong: the confusion matrix, the worst mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..train.interpret import Interpretation
from .images import image_grid
from .style import describe, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def confusion_matrix(seen: Interpretation, *, normalize: bool = False) -> Figure:
    """Draw how often each class (row) was taken for each class (column).

    normalize: show shares of the row, 0 to 1, in place of counts.
    The numbers are white where the colour is darker than half the maximum.
    """
    counts = seen.confusion_matrix()
    shown = counts / np.maximum(counts.sum(1, keepdims=True), 1) if normalize else counts
    size, middle = len(counts), shown.max() / 2
    cell = 0.48 if size <= 16 else 0.34
    figure = new_figure(cell * size + 1.4, cell * size + 1.4)
    axes = figure.subplots()
    axes.imshow(shown, cmap="Blues", vmin=0)
    for (row, column), value in np.ndenumerate(shown):
        text = f"{value:.2f}" if normalize else f"{value}"
        colour = "white" if value > middle else "#B0B0B0" if value == 0 else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=16 * cell, color=colour)
    long = max(len(name) for name in seen.classes) > 3
    axes.set_xticks(range(size), seen.classes, rotation=90 if long else 0)
    axes.set_yticks(range(size), seen.classes)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    right = int(np.trace(counts))
    title = f"Confusion matrix: {right} of {len(seen)} right"
    axes.set(title=title, xlabel="predicted", ylabel="actual")
    return describe(figure, f"{title}, {size} classes. {_worst(seen)}")


def _worst(seen: Interpretation) -> str:
    pairs = [f"{a} taken for {p} ({n})" for a, p, n in seen.most_confused()[:5]]
    return f"Most often confused: {', '.join(pairs)}." if pairs else "Nothing is confused."


def top_losses(seen: Interpretation, k: int = 9) -> Figure:
    """Draw the `k` images with the largest losses, each under what was predicted and what is right.

    Titles: prediction / actual, then the loss / the probability given to the actual class.
    Raises ValueError for none, or for more images than there are.
    """
    if k < 1:
        raise ValueError(f"top_losses: k={k}, but there is nothing to draw; ask for 1 or more")
    worst, places = seen.top_losses(k)
    slash = " / " if max(map(len, seen.classes)) < 8 else "\n/ "
    titles = [
        f"{seen.classes[seen.predictions[i]]}{slash}{seen.classes[seen.targets[i]]}\n"
        f"{loss:.2f} / {seen.probabilities[i, seen.targets[i]]:.3f}"
        for loss, i in zip(worst, places, strict=True)
    ]
    caption = "prediction / actual,\nloss / probability given to the actual class"
    return image_grid(seen.inputs(places), titles, heading="Largest losses", caption=caption)

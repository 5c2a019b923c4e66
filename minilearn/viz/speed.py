"""Pictures of measured speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .style import BLUE, GREY, ORANGE, describe, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS = {"batch": "images in a batch", "pixels": "pixels in an image"}


@styled
def scaling(rows: list[dict[str, Any]]) -> Figure:
    """Draw the time of a step over growing sizes, beside a line in proportion to the size.

    rows: dicts with `along` ("batch" or "pixels"), `size`, `ours_best` and `torch_best`, in ms;
    there is a panel for each `along`. Raises ValueError where there is none.
    """
    kinds = list(dict.fromkeys(row["along"] for row in rows))
    if not kinds:
        raise ValueError("scaling: there is nothing to draw; measure first")
    figure = new_figure(4.8 * len(kinds), 4)
    told = []
    for axes, kind in zip(figure.subplots(1, len(kinds), squeeze=False).flat, kinds, strict=True):
        own = [row for row in rows if row["along"] == kind]
        _panel(axes, own)
        words, first, last = WORDS.get(kind, kind), own[0], own[-1]
        axes.set(title=f"Over the {kind}", xlabel=words)
        told.append(f"from {first['ours_best']:.3g} ms at {first['size']} to "
                    f"{last['ours_best']:.4g} ms at {last['size']} ({words})")
    return describe(figure, f"Time of a training step: {'; '.join(told)}.")


def _panel(axes: Any, rows: list[dict[str, Any]]) -> None:
    sizes, last = [row["size"] for row in rows], rows[-1]
    for side, label, colour in (("ours", "minilearn", BLUE), ("torch", "torch", ORANGE)):
        times = [row[f"{side}_best"] for row in rows]
        axes.plot(sizes, times, "o-", color=colour, label=label, markersize=4)
    linear = [last["ours_best"] * size / last["size"] for size in sizes]
    axes.plot(sizes, linear, ":", color=GREY, linewidth=1.2, label="in proportion to the size")
    lowest = min(row["torch_best"] for row in rows) / 3
    axes.set(xscale="log", yscale="log", ylabel="ms for a step", ylim=(lowest, None))
    axes.legend()

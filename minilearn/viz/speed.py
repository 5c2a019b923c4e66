"""Pictures of measured speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .style import BLUE, GREY, ORANGE, describe, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS = {"batch": "images in a batch", "pixels": "pixels in an image"}


@styled
def scaling(rows: list[dict[str, Any]]) -> Figure:
    """Draw the time of a step over growing sizes, both axes logarithmic, beside a straight line.

    rows: dicts with `along` ("batch" or "pixels"), `size`, `ours_ms` and `torch_ms`; there is a
    panel for each `along`. Raises ValueError where there is none.
    """
    kinds = list(dict.fromkeys(row["along"] for row in rows))
    if not kinds:
        raise ValueError("scaling: there is nothing to draw; measure first")
    figure = new_figure(4.8 * len(kinds), 4)
    for axes, kind in zip(figure.subplots(1, len(kinds), squeeze=False).flat, kinds, strict=True):
        own = [row for row in rows if row["along"] == kind]
        sizes = [row["size"] for row in own]
        for side, colour in (("ours", BLUE), ("torch", ORANGE)):
            label = "minilearn" if side == "ours" else "torch"
            times = [row[f"{side}_ms"] for row in own]
            axes.plot(sizes, times, "o-", color=colour, label=label, markersize=4)
        last = own[-1]
        linear = [last["ours_ms"] * size / last["size"] for size in sizes]
        axes.plot(sizes, linear, ":", color=GREY, linewidth=1.2, label="in proportion to the size")
        axes.set(xscale="log", yscale="log", xlabel=WORDS.get(kind, kind), ylabel="ms for a step",
                 title=f"Over the {kind}", ylim=(min(row["torch_ms"] for row in own) / 3, None))
        axes.legend()
    return describe(figure, _described(rows, kinds))


def _described(rows: list[dict[str, Any]], kinds: list[str]) -> str:
    parts = []
    for kind in kinds:
        first, *_, last = (row for row in rows if row["along"] == kind)
        parts.append(f"from {first['ours_ms']:.3g} ms at {first['size']} to {last['ours_ms']:.4g} "
                     f"ms at {last['size']} ({WORDS.get(kind, kind)})")
    return "Time of a training step: " + "; ".join(parts) + "."

"""Pictures that explain: boxes and arrows, small arrays with their numbers, curves side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.collate import host
from .style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RED,
    describe,
    logarithmic,
    new_figure,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PALE, WARM = "#DCEBF5", "#FCEBCB"  # boxes; boxes that are meant
Place = tuple[float, float] | tuple[float, float, str]


@styled
def diagram(
    boxes: Mapping[str, Place],
    arrows: Sequence[tuple[str, ...]] = (),
    *,
    marked: Sequence[str] = (),
    title: str = "",
    scale: tuple[float, float] = (1.5, 0.9),
) -> Figure:
    """Draw boxes and the arrows between them.

    boxes: name: (column, row), or (column, row, text) where the text differs from the name. Columns
        go to the right, rows down; both may be fractions.
    arrows: (from, to) or (from, to, text). Along a row or column an arrow that would run through a
        box between bends around it.
    marked: names of boxes drawn in another colour. scale: inches of a column and of a row.
    Raises ValueError for an arrow to or from a box that is not there.
    """
    places = {name: (x * scale[0], -y * scale[1]) for name, (x, y, *_) in boxes.items()}
    missing = [end for arrow in arrows for end in arrow[:2] if end not in places]
    if missing:
        raise ValueError(f"diagram: an arrow at {missing[0]!r}, but the boxes are {list(boxes)}")
    figure, axes = _canvas(np.array([*places.values()]), scale, title)
    drawn = {name: _box(axes, places[name], place[2] if len(place) > 2 else name, name in marked)
             for name, place in boxes.items()}
    for start, end, *text in arrows:
        _arrow(axes, drawn[start], drawn[end], _bend(places, start, end), *text)
    told = "; ".join(" to ".join(arrow[:2]) for arrow in arrows)
    return describe(figure, f"{title or 'Diagram'}. Boxes: {', '.join(boxes)}. Arrows: {told}.")


def _canvas(points: np.ndarray, scale: tuple[float, float], title: str) -> tuple[Figure, Any]:
    low, high = points.min(axis=0), points.max(axis=0)
    size = high - low + np.array(scale) * (1.1, 1.3)
    figure = new_figure(size[0], size[1] + 0.35 * bool(title))
    axes = figure.subplots()
    axes.set(xlim=(low[0] - 0.55 * scale[0], high[0] + 0.55 * scale[0]), aspect="equal",
             ylim=(low[1] - 0.65 * scale[1], high[1] + 0.65 * scale[1]), title=title)
    axes.axis("off")
    return figure, axes


def _box(axes: Any, place: tuple[float, float], text: str, marked: bool) -> Any:
    style = {"boxstyle": "round,pad=0.45", "facecolor": WARM if marked else PALE,
             "edgecolor": ORANGE if marked else BLUE}
    return axes.text(*place, text, ha="center", va="center", color=INK, bbox=style)


def _bend(places: Mapping[str, tuple[float, float]], start: str, end: str) -> float:
    """Return how far an arrow bends: 0 unless another box lies on the straight line."""
    (x0, y0), (x1, y1) = places[start], places[end]
    for name, (x, y) in places.items():
        along = (x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)
        aside = (x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2
        if name not in (start, end) and 0 < along < length and abs(aside) < 0.1 * length:
            return -0.4
    return 0.0


def _arrow(axes: Any, start: Any, end: Any, bend: float, text: str = "") -> None:
    style = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1.4, "shrinkA": 4, "shrinkB": 4,
             "patchA": start.get_bbox_patch(), "patchB": end.get_bbox_patch(),
             "connectionstyle": f"arc3,rad={bend}"}
    (x0, y0), (x1, y1) = start.get_position(), end.get_position()
    axes.annotate("", (x1, y1), (x0, y0), arrowprops=style)
    if text:  # on the middle of the arc, which stands off the straight line by half its bend
        middle = (x0 + x1 + bend * (y1 - y0)) / 2, (y0 + y1 - bend * (x1 - x0)) / 2
        axes.text(*middle, text, ha="center", va="center", fontsize=9, color=RED,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})


# ---------------------------------------------------------------- small arrays


@styled
def number_grids(
    arrays: Mapping[str, Any],
    *,
    marked: Mapping[str, Any] | None = None,
    between: Sequence[str] = (),
    heading: str = "",
    digits: int = 3,
) -> Figure:
    """Draw small arrays side by side, as coloured cells with their numbers.

    arrays: title: (rows, columns), or (columns,); blue is positive, red negative, white is 0.
    marked: title: an array of the same shape, true where a cell is framed.
    between: signs drawn before the second, third ... array, such as "*" and "=".
    digits: how many significant digits a number has.
    Raises ValueError for an array of more than two axes, or marks of another shape.
    """
    grids = {title: np.atleast_2d(host(array)) for title, array in arrays.items()}
    frames = {title: np.atleast_2d(host(mask)) for title, mask in (marked or {}).items()}
    for title, grid in grids.items():
        if grid.ndim > 2 or frames.get(title, grid).shape != grid.shape:
            raise ValueError(f"number_grids: {title!r} is {grid.shape}, marked where "
                             f"{frames.get(title, grid).shape}; give arrays of one or two axes, "
                             "with marks of the same shape")
    widths, heights = ([grid.shape[axis] for grid in grids.values()] for axis in (1, 0))
    figure = new_figure(0.48 * sum(widths) + 0.6 * len(widths), 0.48 * max(heights) + 0.75)
    panels = figure.subplots(1, len(grids), width_ratios=widths, squeeze=False).flat
    for axes, (title, grid), sign in zip(panels, grids.items(), ["", *between, *" " * len(grids)],
                                         strict=False):
        _cells(axes, grid, frames.get(title, np.zeros(grid.shape)), digits)
        axes.set_title(title, loc="center")
        axes.text(-0.9, grid.shape[0] / 2 - 0.5, sign, ha="center", va="center", fontsize=14)
    figure.suptitle(heading or None)
    told = "; ".join(f"{title} = {_spoken(grid, digits)}" for title, grid in grids.items())
    return describe(figure, f"{heading or 'Arrays'}: {told}.")


def _spoken(grid: np.ndarray, digits: int) -> str:
    """Return an array as a text that can be read aloud, row by row."""
    return " / ".join(" ".join(f"{value:.{digits}g}" for value in row) for row in grid)


def _cells(axes: Any, grid: np.ndarray, frame: np.ndarray, digits: int) -> None:
    from matplotlib.patches import Rectangle

    axes.imshow(grid, cmap="RdBu", vmin=-(limit := abs(grid).max() * 1.6 or 1), vmax=limit)
    for (row, column), value in np.ndenumerate(grid):
        axes.text(column, row, f"{value:.{digits}g}", ha="center", va="center", fontsize=9)
        if frame[row, column]:
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, clip_on=False,
                                     edgecolor=ORANGE, linewidth=3))
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set(visible=True)


# ---------------------------------------------------------------- curves


@styled
def curves(
    ours: Mapping[str, Sequence[float]],
    published: Mapping[str, float | Sequence[float]] | None = None,
    *,
    title: str = "",
    xlabel: str = "epoch",
    ylabel: str = "accuracy",
    scale: str = "linear",
) -> Figure:
    """Draw the curves of trainings, and dashed beside them what others have published.

    ours: name: one number for each epoch. published: name: one number, or one for each epoch.
    scale: of the upright axis, "linear" or "log".
    Raises ValueError where there is no curve, or an empty one.
    """
    from matplotlib.ticker import MaxNLocator

    others = published or {}
    if not ours or not all(len(values) for values in ours.values()):
        raise ValueError(f"curves: nothing to draw in {dict(ours)}; give each name its numbers")
    figure = new_figure(7, 4)
    axes = figure.subplots()
    for colour, (name, line) in zip(cycle((BLUE, GREEN, RED, PURPLE)), ours.items(), strict=False):
        _curve(axes, line, color=colour, label=name, marker="o" if len(line) < 40 else None)
    for colour, (name, other) in zip(cycle((ORANGE, GREY, INK)), others.items(), strict=False):
        _curve(axes, other, color=colour, label=name, linestyle="--")
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    if scale == "log":
        logarithmic(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    told = [f"{name} ends at {_last(values):.4g}" for name, values in ours.items()]
    told += [f"{name}, {_last(values):.4g}" for name, values in others.items()]
    return describe(figure, f"{title or ylabel}: {'; '.join(told)}.")


def _curve(axes: Any, values: float | Sequence[float], **look: Any) -> None:
    if isinstance(values, Sequence):
        axes.plot(range(1, len(values) + 1), values, markersize=4, **look)
    else:
        axes.axhline(values, **look)


def _last(values: float | Sequence[float]) -> float:
    return values[-1] if isinstance(values, Sequence) else values

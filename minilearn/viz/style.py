"""One look for every figure: readable type, colours that colour-blind people can tell apart.

Figures are made as plain objects, without pyplot: nothing is kept globally, no window is opened,
and a machine without a display is no obstacle.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..train.files import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawn = TypeVar("Drawn")  # mostly a Figure

# Okabe and Ito 2008: apart for every common kind of colour blindness.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
GREY, INK = "#8A8A8A", "#222222"

STYLE: dict[str, Any] = {
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture everywhere
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.titlesize": 12,
    "figure.titleweight": "bold",
}


def styled(draw: Callable[..., Drawn]) -> Callable[..., Drawn]:
    """Decorate a function that draws: it draws in this look, whatever the user's own is."""

    @wraps(draw)
    def drawn(*args: Any, **kwargs: Any) -> Drawn:
        from matplotlib import style

        with style.context(["default", STYLE]):
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, in inches, that keeps its labels from overlapping."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def describe(figure: Figure, text: str) -> Figure:
    """Give a figure a text for people who cannot see it, and return the figure."""
    figure.set_label(text)
    return figure


def logarithmic(axes: Any) -> None:
    """Make the y axis logarithmic, with plain numbers: 0.05, 0.1, 0.2, ..."""
    from matplotlib.ticker import LogLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.minorticks_off()


def save(figure: Figure, path: str | Path) -> Figure:
    """Write a figure as a PNG file of 150 dots an inch, whole or not at all, and return it.

    The file's metadata holds a description in words, under "Description".
    Raises ValueError for a name that does not end in .png.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"save: figures are written as PNG, got {path.name!r}; "
                         "end the name in .png")
    write_whole(path, as_png(figure))
    return figure


@styled
def as_png(figure: Figure) -> bytes:
    """Return a figure as the content of a PNG file, with its description in the metadata."""
    content = io.BytesIO()
    metadata = {"Description": str(figure.get_label())}
    figure.savefig(content, format="png", metadata=metadata, facecolor="white")
    return content.getvalue()

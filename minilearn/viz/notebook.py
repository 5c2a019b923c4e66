"""Showing a figure wherever a lesson runs: below a notebook's cell, or in a file."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .style import as_png, describe, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_numbers = itertools.count(1)


def show(figure: Figure, text: str = "") -> None:
    """Show a figure: in a notebook below the cell, elsewhere in a numbered PNG file that it names.

    text: what the figure shows, for people who cannot see it; needed where the figure has none yet.
    The files go to the folder figures/, or to the one that MINILEARN_FIGURES names.
    No display is needed. Raises ValueError for a figure without a text.
    """
    if text:
        describe(figure, text)
    if not figure.get_label():
        raise ValueError("show: this figure has no text for people who cannot see it; "
                         "say what it shows: show(figure, \"...\")")
    if _in_notebook():
        _display(figure)
    else:
        path = _folder() / f"{_running()}-{next(_numbers)}.png"
        save(figure, path)
        print(f"[figure {path}: {figure.get_label()}]")


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook (without importing IPython to find out)."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _display(figure: Figure) -> None:
    from IPython.display import Image, display

    width = round(96 * figure.get_figwidth())  # pixels of a page; the picture has more, for zooming
    display(Image(as_png(figure), width=width, alt=figure.get_label()))


def _folder() -> Path:
    folder = Path(os.environ.get("MINILEARN_FIGURES") or "figures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _running() -> str:
    """Return the name of the script that runs, such as "01_autograd"."""
    return Path(getattr(sys.modules["__main__"], "__file__", None) or "figure").stem

"""Rows of pictures to compare: what went in, what the net made of it, what was wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import Normalize
from ..data.collate import host
from ..errors import ShapeError
from .images import _draw, _pictures
from .style import describe, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 2.2  # inches of a picture: 128 pixels are shown with some 330
# Apart for most eyes (Okabe and Ito 2008), black first: the class 0 is mostly what lies behind.
COLOURS = np.array([[0, 0, 0], [86, 180, 233], [230, 159, 0], [0, 158, 115], [240, 228, 66],
                    [204, 121, 167], [0, 114, 178], [213, 94, 0]], np.uint8)


@styled
def strips(
    *columns: Any, titles: Sequence[str] = ("Input", "Prediction", "Target"),
    normalize: Normalize | None = None, heading: str = "",
) -> Figure:
    """Draw batches side by side: a row for each item, a column for each batch, under its title.

    columns: (N, C, H, W) each, as for `image_grid`. normalize: the normalisation to undo first.
    Raises ShapeError where the batches differ in length, ValueError for other titles than columns.
    """
    lengths = {len(column) for column in columns}
    if len(lengths) != 1:
        raise ShapeError(f"strips: the columns have {sorted(lengths)} images; give as many of each")
    if len(titles) != len(columns):
        raise ValueError(f"strips: {len(titles)} titles for {len(columns)} columns")
    pictures = [_pictures(column, normalize) for column in columns]
    rows, (high, wide) = len(pictures[0]), pictures[0].shape[1:3]
    figure = new_figure(SIDE * len(columns), SIDE * rows * high / wide + 0.35)
    for row, line in enumerate(figure.subplots(rows, len(columns), squeeze=False)):
        for axes, column, title in zip(line, pictures, titles, strict=True):
            _draw(axes, column[row], "" if row else title)
    figure.suptitle(heading or None)
    return describe(figure, f"{heading or 'Pictures'}: {rows} rows of {', '.join(titles)}.")


def coloured(labels: Any) -> np.ndarray:
    """Return class numbers (N, H, W) as images, float (N, 3, H, W) in [0, 1], a colour a class.

    >>> coloured(np.array([[[0, 1]]]))[0, :, 0].round(2).tolist()
    [[0.0, 0.34], [0.0, 0.71], [0.0, 0.91]]
    """
    labels = host(labels)
    if labels.ndim != 3 or labels.dtype.kind not in "iu":
        raise ShapeError(f"coloured: expected whole numbers (N, H, W), got {labels.dtype} "
                         f"{labels.shape}")
    return (COLOURS[labels % len(COLOURS)] / 255).transpose(0, 3, 1, 2)

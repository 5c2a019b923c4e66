"""Pictures of the data: a grid of images, a labelled batch, one image augmented many times."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import Compose, Normalize, to_float
from ..data.collate import host
from ..errors import ShapeError
from .style import describe, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def image_grid(
    images: Any,
    titles: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    normalize: Normalize | None = None,
    heading: str = "",
    caption: str = "",
) -> Figure:
    """Draw images side by side, each under its title.

    images: (N, C, H, W) with 1 or 3 channels, a Tensor or an array: bytes 0..255 or floats 0..1
        (what lies outside is cut off). Grey images are drawn as dark ink on white paper.
    titles: N texts. columns: images a row; by default the grid is about square.
    normalize: the normalisation to undo first. heading, caption: texts above and below all.
    Raises ShapeError for other shapes, ValueError for no image or a wrong number of titles.
    """
    pictures = _pictures(images, normalize)
    count = len(pictures)
    if titles is not None and len(titles) != count:
        raise ValueError(f"image_grid: {len(titles)} titles for {count} images; give one for each")
    if columns is not None and columns < 1:
        raise ValueError(f"image_grid: columns must be 1 or more, got {columns}")
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    rows = math.ceil(count / columns)
    titles = [""] * count if titles is None else [str(title) for title in titles]
    figure = new_figure(*_size(rows, columns, titles, heading, caption))
    for place, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        if place < count:
            _draw(axes, pictures[place], titles[place])
        else:
            axes.axis("off")
    figure.suptitle(heading or None)
    figure.supxlabel(caption or None, fontsize=9)
    named = ", ".join(title.replace("\n", " ") for title in titles)
    text = f"{heading or 'Images'}: {count} images in {rows} rows. {named}"
    return describe(figure, text.strip(" ,"))


def _draw(axes: Any, picture: np.ndarray, title: str) -> None:
    # A thin frame shows where the image ends: on white paper a shift would not be seen without it.
    axes.imshow(picture, cmap="binary", vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(title, loc="center", fontsize=10, fontweight="normal")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color="#CCCCCC", linewidth=0.6)


def _size(
    rows: int, columns: int, titles: list[str], heading: str, caption: str
) -> tuple[float, float]:
    """Return a width and a height, in inches, in which no text meets its neighbour."""
    lines = [line for title in titles for line in title.split("\n")]
    cell = max(1.35, 0.085 * max(map(len, lines)) + 0.1)
    around = max(0.115 * _longest(heading), 0.08 * _longest(caption))
    above = 0.19 * max(title.count("\n") + bool(title) for title in titles)
    beside = 0.22 * sum(text.count("\n") + bool(text) for text in (heading, caption))
    return max(cell * columns, around), (1.35 + above) * rows + beside


def _longest(text: str) -> int:
    return max(map(len, text.split("\n")))


def labelled_batch(
    images: Any,
    labels: Any,
    classes: Sequence[str] | None = None,
    *,
    count: int = 9,
    normalize: Normalize | None = None,
    heading: str = "",
) -> Figure:
    """Draw the first `count` images of a batch, each under the name of its class.

    images: (N, C, H, W). labels: (N,) class numbers. classes: their names; without them the
        numbers are shown. normalize: the normalisation to undo first.
    Raises ValueError where the batch has fewer images.
    """
    images, labels = host(images), host(labels)
    if labels.shape != images.shape[:1]:
        raise ShapeError(f"labelled_batch: images {images.shape} and labels {labels.shape}; "
                         "give (N, C, H, W) and (N,)")
    if not 1 <= count <= len(images):
        raise ValueError(f"labelled_batch: count={count}, but the batch has {len(images)} images; "
                         f"ask for 1 to {len(images)}")
    names = [str(label) if classes is None else classes[label] for label in labels[:count].tolist()]
    return image_grid(images[:count], names, normalize=normalize, heading=heading)


def augmentations(
    image: Any,
    *transforms: Callable[..., np.ndarray],
    count: int = 9,
    seed: int = 0,
    heading: str = "One image, augmented anew each time",
) -> Figure:
    """Draw one image `count` times, each time with a fresh draw of its augmentations.

    image: (C, H, W), bytes or floats 0..1. transforms: such as RandomPadCrop(3, 28).
    Shows that the number of augmented images is not bounded: every access makes a new one.
    """
    image = host(image)
    if image.ndim != 3:
        raise ShapeError(f"augmentations: the image must be (C, H, W), got {image.shape}")
    if count < 1:
        raise ValueError(f"augmentations: count must be 1 or more, got {count}")
    copies = np.repeat(to_float(image)[None], count, axis=0)  # (C, H, W) -> (count, C, H, W)
    return image_grid(Compose(transforms)(copies, np.random.default_rng(seed)), heading=heading)


def _pictures(images: Any, normalize: Normalize | None) -> np.ndarray:
    """Return what matplotlib draws: floats 0..1, (N, H, W) for grey, (N, H, W, 3) for colour."""
    images = host(images)
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ShapeError(f"image_grid: images must be (N, C, H, W) with 1 or 3 channels, got "
                         f"{images.shape}; give a single image as images[None]")
    if len(images) == 0:
        raise ValueError("image_grid: there are no images to draw")
    images = to_float(images) if normalize is None else normalize.denormalize(images)
    images = images.clip(0, 1)
    return images[:, 0] if images.shape[1] == 1 else images.transpose(0, 2, 3, 1)

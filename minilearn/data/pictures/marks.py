"""Text written into pictures, and where it went."""

from __future__ import annotations

from typing import Any

import numpy as np

Box = tuple[float, float, float, float]
WHITE = (255, 255, 255)


def write_text(
    picture: np.ndarray, text: str, generator: np.random.Generator,
    boxes: list[Box] | None = None, *, pixels: float | None = None, reach: float = 0.5,
) -> np.ndarray:
    """Write a text in white at a random place; note its box, and return the new picture.

    pixels: height of the letters; by default those of pillow's own font. reach: how far from the
    upper left corner the text may begin, in parts of the sides.
    """
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture)
    brush = ImageDraw.Draw(image)
    font = _font(brush, text, pixels, picture.shape[1])
    left, top, right, bottom = brush.textbbox((0, 0), text, font=font)
    room = np.array([image.width - right, image.height - bottom])
    reaches = np.array([image.width, image.height]) * reach
    x, y = (int(generator.integers(0, max(1, int(n)))) for n in np.minimum(room, reaches))
    brush.text((x, y), text, fill=WHITE, font=font)
    place = (y + int(top), x + int(left), y + int(np.ceil(bottom)), x + int(np.ceil(right)))
    note(boxes, place, picture)
    return np.array(image)


def _font(brush: Any, text: str, pixels: float | None, width: int) -> Any:
    """Return pillow's own font in the wanted size, smaller where the text would not fit."""
    from PIL import ImageFont

    if pixels is None:
        return ImageFont.load_default()
    wide = brush.textlength(text, font=ImageFont.load_default(pixels))
    return ImageFont.load_default(max(1.0, pixels * min(1.0, width / wide)))


def note(boxes: list[Box] | None, box: tuple[int, int, int, int], picture: np.ndarray) -> None:
    """Keep a box of pixels as fractions, which outlast a change of size."""
    if boxes is not None:
        height, width = picture.shape[:2]
        top, left, bottom, right = box
        boxes.append((max(0, top) / height, max(0, left) / width,
                      min(height, bottom) / height, min(width, right) / width))

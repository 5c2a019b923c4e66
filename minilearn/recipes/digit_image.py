"""Reading a digit from a picture, framed as MNIST frames its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .folder import RunError

SIDE, BOX = 28, 20  # MNIST: ink fits a box of 20 x 20, its centre of mass is the middle of 28 x 28


def read_digit(path: str | Path) -> np.ndarray:
    """Read an image file as a digit: bytes (1, 28, 28), bright ink on black.

    A picture of another size is cropped to its ink, scaled to 20 x 20 and centred; one with a
    bright border is taken as dark ink on paper and inverted. Raises RunError if it is no readable
    image or has no ink.
    """
    grey = _grey(path)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if np.median(border) > 127:
        grey = 255 - grey
    if grey.shape != (SIDE, SIDE):
        grey = _framed(grey, path)
    return grey[None]


def _grey(path: str | Path) -> np.ndarray:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                upright = upright.convert("RGBA")
                paper = Image.new("RGBA", upright.size, "white")
                upright = Image.alpha_composite(paper, upright)
            return np.asarray(upright.convert("L"))
    except FileNotFoundError:
        raise RunError(f"there is no image {path}") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise RunError(f"{path} is not an image that can be read ({error}); "
                       "give a PNG or JPEG of one digit") from error


def _framed(grey: np.ndarray, path: str | Path) -> np.ndarray:
    """Crop to the ink, scale its longer side to 20, put its centre of mass into the middle."""
    from PIL import Image

    ink = grey > max(int(grey.max()) // 4, 8)
    if not ink.any():
        raise RunError(f"{path} shows no ink: it is all one shade")
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    cropped = Image.fromarray(grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = BOX / max(cropped.size)
    size = [max(1, round(side * scale)) for side in cropped.size]
    small = np.asarray(cropped.resize(size, Image.Resampling.BOX), dtype=np.float64)
    out = np.zeros((SIDE, SIDE), np.uint8)
    places = [_start(small.sum(1 - axis), small.shape[axis]) for axis in (0, 1)]
    (top, left), (height, width) = places, small.shape
    out[top : top + height, left : left + width] = np.clip(small, 0, 255)
    return out


def _start(weights: np.ndarray, length: int) -> int:
    """Where a strip of `length` begins so that its centre of mass is in the middle of SIDE."""
    centre = (weights * np.arange(length)).sum() / weights.sum()
    return int(np.clip(round(SIDE / 2 - centre - 0.5), 0, SIDE - length))

"""One look at a picture: where from, how turned, in which light; and random looks, to augment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .geometry import resample, rotation, scaling, shift, warping, zooming

Size = int | Sequence[int]


@dataclass(frozen=True)
class View:
    """How one item is seen; the same view can be taken of several pictures that belong together.

    position: (x, y), 0 to 1: where the largest window of the wanted shape is cut.
    flip: mirrored left to right, top to bottom. angle: degrees, against the clock.
    zoom, focus: enlarged by this factor at (x, y), 0 to 1, of the window.
    warp: perspective, by which fraction (top, bottom, left, right) get longer.
    brightness: 0.5 leaves it, above is lighter. contrast: 1 leaves it, above is stronger.
    Without arguments: the middle of the picture, as it is.

    >>> View().image(np.full((20, 30, 3), 51, np.uint8), 8).shape
    (3, 8, 8)
    """

    position: tuple[float, float] = (0.5, 0.5)
    flip: tuple[bool, bool] = (False, False)
    angle: float = 0.0
    zoom: float = 1.0
    focus: tuple[float, float] = (0.5, 0.5)
    warp: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    brightness: float = 0.5
    contrast: float = 1.0

    def image(
        self, picture: np.ndarray, size: Size, how: str = "bilinear",
        like: Sequence[int] | None = None,
    ) -> np.ndarray:
        """Return what is seen as an image, float32 (3, h, w) from 0 to 1.

        size: (h, w) of the result, or its one side. how: "bilinear" or "bicubic".
        like: the (height, width) of the picture that this one goes with, at another resolution;
        then both show exactly the same part.
        """
        seen = resample(picture, self.matrix(picture.shape, size, like), sides(size), how)
        return np.ascontiguousarray(self.light()[seen].transpose(2, 0, 1))

    def mask(self, mask: np.ndarray, size: Size, like: Sequence[int] | None = None) -> np.ndarray:
        """Return the class numbers that are seen, int64 (h, w): no mixing, no change of light."""
        matrix = self.matrix(mask.shape, size, like)
        return resample(mask, matrix, sides(size), "nearest").astype(np.int64)

    def matrix(
        self, shape: Sequence[int], size: Size, like: Sequence[int] | None = None
    ) -> np.ndarray:
        """Return the 3 x 3 matrix from pixels of the result to pixels of a picture."""
        height, width = sides(size)
        half = max(height, width) / 2
        extent = (width / 2 / half, height / 2 / half)
        whole = np.array((like or shape)[1::-1], dtype=np.float64)  # width, height
        scale = min(whole / (width, height))
        slack = whole - scale * np.array([width, height])
        centre = whole / 2 + slack * (np.array(self.position) - 0.5)
        into_view = scaling(1 / half, 1 / half) @ shift(-width / 2, -height / 2)
        out_of_view = shift(*centre) @ scaling(scale * half, scale * half)
        resized = scaling(*(np.array(shape[1::-1]) / whole))
        return resized @ out_of_view @ self._change(extent) @ into_view

    def _change(self, extent: tuple[float, float]) -> np.ndarray:
        """Return all geometry inside the view as one matrix; the warp comes first."""
        flip_x, flip_y = (-1 if flipped else 1 for flipped in self.flip)
        turned = scaling(flip_x, flip_y) @ rotation(self.angle)
        return turned @ zooming(self.zoom, self.focus, extent) @ warping(self.warp, extent)

    def light(self) -> np.ndarray:
        """Return what becomes of each byte, float32 (256,).

        In logits, log(p / (1 - p)), brightness is a sum and contrast a product, and nothing leaves
        0 to 1. Source: fast.ai's brightness and contrast.
        """
        levels = np.arange(256) / 255
        if (self.brightness, self.contrast) != (0.5, 1.0):
            inside = levels.clip(1e-7, 1 - 1e-7)
            odds = inside / (1 - inside) * self.brightness / (1 - self.brightness)
            levels = 1 / (1 + odds ** -self.contrast)
        return levels.astype(np.float32)


def sides(size: Size) -> tuple[int, int]:
    """Return (height, width) of a size given as one side or both.

    Raises ValueError for a side below 1.

    >>> sides(8), sides((4, 6))
    ((8, 8), (4, 6))
    """
    both = (size, size) if isinstance(size, int | np.integer) else tuple(size)
    if len(both) != 2 or any(int(side) != side or side < 1 for side in both):
        raise ValueError(f"size must be a positive integer or (height, width), got {size!r}")
    return int(both[0]), int(both[1])


@dataclass(frozen=True)
class Augment:
    """Random views: the lesson's augmentations, each picture its own draw.

    flip, flip_vert: mirror half of the pictures left to right, top to bottom.
    max_rotate: degrees to either side. min_zoom, max_zoom: smallest and largest factor, at a random
        place.
    max_warp: by which fraction a side gets longer or shorter, at most 0.4.
    max_lighting: 0 to below 1; brightness from 0.5 * (1 - max_lighting) to
        0.5 * (1 + max_lighting), contrast from 1 - max_lighting to 1 / (1 - max_lighting).
    p_affine, p_lighting: with which probability each of these happens to a picture.
    Source: fast.ai's get_transforms, whose defaults these are.

    >>> Augment(max_rotate=5).draw(np.random.default_rng(0)).zoom <= 1.1
    True
    """

    flip: bool = True
    flip_vert: bool = False
    max_rotate: float = 10.0
    max_zoom: float = 1.1
    max_warp: float = 0.2
    max_lighting: float = 0.2
    p_affine: float = 0.75
    p_lighting: float = 0.75
    min_zoom: float = 1.0

    def __post_init__(self) -> None:
        ranges = {"max_rotate": (0, 180), "min_zoom": (1, 100), "max_zoom": (self.min_zoom, 100),
                  "max_warp": (0, 0.4), "max_lighting": (0, 0.99), "p_affine": (0, 1),
                  "p_lighting": (0, 1)}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"Augment: {name}={getattr(self, name)} is not between {low} and "
                                 f"{high}")

    def draw(self, generator: np.random.Generator) -> View:
        """Return a random view.

        Each number is drawn whether or not it is used: leaving one augmentation out does not
        change the others of the same seed.
        """
        place, flips, focus, sides = (generator.random(n) for n in (2, 2, 2, 4))
        angle, zoom, brightness, contrast = generator.random(4)
        turn, near, askew, lit, strong = generator.random(5) < (
            *[self.p_affine] * 3, *[self.p_lighting] * 2)
        return View(
            position=_pair(place),
            flip=(bool(flips[0] < 0.5 and self.flip), bool(flips[1] < 0.5 and self.flip_vert)),
            angle=float(turn * self.max_rotate * (2 * angle - 1)),
            zoom=float(self.min_zoom + near * (self.max_zoom - self.min_zoom) * zoom),
            focus=_pair(focus),
            warp=tuple((askew * self.max_warp * (2 * sides - 1)).tolist()),
            brightness=float(0.5 + lit * 0.5 * self.max_lighting * (2 * brightness - 1)),
            contrast=float((1 - self.max_lighting) ** (strong * (1 - 2 * contrast))),
        )


def _pair(numbers: np.ndarray) -> tuple[float, float]:
    return float(numbers[0]), float(numbers[1])

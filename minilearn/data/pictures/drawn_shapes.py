"""Generated pictures for segmentation: shapes on textured ground, with a mask of what is where."""

from __future__ import annotations

import numpy as np

from .folder import Masks, Pictures
from .pairs import Pairs
from .reading import resize_picture

SHAPE_CLASSES = ("background", "disc", "square", "triangle", "ring", "cross")
SHARPER = 4  # edges are drawn at so many times the size: they come out smooth


def shapes(count: int = 400, size: int = 64, seed: int = 0) -> Pairs:
    """Generate pictures of one to four shapes, and masks of their classes (`SHAPE_CLASSES`).

    Ground and shapes have random colours with a texture, so colour alone gives no shape away; rings
    and crosses are thin, so where exactly they are matters.
    count: how many. size: pixels a side, 16 or more. seed: picture i depends on it and i alone.
    Raises ValueError for a count below 1 or a size below 16.

    >>> picture, mask = shapes(count=3)[2]
    >>> picture.shape, mask.shape, bool(mask.max() <= 5)
    ((64, 64, 3), (64, 64), True)
    """
    if count < 1 or size < 16:
        raise ValueError(f"shapes: count={count} is below 1, or size={size} below 16")
    drawn = [_scene(size, np.random.default_rng((seed, place))) for place in range(count)]
    pictures, masks = ([item[i] for item in drawn] for i in (0, 1))
    return Pairs(Pictures.of(pictures, name="shapes"), Masks.of(masks, name="shapes"))


def _scene(size: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    picture, mask = texture(size, generator), np.zeros((size, size), np.uint8)
    for _ in range(generator.integers(1, 5)):
        kind = int(generator.integers(1, len(SHAPE_CLASSES)))
        cover = _cover(SHAPE_CLASSES[kind], size, generator)
        picture = picture + cover[..., None] * (texture(size, generator) - picture)
        mask[cover > 0.5] = kind
    noisy = picture + generator.normal(0, 0.03, picture.shape)
    return np.round(noisy.clip(0, 1) * 255).astype(np.uint8), mask


def texture(size: int, generator: np.random.Generator) -> np.ndarray:
    """Return a random colour with soft blotches, floats (size, size, 3) from 0 to 1."""
    coarse = np.round(generator.uniform(0, 255, (4, 4, 3))).astype(np.uint8)
    blotches = resize_picture(coarse, (size, size), "bicubic") / 255
    return 0.65 * generator.random(3) + 0.35 * blotches


def _cover(kind: str, size: int, generator: np.random.Generator) -> np.ndarray:
    """Return how much of each pixel a shape at a random place covers, 0 to 1, (size, size)."""
    from PIL import Image, ImageDraw

    whole = size * SHARPER
    canvas = Image.new("L", (whole, whole))
    radius = generator.uniform(0.12, 0.25) * whole
    centre = generator.uniform(radius, whole - radius, 2)
    _outline(ImageDraw.Draw(canvas), kind, centre, radius, generator.uniform(0, 2 * np.pi))
    return np.asarray(canvas.resize((size, size), Image.Resampling.BOX)) / 255


def _outline(brush: object, kind: str, centre: np.ndarray, radius: float, angle: float) -> None:
    def corners(n: int) -> list[tuple[float, float]]:
        turns = angle + 2 * np.pi * np.arange(n) / n
        points = centre + radius * np.column_stack([np.cos(turns), np.sin(turns)])
        return [tuple(point) for point in points.tolist()]

    box = [*(centre - radius).tolist(), *(centre + radius).tolist()]
    if kind == "disc":
        brush.ellipse(box, fill=255)
    elif kind == "ring":
        brush.ellipse(box, outline=255, width=round(radius / 4))
    elif kind == "cross":
        ends = corners(4)
        for start, end in (ends[::2], ends[1::2]):
            brush.line([start, end], fill=255, width=round(radius / 4))
    else:
        brush.polygon(corners(4 if kind == "square" else 3), fill=255)

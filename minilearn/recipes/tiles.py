"""A net over a picture of any size: piece by piece, so that no seam can be seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

STEP = 32  # pixels: a multiple of what any encoder here divides by, so that grids fall together


def in_tiles(
    function: Callable[[np.ndarray], np.ndarray], image: np.ndarray, tile: int = 256,
    overlap: int = 64,
) -> np.ndarray:
    """Return function(image) for an image (C, H, W) of any size, computed in square tiles.

    function: (1, C, h, w) -> (1, K, h, w). tile: pixels of a side. overlap: pixels that neighbours
    share, where one fades into the other. Both are rounded up to a multiple of 32. A function that
    looks no farther than a quarter of the overlap gives the same as on the whole image. An image
    that one tile covers is computed whole.
    Returns float32 (K, H, W). Raises ValueError where the overlap leaves nothing of a tile.

    >>> image = np.random.default_rng(0).random((3, 70, 100), np.float32)
    >>> bool(np.allclose(in_tiles(lambda x: 2 * x, image, 64, 32), 2 * image))
    True
    """
    tile, overlap = (-(-side // STEP) * STEP for side in (tile, overlap))
    if overlap * 2 > tile:
        raise ValueError(f"in_tiles: an overlap of {overlap} pixels on both sides leaves nothing "
                         f"of a tile of {tile}; give a larger tile or a smaller overlap")
    height, width = image.shape[1:]
    padded = _padded(image)
    high, wide = padded.shape[1:]
    total, weight = None, np.zeros((high, wide), np.float32)
    for top in starts(high, tile, overlap):
        for left in starts(wide, tile, overlap):
            here = np.s_[top : top + tile, left : left + tile]
            found = function(padded[(slice(None), *here)][None])[0]
            if total is None:
                total = np.zeros((len(found), high, wide), np.float32)
            share = window((top, left), found.shape[1:], (high, wide), overlap)
            total[(slice(None), *here)] += found * share
            weight[here] += share
    total /= weight
    return total[:, :height, :width]


def starts(length: int, tile: int, overlap: int) -> list[int]:
    """Return where the tiles begin along a side; the last may reach over the end.

    >>> starts(600, 256, 64), starts(200, 256, 64)
    ([0, 192, 384], [0])
    """
    return list(range(0, max(length - overlap, 1), tile - overlap))


def window(
    corner: tuple[int, int], shape: tuple[int, int], whole: tuple[int, int], overlap: int
) -> np.ndarray:
    """Return the weight of each pixel of a tile: 1 inside, sinking where a neighbour takes over.

    The outer quarter of an overlap counts for nothing: there the net sees the tile's edge.
    """
    sides = []
    for start, length, end in zip(corner, shape, whole, strict=True):
        place = np.arange(length, dtype=np.float32) + 1
        ramp = (2 * (place / (overlap + 1)) - 0.5).clip(0, 1)
        up = ramp if start else np.ones_like(ramp)
        down = ramp[::-1] if start + length < end else np.ones_like(ramp)
        sides.append(up * down)
    return sides[0][:, None] * sides[1]


def _padded(image: np.ndarray) -> np.ndarray:
    """Mirror the image at its lower and right edge up to at least one step."""
    missing = [max(STEP - side, 0) for side in image.shape[1:]]
    return np.pad(image, [(0, 0), *((0, m) for m in missing)], mode="symmetric")

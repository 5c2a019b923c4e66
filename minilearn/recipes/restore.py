"""Restoring pictures of any size with a trained run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from .. import data, xp
from ..op import no_grad
from ..tensor import Tensor
from .folder import RunError, RunFolder
from .restoration import HOW, NORMALIZE, load_restoration
from .style import load_style
from .tiles import in_tiles

TILE = 256


class Restorer:
    """A trained net that restores or paints pictures, uint8 (H, W, 3), of any size.

    run: the folder of a training. tile: pixels of a side of what is computed at once; a net that
    paints gets every picture whole, as its norms look at all of it.
    scale: by which factor a picture is enlarged first; by default what the net was trained for: the
    size of its images over that of its inputs for super-resolution, else 1.
    Raises RunError for a run of another kind, ValueError for a scale or a tile out of range.
    """

    def __init__(
        self, run: str | Path, *, tile: int = TILE, scale: float | None = None,
        device: str = "numpy",
    ) -> None:
        xp.use(device)
        task = RunFolder(run).settings().get("task")
        self.settings: Any
        self.model, self.settings = (load_style if task == "style" else load_restoration)(run)
        self.scale = own_scale(self.settings) if scale is None else scale
        if not 0.1 <= self.scale <= 16:
            raise ValueError(f"scale must be between 0.1 and 16, got {scale}")
        self.tile, self.overlap = tile, min(64, tile // 4)
        if tile < 64:
            raise ValueError(f"tile must be at least 64 pixels, got {tile}")

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Return the restored picture, larger by `scale`."""
        height, width = (max(round(side * self.scale), 1) for side in picture.shape[:2])
        if (height, width) != picture.shape[:2]:
            picture = data.resize_picture(picture, (height, width), HOW)
        if self.settings.task == "colorize":
            picture = data.Grey()(picture)
        image = data.to_image(picture)
        with threadpool_limits(1), no_grad():
            if self.settings.task == "style":
                return data.to_picture(self._paint(image))
            return data.to_picture(in_tiles(self._mend, image, self.tile, self.overlap))

    def _paint(self, image: np.ndarray) -> np.ndarray:
        least = self.model.frame + 1
        missing = [max(least - side, 0) for side in image.shape[1:]]
        whole = np.pad(image, [(0, 0), *((0, m) for m in missing)], mode="symmetric")
        painted = self.model(Tensor(xp.array(whole[None])))
        return xp.to_numpy(painted.data)[0, :, : image.shape[1], : image.shape[2]]

    def _mend(self, images: np.ndarray) -> np.ndarray:
        output = self.model(Tensor(xp.array(NORMALIZE(images))))
        return NORMALIZE.denormalize(output)


def own_scale(settings: Any) -> float:
    """Return by how much the net's training enlarged its inputs."""
    if settings.task != "superres":
        return 1.0
    return max(settings.size / settings.small, 1.0)


def restore(
    restorer: Callable[[np.ndarray], np.ndarray], files: list[Path], out: Path,
) -> Iterator[tuple[Path, Path, tuple[int, int], tuple[int, int]]]:
    """Write the restored pictures into a folder as PNG, each when it is done.

    Yields (file, file written, (height, width) before, and after). Raises RunError where two would
    get the same name, or one would overwrite what is there; DataError for an unreadable picture.
    """
    targets = [out / f"{file.stem}-restored.png" for file in files]
    twice = {target for target in targets if targets.count(target) > 1}
    there = [target for target in targets if target.exists()]
    if twice or there:
        name = sorted(twice or there)[0]
        why = "two of the pictures would both become" if twice else "there is already a file"
        raise RunError(f"{why} {name}; choose another folder with --out")
    for file, target in zip(files, targets, strict=True):
        picture = data.read_picture(file)
        restored = restorer(picture)
        try:
            os.makedirs(out, exist_ok=True)
            data.write_picture(target, restored)
        except OSError as error:
            raise RunError(f"cannot write {target}: {error.strerror}; choose another folder with "
                           "--out") from error
        yield file, target, picture.shape[:2], restored.shape[:2]

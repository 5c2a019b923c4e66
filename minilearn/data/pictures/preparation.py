"""Damaging many pictures once, before a training: in parallel, repeatable, kept for the next time.

What happens to a picture follows from the seed and its name alone; neither the order, nor how many
others there are, nor how many processes work, changes it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..download import Progress
from ..problems import DataError, MissingDataError
from .degrade import Damage
from .folder import Masks, Pictures
from .marks import Box
from .pairs import Pairs
from .reading import read_picture
from .sources import PictureSource, Skipped, reasons
from .writing import encode, write_or_say

Damaged = tuple[np.ndarray, list[Box]] | str  # or why there is none


class Prepared(Pairs):
    """Damaged pictures as inputs, the originals as targets.

    boxes: for each the list of (top, left, bottom, right) of its marks and holes, in fractions of
    the sides. skipped: (name, why) of the pictures that could not be read.
    """

    def __init__(
        self, inputs: Pictures, targets: Pictures, boxes: list[list[Box]],
        skipped: Skipped | None = None,
    ) -> None:
        super().__init__(inputs, targets)
        self.boxes, self.skipped = boxes, skipped or []

    def select(self, indices: Any) -> Prepared:
        """Return the pairs at the given places as a data set of its own."""
        inputs, targets = (column.select(indices) for column in self.columns)
        return Prepared(inputs, targets, [self.boxes[int(i)] for i in indices])

    def with_boxes(self) -> Pairs:
        """Return the pairs with a third column: masks that are 1 where something was put in."""
        inputs, targets = self.columns
        masks = [box_mask(boxes, target.shape[:2])
                 for boxes, target in zip(self.boxes, targets, strict=True)]
        return Pairs(inputs, targets, Masks.of(masks, self.names, name="boxes"))


def box_mask(boxes: Iterable[Box], shape: tuple[int, int]) -> np.ndarray:
    """Return a mask, uint8 (H, W), that is 1 inside the boxes and 0 outside.

    boxes: (top, left, bottom, right) in fractions of the sides.

    >>> box_mask([(0, 0.5, 0.5, 1)], (2, 2)).tolist()
    [[0, 1], [0, 0]]
    """
    mask = np.zeros(shape, np.uint8)
    for box in boxes:
        # Rounded first: 27 / 40 * 40 is a little more than 27, and would take in another row.
        pixels = np.round(np.array(box) * (*shape, *shape), 6)
        (top, left), (bottom, right) = np.floor(pixels[:2]), np.ceil(pixels[2:])
        mask[int(top) : int(bottom), int(left) : int(right)] = 1
    return mask


def prepare(
    pictures: Pictures, degrade: Damage, *, seed: int = 42, workers: int = 0,
    cache: str | Path | None = None, progress: Progress | None = None,
) -> Prepared:
    """Damage every picture once; return (damaged, original) pairs.

    Every picture is decoded here, so one that is broken is found, left out and listed in `skipped`.
    workers: processes beside this one; a script that asks for any needs the usual
        `if __name__ == "__main__":`. They give way to other programs.
    cache: a folder in which the damaged pictures are kept, for the next time.
    progress: called as f(name, pictures done, pictures in all).
    Raises MissingDataError where no picture can be read, DataError where the cache cannot be
    written.
    """
    kept = cache and Path(cache) / f"{pictures.name}-{_key(pictures, degrade, seed)}.zip"
    if kept and (found := _from_cache(kept, pictures)):
        return found
    job = partial(damaged, degrade=degrade, seed=seed, reader=pictures.reader)
    done: list[Damaged] = list(in_parallel(job, pictures.sources, workers, pictures.name, progress))
    if kept:
        write_or_say(kept, _packed(done))
    return _paired(done, pictures)


def damaged(
    source: PictureSource, *, degrade: Damage, seed: int, reader: Callable = read_picture
) -> Damaged:
    """Return the damaged picture and the boxes of its marks; or why it cannot be read."""
    generator = np.random.default_rng((seed, zlib.crc32(source.name.encode())))
    boxes: list[Box] = []
    try:
        return degrade(source.load(reader), generator, boxes), boxes
    except DataError as error:
        return str(error)


def in_parallel(
    job: Callable[[Any], Any], items: list[Any], workers: int = 0, name: str = "items",
    progress: Progress | None = None,
) -> Iterator[Any]:
    """Yield job(item) of each item in order, computed in this process or in several.

    job: a function at the top of a module, or a partial of one. progress: as in `prepare`.

    >>> list(in_parallel(abs, [-1, 2]))
    [1, 2]
    """
    if workers < 0:
        raise ValueError(f"workers must be 0 or more, got {workers}")
    results = _by_processes(job, items, workers) if workers else map(job, items)
    for count, result in enumerate(results, 1):
        if progress is not None:
            progress(name, count, len(items))
        yield result


def _by_processes(job: Callable[[Any], Any], items: list[Any], workers: int) -> Iterator[Any]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Spawned, not forked: a copy of a process with threads in it may hang.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_modest)
    try:
        yield from pool.map(job, items, chunksize=max(1, min(16, len(items) // (4 * workers))))
    finally:
        pool.shutdown(cancel_futures=True)


def _modest() -> None:
    """In a worker: let others go first, and leave Ctrl-C to the process that asked for the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(AttributeError, OSError):
        os.nice(10)


def _paired(done: list[Damaged], pictures: Pictures) -> Prepared:
    good = {place: result for place, result in enumerate(done) if not isinstance(result, str)}
    skipped = [(name, result) for name, result in zip(pictures.names, done, strict=True)
               if isinstance(result, str)]
    if not good:
        raise MissingDataError(f"no picture of {pictures.name} can be read: "
                               + "; ".join(reasons(skipped)))
    targets = pictures.select(list(good))
    inputs = Pictures.of([picture for picture, _ in good.values()], targets.names,
                         name=f"{pictures.name}, degraded")
    return Prepared(inputs, targets, [boxes for _, boxes in good.values()],
                    [*pictures.skipped, *skipped])


def _key(pictures: Pictures, degrade: Damage, seed: int) -> str:
    """Return what the prepared pictures depend on, in 16 letters."""
    whole = [repr(degrade), str(seed), *(source.mark() for source in pictures.sources)]
    return hashlib.sha256("\n".join(whole).encode()).hexdigest()[:16]


def _packed(done: list[Damaged]) -> bytes:
    """Pack what was prepared into a zip: a PNG for each picture, and the rest as JSON."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for place, result in enumerate(done):
            if not isinstance(result, str):
                archive.writestr(f"{place}.png", encode(result[0], compress_level=1))
        rest = [result if isinstance(result, str) else result[1] for result in done]
        archive.writestr("boxes.json", json.dumps(rest))
    return file.getvalue()


def _from_cache(path: Path, pictures: Pictures) -> Prepared | None:
    """Return what was prepared before, or None; a damaged cache is made anew."""
    with suppress(OSError, zipfile.BadZipFile, ValueError, KeyError, DataError, zlib.error):
        with zipfile.ZipFile(path) as archive:
            rest = json.loads(archive.read("boxes.json"))
            done = [boxes if isinstance(boxes, str) else
                    (read_picture(archive.read(f"{place}.png")), [*map(tuple, boxes)])
                    for place, boxes in enumerate(rest)]
        return _paired(done, pictures)
    return None

"""Photographs: the few that come with other packages, Berkeley's, and the small test sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..download import data_home
from ..problems import MissingDataError, needed
from .folder import Pictures
from .pairs import Pairs
from .reading import read_picture

BSDS_PARTS = {"train": 200, "val": 100, "test": 200}
BENCHMARKS = {"set5": 5, "set14": 14}
MATPLOTLIB = ("grace_hopper.jpg",)  # of its sample data, the photographs


def photos(side: int = 128) -> tuple[Pictures, Pictures]:
    """Return the offline default: square tiles of a few photographs, as (training, validation).

    A temple and a flower from scikit-learn, and Rear Admiral Grace Hopper from matplotlib. The left
    three quarters of each are cut into tiles that overlap by half, for training; the rest into
    tiles that do not, for validation: no pixel is in both.
    side: pixels of a tile, 16 to 150.
    Raises ValueError for another side, ModuleNotFoundError where scikit-learn is missing.

    >>> train, valid = photos()
    >>> len(train), len(valid), train[0].shape
    (100, 10, (128, 128, 3))
    """
    if not 16 <= side <= 150:
        raise ValueError(f"photos: side={side} is not between 16 and 150 pixels")
    left, right = [], []
    for name, photo in _photographs():
        cut = photo.shape[1] * 3 // 4
        left += list(tiles(photo[:, :cut], side, side // 2, f"{name}-left"))
        right += list(tiles(photo[:, cut:], side, side, f"{name}-right"))
    train, valid = (Pictures.of([tile for _, tile in part], [name for name, _ in part],
                                name="photos") for part in (left, right))
    return train, valid


def _photographs() -> Iterator[tuple[str, np.ndarray]]:
    datasets = needed("sklearn.datasets", "scikit-learn", "photos()")
    for name in ("china.jpg", "flower.jpg"):
        yield Path(name).stem, datasets.load_sample_image(name)
    folder = Path(needed("matplotlib", "matplotlib", "photos()").get_data_path()) / "sample_data"
    for path in (folder / name for name in MATPLOTLIB):
        if path.is_file():  # some distributions leave the sample data out
            yield path.stem, read_picture(path)


def tiles(
    picture: np.ndarray, side: int, step: int, name: str = "tile"
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, square tile) of a picture, row by row; what is left over at the ends is unused.

    >>> [name for name, _ in tiles(np.zeros((4, 9, 3), np.uint8), 4, 4)]
    ['tile-0-0', 'tile-0-4']
    """
    for top in range(0, picture.shape[0] - side + 1, step):
        for left in range(0, picture.shape[1] - side + 1, step):
            yield f"{name}-{top}-{left}", picture[top : top + side, left : left + side].copy()


def bsds(folder: str | Path | None = None) -> tuple[Pictures, Pictures, Pictures]:
    """Return Berkeley's photographs, BSDS500, as (training, validation, test): 200, 100, 200.

    folder: with train, val and test in it, each a folder or a zip; `data_home()/bsds` if not given.
    The validation set is the "BSD100" that papers on super-resolution compare on.
    Raises MissingDataError where one of them is not there.
    Source: P. Arbelaez, M. Maire, C. Fowlkes and J. Malik, IEEE TPAMI 33, 2011.
    """
    folder = Path(folder) if folder is not None else data_home() / "bsds"
    train, valid, test = (Pictures(_part(folder, part), name=f"bsds-{part}") for part in BSDS_PARTS)
    return train, valid, test


def bsds_part(folder: Path, part: str) -> Path | None:
    """Return where a part of BSDS500 is, a zip or a folder, or None."""
    official = folder / "BSR" / "BSDS500" / "data" / "images" / part  # as its .tgz unpacks
    places = [folder / f"{part}.zip", folder / part, folder / "images" / part, official]
    return next((place for place in places if place.exists()), None)


def _part(folder: Path, part: str) -> Path:
    found = bsds_part(folder, part)
    if found is None:
        raise MissingDataError(
            f"BSDS500: neither {part}.zip nor the folder {part} is in {folder}. Put the folders "
            "train, val and test of its images there, or take photos(), which needs no download")
    return found


def benchmark(
    name: str, scale: int | None = None, folder: str | Path | None = None
) -> Pictures | Pairs:
    """Return a small test set of super-resolution: "set5" or "set14".

    scale: without one, the full pictures. With 2, 3 or 4 pairs: the published picture that is so
    many times smaller, and the full one cut at the right and the bottom to a multiple of it.
    folder: where NAME.zip is, or the folder NAME; `data_home()/sr` if not given.
    Raises ValueError for another name or scale, MissingDataError where it is not there.
    """
    if name not in BENCHMARKS or scale not in (None, 2, 3, 4):
        raise ValueError(f"benchmark: there are {' and '.join(BENCHMARKS)} at scale 2, 3, 4 or "
                         f"None; got {name!r} at {scale}")
    folder = Path(folder) if folder is not None else data_home() / "sr"
    place = benchmark_place(name, folder)
    if place is None:
        raise MissingDataError(f"benchmark: neither {name}.zip nor {name} is in {folder}; put its "
                               "pictures there as HR/*.png and LR_x2, LR_x3, LR_x4")
    every = Pictures(place, name=name)
    full = _below(every, "HR")
    return full if scale is None else Pairs(_below(every, f"LR_x{scale}"), _cut(full, scale))


def benchmark_place(name: str, folder: Path) -> Path | None:
    """Return where a test set is, a zip or a folder, or None."""
    return next((p for p in (folder / f"{name}.zip", folder / name) if p.exists()), None)


def _below(pictures: Pictures, folder: str) -> Pictures:
    chosen = [place for place, path in enumerate(pictures.names)
              if folder in Path(path).parts[:-1]]
    if not chosen:
        raise MissingDataError(f"{pictures.name} has no picture in a folder {folder}")
    return pictures.select(chosen)


def _cut(pictures: Pictures, multiple: int) -> Pictures:
    whole = [picture[: picture.shape[0] // multiple * multiple,
                     : picture.shape[1] // multiple * multiple] for picture in pictures]
    return Pictures.of([np.ascontiguousarray(p) for p in whole], pictures.names,
                       name=pictures.name)

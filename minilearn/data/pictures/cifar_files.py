"""CIFAR-10: 60,000 colour pictures of 32 x 32 pixels in ten classes.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from ..download import Progress, data_home, fetch
from ..images import Images
from ..problems import DamagedDataError, MissingDataError
from .archives import members
from .reading import read_picture
from .sources import find

ARCHIVE = "cifar-10-binary.tar.gz"
MIRRORS = ("https://www.cs.toronto.edu/~kriz/",)
SIZE, SHA256 = 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE, COUNT = 32, 60000
RECORD = 1 + 3 * SIDE * SIDE  # bytes: the class, then all red, all green, all blue


def cifar10(
    folder: str | Path | None = None, *, download: bool = False, progress: Progress | None = None
) -> tuple[Images, Images]:
    """Read CIFAR-10 as (training, test).

    folder: with cifar-10-binary.tar.gz in it, or with train and test, each a zip or a folder that
        has a folder a class; `data_home()/cifar10` if not given.
    download: fetch the archive where there is nothing (170 MB), with progress called as in `fetch`.
    Raises MissingDataError, DamagedDataError or DownloadError: which file, and what to do.
    """
    folder = Path(folder) if folder is not None else data_home() / "cifar10"
    places = [_place(folder, part) for part in ("train", "test")]
    if all(places):
        return _by_class(places[0]), _by_class(places[1])
    if download:
        fetch(ARCHIVE, [mirror + ARCHIVE for mirror in MIRRORS], SIZE, SHA256, folder,
              progress=progress)
    if not (folder / ARCHIVE).exists():
        raise MissingDataError(f"CIFAR-10: {ARCHIVE} is not in {folder}, nor are train and test; "
                               "call cifar10(download=True) for 170 MB")
    return _from_archive(folder / ARCHIVE)


def cifar10_images() -> int:
    """Return how many pictures of CIFAR-10 are in `data_home()`."""
    folder = data_home() / "cifar10"
    if (folder / ARCHIVE).exists():
        return COUNT
    places = [_place(folder, part) for part in ("train", "test")]
    return sum(len(find(place)[0]) for place in places) if all(places) else 0


def _place(folder: Path, part: str) -> Path | None:
    return next((p for p in (folder / f"{part}.zip", folder / part) if p.exists()), None)


def _by_class(place: Path) -> Images:
    """Read pictures that lie in a folder a class."""
    sources, _ = find(place)
    names = [PurePosixPath(source.name).parent.name for source in sources]
    if unknown := set(names) - set(CLASSES):
        raise DamagedDataError(f"{place}: {sorted(unknown)[0]!r} is no class of CIFAR-10; its "
                               f"folders are {', '.join(CLASSES)}")
    pixels = np.empty((len(names), 3, SIDE, SIDE), np.uint8)
    for i, source in enumerate(sources):
        picture = source.load(read_picture)
        if picture.shape != (SIDE, SIDE, 3):
            raise DamagedDataError(f"{place}: {source.name} has the shape {picture.shape}, "
                                   f"expected {(SIDE, SIDE, 3)}")
        pixels[i] = picture.transpose(2, 0, 1)
    return Images(pixels, [CLASSES.index(name) for name in names], CLASSES, name="cifar10")


def _from_archive(path: Path) -> tuple[Images, Images]:
    """Read the original's records, without unpacking it onto the disk."""
    contents = dict(members(path, lambda name: name.endswith(".bin")))
    train = sorted(name for name in contents if "data_batch" in name)
    test = [name for name in contents if "test_batch" in name]
    if not train or not test:
        raise DamagedDataError(f"{path} holds no data_batch and test_batch; fetch it anew")
    train_images, test_images = (_records(b"".join(contents[name] for name in part), path)
                                 for part in (train, test))
    return train_images, test_images


def _records(content: bytes, path: Path) -> Images:
    if len(content) % RECORD:
        raise DamagedDataError(f"{path}: {len(content)} bytes are not whole records of {RECORD}")
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    images = records[:, 1:].reshape(-1, 3, SIDE, SIDE)
    return Images(images, records[:, 0], CLASSES, name="cifar10")

"""MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 x 28 pixels.

Ink is bright on black. The files circulate in several packings, so what counts is the content.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .download import Progress, data_home, fetch
from .idx import read_idx
from .images import Images
from .problems import DamagedDataError, MissingDataError

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


class _File(NamedTuple):
    name: str
    shape: tuple[int, ...]
    gz_bytes: int  # of the original .gz
    sha256: str  # of the content, which stays the same when the .gz is packed anew


_TRAIN = (
    _File("train-images-idx3-ubyte", (60000, 28, 28), 9_912_422,
          "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    _File("train-labels-idx1-ubyte", (60000,), 28_881,
          "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
)
_TEST = (
    _File("t10k-images-idx3-ubyte", (10000, 28, 28), 1_648_877,
          "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    _File("t10k-labels-idx1-ubyte", (10000,), 4_542,
          "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)


def mnist(
    folder: str | Path | None = None,
    *,
    download: bool = False,
    progress: Progress | None = None,
) -> tuple[Images, Images]:
    """Read MNIST: (train, test), the test images being what the course validates on.

    folder: where the four IDX files are, packed (.gz) or not; `data_home()/mnist` if not given.
    download: fetch what is missing (11.6 MB in all), with progress called as in `fetch`.
    Every file is checked against the SHA-256 of its content.
    Raises MissingDataError, DamagedDataError or DownloadError: which file, and what to do.
    """
    folder = Path(folder) if folder is not None else mnist_folder()
    if download:
        for file in missing_files(folder):
            _fetch(file, folder, progress)
    return _images(folder, _TRAIN), _images(folder, _TEST)


def _fetch(file: _File, folder: Path, progress: Progress | None) -> None:
    name = file.name + ".gz"
    urls = [mirror + name for mirror in MIRRORS]
    fetch(name, urls, file.gz_bytes, file.sha256, folder, content=True, progress=progress)


def mnist_folder() -> Path:
    """Return the folder where MNIST is looked for.

    >>> mnist_folder().name
    'mnist'
    """
    return data_home() / "mnist"


def missing_files(folder: Path) -> list[_File]:
    """Return the files of MNIST that are in the folder neither packed nor unpacked.

    >>> [file.name for file in missing_files(Path("/nowhere"))][0]
    'train-images-idx3-ubyte'
    """
    return [file for file in _TRAIN + _TEST if _path(folder, file) is None]


def _path(folder: Path, file: _File) -> Path | None:
    candidates = (folder / (file.name + ending) for ending in ("", ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _images(folder: Path, files: tuple[_File, _File]) -> Images:
    images, labels = (_read(folder, file) for file in files)
    return Images(images, labels, [str(digit) for digit in range(10)], name="mnist")


def _read(folder: Path, file: _File) -> np.ndarray:
    path = _path(folder, file)
    if path is None:
        raise MissingDataError(
            f"MNIST: neither {file.name}.gz nor {file.name} is in {folder}. Set MINILEARN_DATA to "
            "a folder with mnist/ in it, call mnist(download=True), or take digits(), which needs "
            "no download"
        )
    array = read_idx(path, file.sha256)
    if array.shape != file.shape:
        raise DamagedDataError(f"{path}: expected the shape {file.shape}, found {array.shape}")
    return array

"""The data sets by name: what is here, what needs a download, and the one that needs none."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .download import Progress, data_home
from .images import Images
from .mnist_files import missing_files, mnist, mnist_folder
from .problems import needed

NAMES = ("digits", "mnist")


class Source(NamedTuple):
    """A data set as `minilearn data list` shows it."""

    name: str
    present: bool
    where: str
    images: int  # how many in all
    how: str  # how to get it


def digits() -> tuple[Images, Images]:
    """Return the offline default: scikit-learn's handwritten digits, as (train, valid).

    1797 images of 8 x 8 pixels in 17 grey levels, made into 28 x 28 bytes as MNIST has them: the
    digit 20 x 20 in the middle, 4 black pixels around. Every fifth image of each class is for
    validation (355), the others are for training (1442); no chance is involved.
    Raises ModuleNotFoundError where scikit-learn is missing.
    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.

    >>> train, valid = digits()
    >>> len(train), len(valid), train[0][0].shape
    (1442, 355, (1, 28, 28))
    """
    bunch = needed("sklearn.datasets", "scikit-learn", "digits()").load_digits()
    # 24 x 24 with a border of 2 scores half a point higher here (.990 against .985), but a net
    # trained on 20 x 20, which is how MNIST frames its digits, reads 65 % of MNIST instead of 50 %:
    # better for `predict` on a digit from elsewhere. And a shift of 3 pixels never cuts the ink.
    larger = np.round(resize(bunch.images, 20) * (255 / 16)).astype(np.uint8)
    data = Images(
        np.pad(larger, ((0, 0), (4, 4), (4, 4))),
        bunch.target,
        [str(digit) for digit in range(10)],
        name="digits",
    )
    held_out = every_fifth(data.labels)
    return data.select(~held_out), data.select(held_out)


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Resize square images (N, side, side) to (N, size, size) by linear interpolation.

    A new pixel is a mix of the two old ones nearest to its centre, by distance; so one matrix
    (size, side) does all rows, and all columns.
    Source: torch's F.interpolate(mode="bilinear", align_corners=False), for enlarging.

    >>> resize(np.array([[[0., 4.], [0., 4.]]]), 4)[0, 0]
    array([0., 1., 3., 4.])
    """
    side = images.shape[-1]
    centres = (np.arange(size) + 0.5) * side / size - 0.5
    distance = np.abs(centres.clip(0, side - 1)[:, None] - np.arange(side))
    mix = np.maximum(0, 1 - distance)
    return mix @ images @ mix.T


def every_fifth(labels: np.ndarray) -> np.ndarray:
    """Mark every fifth item of each class: a split that keeps the shares and needs no chance.

    Returns a bool array of the same length.

    >>> every_fifth(np.array([0, 0, 0, 1, 0, 0])).tolist()
    [False, False, False, False, False, True]
    """
    marked = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        marked[np.flatnonzero(labels == label)[4::5]] = True
    return marked


def load(
    name: str = "auto",
    *,
    say: Callable[[str], None] = print,
    progress: Progress | None = None,
) -> tuple[Images, Images]:
    """Return (train, valid) of a data set by name; `train.name` tells which it was.

    name: "digits", "mnist" (downloaded if it is not there), or "auto": MNIST where it is present,
        else the digits; nothing is downloaded, and one line is said about which and why.
    Raises ValueError for a name that is not known.

    >>> load("digits")[0].name
    'digits'
    """
    if name == "auto":
        name = _auto(say)
    if name == "digits":
        return digits()
    if name == "mnist":
        return mnist(download=True, progress=progress)
    close = difflib.get_close_matches(name, NAMES, n=1)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"load: unknown data set {name!r}, known are auto, {', '.join(NAMES)}{meant}")


def _auto(say: Callable[[str], None]) -> str:
    missing = missing_files(mnist_folder())
    if not missing:
        say(f"Data: MNIST, found in {mnist_folder()}.")
        return "mnist"
    found = "only a part of MNIST is" if len(missing) < 4 else "MNIST is not"
    say(f"Data: scikit-learn's digits, as {found} in {mnist_folder()} (see: minilearn data list).")
    return "digits"


def available() -> list[Source]:
    """List the data sets: what is here, where, how many images, and how to get the rest.

    >>> [source.name for source in available()]
    ['digits', 'mnist']
    """
    sklearn = importlib.util.find_spec("sklearn") is not None
    missing = missing_files(mnist_folder())
    how = f"--data mnist downloads it; or put its files into {data_home() / 'mnist'}"
    if 0 < len(missing) < 4:
        how = f"{', '.join(file.name for file in missing)} missing: {how}"
    return [
        Source("digits", sklearn, "scikit-learn", 1797, "pip install scikit-learn"),
        Source("mnist", not missing, str(mnist_folder()), 70000, how),
    ]

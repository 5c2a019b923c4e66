"""The sets of pictures by name: which are here, and which one a training starts from."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

from ..datasets import Source
from ..download import data_home
from . import cifar_files, pets_files
from .folder import Pictures, split_pictures
from .photo_files import BENCHMARKS, BSDS_PARTS, benchmark_place, bsds, bsds_part, photos
from .sources import reasons


def load_pictures(
    name: str | Path = "auto", *, say: Callable[[str], None] = print
) -> tuple[Pictures, Pictures]:
    """Return (training, validation) pictures by the name of a data set, or from a place.

    name: "photos" (offline), "bsds", "pets", "auto" for the first of bsds, pets and photos that is
        here; or a folder, a zip or a list of files. What has no parts of its own is split at
        random, a tenth for validation.
    say: gets one line about which it was, and a few about pictures that were left out.
    Raises DataError where there is nothing.

    >>> train, valid = load_pictures("photos", say=lambda line: None)
    >>> train.name
    'photos'
    """
    if name == "auto":
        name = _auto(say)
    if name == "photos":
        return photos()
    if name == "bsds":
        return bsds()[:2]
    pictures = pets_files.pets().pictures if name == "pets" else Pictures(name)
    if pictures.skipped:
        say(f"Left out of {pictures.name}, {len(pictures.skipped)} in all:")
        for line in reasons(pictures.skipped):
            say(f"  {line}")
    return split_pictures(pictures)


def _auto(say: Callable[[str], None]) -> str:
    here = {"bsds": _bsds_is_here(), "pets": pets_files.pets_place() is not None}
    for name in (name for name, found in here.items() if found):
        say(f"Data: {name}, found in {data_home() / name}.")
        return name
    say(f"Data: photos, a few that come with other packages, as there are neither bsds nor pets in "
        f"{data_home()} (see: minilearn data list).")
    return "photos"


def _bsds_is_here() -> bool:
    return all(bsds_part(data_home() / "bsds", part) for part in BSDS_PARTS)


def picture_sources() -> list[Source]:
    """List the sets of pictures: what is here, where, how many, and how to get the rest.

    >>> [source.name for source in picture_sources()]
    ['photos', 'bsds', 'pets', 'cifar10', 'set5', 'set14']
    """
    home = data_home()
    some_pets, some_cifar = pets_files.pets_images(), cifar_files.cifar10_images()
    scikit_learn = importlib.util.find_spec("sklearn") is not None
    return [
        Source("photos", scikit_learn, "scikit-learn and matplotlib", 3,
               "pip install scikit-learn"),
        Source("bsds", _bsds_is_here(), str(home / "bsds"), sum(BSDS_PARTS.values()),
               f"put the folders train, val and test of BSDS500's images into {home / 'bsds'}"),
        Source("pets", some_pets > 0, str(home / "pets"), some_pets or pets_files.COUNT,
               "minilearn data get pets downloads it, 811 MB"),
        Source("cifar10", some_cifar > 0, str(home / "cifar10"), some_cifar or cifar_files.COUNT,
               "minilearn data get cifar10 downloads it, 170 MB"),
        *(Source(name, benchmark_place(name, home / "sr") is not None, str(home / "sr"), count,
                 f"put {name}.zip into {home / 'sr'}") for name, count in BENCHMARKS.items()),
    ]

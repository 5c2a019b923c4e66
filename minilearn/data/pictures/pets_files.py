"""Oxford-IIIT Pet: 7390 photographs of 37 breeds of cats and dogs, with an outline of each pet.

Source: O. M. Parkhi, A. Vedaldi, A. Zisserman and C. V. Jawahar, Cats and Dogs, CVPR 2012.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from ..download import Progress, data_home, fetch
from ..problems import MissingDataError
from .archives import unpack
from .folder import Masks, Pictures
from .pairs import Labelled, Pairs
from .sources import find

MIRRORS = (
    "https://thor.robots.ox.ac.uk/datasets/pets/",
    "https://www.robots.ox.ac.uk/~vgg/data/pets/data/",
)
FILES = {  # name: (bytes, SHA-256)
    "images.tar.gz": (791_918_971,
                      "67195c5e1c01f1ab5f9b6a5d22b8c27a580d896ece458917e61d459337fa318d"),
    "annotations.tar.gz": (19_173_078,
                           "52425fb6de5c424942b7626b428656fcbd798db970a937df61750c0f1d358e91"),
}
MASK_CLASSES = ("pet", "background", "border")
COUNT = 7390


def pets(
    folder: str | Path | None = None, *, download: bool = False, progress: Progress | None = None
) -> Labelled:
    """Return the photographs with their breeds; `.pictures` are the photographs alone.

    folder: with `images` in it, or images.tar.gz, or a zip of some of the pictures;
        `data_home()/pets` if not given.
    download: fetch the photographs where they, or a part, are missing (792 MB), with progress
        called as in `fetch`.
    Raises MissingDataError, DamagedDataError or DownloadError: which file, and what to do.
    """
    folder = _folder(folder)
    if download and not any((folder / name).exists() for name in ("images", "images.tar.gz")):
        _fetch("images.tar.gz", folder, progress)
    place = pets_place(folder)
    if place is None:
        raise MissingDataError(
            f"Oxford-IIIT Pet: neither images nor images.tar.gz is in {folder}. Call "
            "pets(download=True) for 792 MB, or take photos(), which needs no download")
    if place.name == "images.tar.gz":
        place = unpack(place, lambda name: name.endswith(".jpg"), folder / "images")
    pictures = Pictures(place, name="pets")
    breeds = [breed_of(name) for name in pictures.names]
    classes = sorted(set(breeds))
    return Labelled(pictures, [classes.index(breed) for breed in breeds], classes)


def breed_of(name: str) -> str:
    """Return the breed that the name of a picture begins with.

    >>> breed_of("images/american_bulldog_12.jpg")
    'american_bulldog'
    """
    return re.sub(r"_\d+$", "", PurePosixPath(name).stem)


def pets_masks(
    folder: str | Path | None = None, *, download: bool = False, progress: Progress | None = None
) -> Pairs:
    """Return pairs of a photograph and a mask: 0 pet, 1 background, 2 the border between them.

    download: fetch also the masks (19 MB) where they are missing. Otherwise as `pets`.
    """
    folder = _folder(folder)
    pictures = pets(folder, download=download, progress=progress).pictures
    masks = folder / "annotations" / "trimaps"
    if not masks.is_dir():
        packed = folder / "annotations.tar.gz"
        if download:
            packed = _fetch("annotations.tar.gz", folder, progress)
        if not packed.exists():
            raise MissingDataError(f"Oxford-IIIT Pet: neither annotations nor annotations.tar.gz "
                                   f"is in {folder}; call pets_masks(download=True) for 19 MB")
        unpack(packed, _is_trimap, masks)
    return Pairs.by_name(pictures, Masks(masks, first=1, name="trimaps"))


def _is_trimap(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parent.name == "trimaps" and path.suffix == ".png" and path.name[0] != "."


def pets_place(folder: Path | None = None) -> Path | None:
    """Return where the photographs are: a folder, the archive, or a zip of a part; or None."""
    folder = _folder(folder)
    places = [folder / "images", folder / "images.tar.gz", *sorted(folder.glob("*.zip"))]
    return next((place for place in places if place.exists()), None)


def pets_images() -> int:
    """Return how many of the photographs are in `data_home()`."""
    place = pets_place()
    if place is None:
        return 0
    return COUNT if place.name == "images.tar.gz" else len(find(place)[0])


def _folder(folder: str | Path | None) -> Path:
    return Path(folder) if folder is not None else data_home() / "pets"


def _fetch(name: str, folder: Path, progress: Progress | None) -> Path:
    return fetch(name, [mirror + name for mirror in MIRRORS], *FILES[name], folder,
                 progress=progress)

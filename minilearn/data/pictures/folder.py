"""Pictures by number: from folders, zips and lists of files, without those that cannot be read."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..dataset import Dataset
from ..problems import DataError, MissingDataError
from .reading import SUFFIXES, check_mask, check_picture, read_mask, read_picture, read_size
from .sources import PictureSource, Reader, Stored, find, reasons

KEPT = 1 << 28  # bytes of pictures that a data set keeps decoded


class Pictures(Dataset):
    """Pictures by number, each uint8 (H, W, 3) of its own size, in the order of their names.

    where: a folder (with those inside it), a .zip, a .txt file with a path a line, one picture, or
        a list of paths. For what is in memory already there is `Pictures.of`.
    check: decode every picture now. Without it only the beginnings of the files are looked at, and
        one that is cut short is noticed when it is its turn.
    smallest: pixels that the shorter side must have.
    Those that cannot be used are left out: `skipped` lists (name, why).
    Raises MissingDataError where no picture is left; reading one raises DamagedDataError.
    """

    reader: Reader = staticmethod(read_picture)
    proper = staticmethod(check_picture)

    def __init__(
        self, where: Any, *, check: bool = False, smallest: int = 1, name: str | None = None
    ) -> None:
        found, self.skipped = find(where)
        self.name = name or ("pictures" if isinstance(where, list | tuple) else Path(where).stem)
        self.sources: list[PictureSource] = []
        for source in found:
            if why := self._fault(source, check, smallest):
                self.skipped.append((source.name, why))
            else:
                self.sources.append(source)
        self._kept: dict[PictureSource, np.ndarray] = {}
        self._room = KEPT
        if not self.sources:
            raise MissingDataError(self._nothing(where))

    @classmethod
    def of(
        cls, pictures: Sequence[np.ndarray], names: Sequence[str] | None = None, *,
        name: str = "pictures",
    ) -> Pictures:
        """Take pictures that are in memory; they are called "0", "1", ... if no names are given.

        Raises TypeError or ShapeError for what is no picture.

        >>> Pictures.of([np.zeros((4, 6, 3), np.uint8)]).names
        ['0']
        """
        names = names or [str(place) for place in range(len(pictures))]
        for picture in pictures:
            cls.proper(f"{cls.__name__}.of", picture)
        return cls([Stored(n, p) for n, p in zip(names, pictures, strict=True)], name=name)

    @property
    def names(self) -> list[str]:
        """The names, such as "cats/7.jpg", in order."""
        return [source.name for source in self.sources]

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, index: int) -> np.ndarray:
        source = self.sources[index]
        if source in self._kept:
            return self._kept[source]
        picture = source.load(self.reader)
        if picture.nbytes <= self._room and not isinstance(source, Stored):
            picture.flags.writeable = False  # it is handed out again and again
            self._room -= picture.nbytes
            self._kept[source] = picture
        return picture

    def batch(self, indices: np.ndarray) -> list[list[np.ndarray]]:
        """Return one column: the list of the pictures at the given places."""
        return [[self[int(i)] for i in indices]]

    def select(self, indices: Any) -> Pictures:
        """Return the pictures at the given places as a data set of its own."""
        part = copy.copy(self)
        part.sources = [self.sources[int(i)] for i in indices]
        part.skipped = []
        return part

    def _fault(self, source: PictureSource, check: bool, smallest: int) -> str | None:
        """Say why a picture cannot be used, or None."""
        whole = check or isinstance(source, Stored)
        try:
            size = source.load(self.reader).shape[:2] if whole else source.load(read_size)
        except DataError as error:
            return str(error)
        if min(size) < smallest:
            return f"it has {size[0]} x {size[1]} pixels, the shorter side must have {smallest}"
        return None

    def _nothing(self, where: Any) -> str:
        place = self.name if isinstance(where, list | tuple) else where
        if self.skipped:
            return f"no picture of {place} can be used: " + "; ".join(reasons(self.skipped))
        return f"there is no picture in {place}; a picture ends in {', '.join(SUFFIXES)}"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_kept": {}, "_room": KEPT}

    def __repr__(self) -> str:
        left_out = f", {len(self.skipped)} left out" if self.skipped else ""
        return f"{type(self).__name__}({self.name}: {len(self)}{left_out})"


class Masks(Pictures):
    """Masks by number, each uint8 (H, W) with a class number a pixel; otherwise as Pictures.

    first: the lowest class number in the files, which becomes 0.
    """

    reader: Reader = staticmethod(read_mask)
    proper = staticmethod(check_mask)

    def __init__(self, where: Any, *, first: int = 0, **options: Any) -> None:
        self.first = first
        super().__init__(where, **options)

    def __getitem__(self, index: int) -> np.ndarray:
        mask = super().__getitem__(index)
        return mask - np.uint8(self.first) if self.first else mask


def split_pictures(pictures: Any, share: float = 0.1, seed: int = 42) -> tuple[Any, Any]:
    """Split pictures, pairs or labelled pictures at random into (training, validation).

    share: of the validation, above 0 and below 1; either part gets at least one item.
    Raises ValueError where there are not two items.
    Source: fast.ai's split_by_rand_pct, whose defaults for lesson 7 these are.

    >>> pictures = Pictures.of([np.zeros((4, 4, 3), np.uint8)] * 20)
    >>> [len(part) for part in split_pictures(pictures)]
    [18, 2]
    """
    total = len(pictures)
    if total < 2 or not 0 < share < 1:
        raise ValueError(f"split_pictures: cannot split {total} items with share={share}; there "
                         "must be 2 at least, and a share between 0 and 1")
    count = min(max(1, int(share * total)), total - 1)
    order = np.random.default_rng(seed).permutation(total)
    return pictures.select(np.sort(order[count:])), pictures.select(np.sort(order[:count]))

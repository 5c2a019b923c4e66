"""Pictures that belong together, seen together: the same view for the input and its target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from ...errors import ShapeError
from ..dataset import Dataset
from ..loader import DataLoader
from ..problems import MissingDataError
from ..transforms import Normalize
from .folder import Pictures
from .sources import Skipped
from .view import Augment, Size, View, sides

IMAGENET = Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
CIFAR = Normalize([0.491, 0.482, 0.447], [0.247, 0.243, 0.261])
LESSON = Augment(max_zoom=2.0)  # how lesson 7 augments for super-resolution


class Pairs(Dataset):
    """Inputs and their targets: item i is (inputs[i], targets[i], ...), raw pictures or masks.

    They may differ in resolution, but show the same: their proportions must agree.
    Raises ShapeError where the lengths differ, and on reading a pair whose proportions do.

    >>> small, large = (Pictures.of([np.zeros((n, n, 3), np.uint8)]) for n in (8, 16))
    >>> [picture.shape for picture in Pairs(small, large)[0]]
    [(8, 8, 3), (16, 16, 3)]
    """

    def __init__(self, inputs: Any, targets: Any, *more: Any) -> None:
        self.columns = (inputs, targets, *more)
        lengths = [len(column) for column in self.columns]
        if len(set(lengths)) > 1:
            raise ShapeError(f"Pairs: the columns have {lengths} items; each input needs its "
                             "target (Pairs.by_name matches two folders by the names of the files)")
        self.skipped: Skipped = []

    @classmethod
    def by_name(cls, inputs: Pictures, targets: Pictures) -> Pairs:
        """Pair pictures whose paths agree but for the ending; `skipped` lists those left alone.

        Raises MissingDataError where no two agree.

        >>> one = Pictures.of([np.zeros((2, 2, 3), np.uint8)] * 2, ["a.png", "b.png"])
        >>> other = Pictures.of([np.zeros((2, 2, 3), np.uint8)], ["b.jpg"])
        >>> pairs = Pairs.by_name(one, other)
        >>> len(pairs), pairs.skipped
        (1, [('a.png', 'pictures has no picture of this name')])
        """
        places = [{_stem(name): i for i, name in enumerate(side.names)}
                  for side in (inputs, targets)]
        both = [stem for stem in places[0] if stem in places[1]]
        if not both:
            raise MissingDataError(f"no picture of {inputs.name}, such as {inputs.names[0]}, has a "
                                   f"partner in {targets.name}, such as {targets.names[0]}")
        pairs = cls(*(side.select([place[stem] for stem in both])
                      for side, place in zip((inputs, targets), places, strict=True)))
        for side, other in ((inputs, targets), (targets, inputs)):
            known = {_stem(name) for name in other.names}
            pairs.skipped += [(name, f"{other.name} has no picture of this name")
                              for name in side.names if _stem(name) not in known]
        return pairs

    @property
    def names(self) -> list[str]:
        """The names of the inputs."""
        return self.columns[0].names

    def __len__(self) -> int:
        return len(self.columns[0])

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        item = tuple(column[index] for column in self.columns)
        for place, picture in enumerate(item):
            if not _same_proportions(picture.shape, item[1].shape):
                raise ShapeError(
                    f"Pairs: of item {index} ({self.names[index]}) column {place} has "
                    f"{picture.shape[0]} x {picture.shape[1]} pixels and the target "
                    f"{item[1].shape[0]} x {item[1].shape[1]}: they cannot show the same")
        return item

    def batch(self, indices: np.ndarray) -> list[list[np.ndarray]]:
        """Return one list of pictures or masks a column."""
        return [list(column) for column in zip(*(self[int(i)] for i in indices), strict=True)]

    def select(self, indices: Any) -> Pairs:
        """Return the pairs at the given places as a data set of its own."""
        return Pairs(*(column.select(indices) for column in self.columns))

    def __repr__(self) -> str:
        columns = " and ".join(repr(column) for column in self.columns)
        return f"{type(self).__name__}({len(self)} of {columns})"


def _stem(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix()


def _same_proportions(shape: Sequence[int], other: Sequence[int]) -> bool:
    """Compare two (height, width, ...); each side may have been rounded by a pixel."""
    low, high = sorted([tuple(shape[:2]), tuple(other[:2])])
    return abs(low[0] / high[0] - low[1] / high[1]) <= 1 / high[0] + 1 / high[1]


class Labelled(Dataset):
    """Pictures with a class each: item i is (picture, label).

    labels: N places in `classes`, the names of the classes.
    Raises ShapeError or ValueError where they do not fit together.

    >>> data = Labelled(Pictures.of([np.zeros((2, 2, 3), np.uint8)]), [1], ["cat", "dog"])
    >>> data.classes[data[0][1]]
    'dog'
    """

    def __init__(self, pictures: Pictures, labels: Any, classes: Sequence[str]) -> None:
        self.pictures, self.classes = pictures, tuple(classes)
        self.labels = np.asarray(labels, dtype=np.int64)
        if self.labels.shape != (len(pictures),):
            raise ShapeError(f"Labelled: {len(pictures)} pictures and labels of shape "
                             f"{self.labels.shape}; give one label for each picture")
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(classes):
            raise ValueError(f"Labelled: labels go from {self.labels.min()} to {self.labels.max()},"
                             f" there are {len(classes)} classes")

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        return self.pictures[index], int(self.labels[index])

    def batch(self, indices: np.ndarray) -> list[Any]:
        """Return [list of pictures, labels (n,)]."""
        return [*self.pictures.batch(indices), self.labels[indices]]

    def select(self, indices: Any) -> Labelled:
        """Return the items at the given places as a data set of its own."""
        indices = np.asarray(indices)
        return Labelled(self.pictures.select(indices), self.labels[indices], self.classes)


class Views:
    """The `batch_transform` that makes batches of images out of lists of pictures.

    size: (height, width) of the images, or their one side. augment: random views, one draw an item
    and the same for all that belongs to it; without it the middle of each picture.
    normalize: applied to images; to targets only if `normalize_targets`.
    how: "bilinear", or "bicubic".
    A column of pictures becomes float32 (N, 3, h, w), one of masks int64 (N, h, w); other columns,
    such as labels, stay as they are. Where the columns differ in resolution, the second one, the
    target, decides how large a view is.

    >>> views = Views(4, normalize=Normalize([0.5] * 3, [0.5] * 3))
    >>> x, y = views([[np.zeros((6, 8, 3), np.uint8)], [np.ones((12, 16), np.uint8)]])
    >>> x.shape, x.max(), y.shape, y.dtype
    ((1, 3, 4, 4), np.float32(-1.0), (1, 4, 4), dtype('int64'))
    """

    def __init__(
        self, size: Size, augment: Augment | None = None, normalize: Normalize | None = None, *,
        how: str = "bilinear", normalize_targets: bool = True,
    ) -> None:
        self.size, self.augment, self.normalize = sides(size), augment, normalize
        self.how, self.normalize_targets = how, normalize_targets

    def __call__(self, batch: Sequence[Any], generator: Any = None) -> list[Any]:
        pictures = [place for place, column in enumerate(batch) if isinstance(column, list)]
        if not pictures:
            raise TypeError("Views: the batch holds no list of pictures; give the loader Pictures, "
                            "Pairs or Labelled")
        views = [self._view(generator) for _ in batch[pictures[0]]]
        shapes = [picture.shape for picture in batch[pictures[:2][-1]]]
        return [self._images(column, views, shapes, place == 0 or self.normalize_targets)
                if isinstance(column, list) else column for place, column in enumerate(batch)]

    def _view(self, generator: Any) -> View:
        return View() if self.augment is None else self.augment.draw(generator)

    def _images(self, column: list, views: list[View], shapes: list, normal: bool) -> np.ndarray:
        seen = [view.mask(picture, self.size, like) if picture.ndim == 2 else
                view.image(picture, self.size, self.how, like)
                for view, picture, like in zip(views, column, shapes, strict=True)]
        images = np.stack(seen)
        wanted = self.normalize is not None and normal and images.ndim == 4
        return self.normalize(images) if wanted else images

    def __repr__(self) -> str:
        return f"Views({self.size}, {self.augment}, {self.normalize}, how={self.how!r})"


def pair_loaders(
    train: Any, valid: Any, size: Size, batch_size: int = 8, *,
    augment: Augment | None = LESSON, normalize: Normalize | None = None,
    how: str = "bilinear", normalize_targets: bool = True, seed: int | None = None,
) -> tuple[DataLoader, DataLoader]:
    """Make the loaders of a training run from Pairs, Pictures or Labelled pictures.

    The training loader shuffles, drops the last partial batch and augments; the validation loader
    does none of the three. The other arguments are those of `Views`, by default as in lesson 7.
    seed: fixes the order and the augmentations.
    Raises ValueError where the training set has less than one batch.

    >>> picture = Pictures.of([np.zeros((8, 12, 3), np.uint8)] * 3)
    >>> train, valid = pair_loaders(Pairs(picture, picture), Pairs(picture, picture), 4, 2, seed=1)
    >>> [x.shape for x, y in train], [x.shape for x, y in valid]
    ([(2, 3, 4, 4)], [(2, 3, 4, 4), (1, 3, 4, 4)])
    """
    if len(train) < batch_size:
        raise ValueError(f"pair_loaders: {len(train)} training items make no whole batch of "
                         f"{batch_size}; give a smaller batch_size")
    random, middle = (Views(size, drawn, normalize, how=how, normalize_targets=normalize_targets)
                      for drawn in (augment, None))
    training = DataLoader(train, batch_size, shuffle=True, drop_last=True, seed=seed,
                          batch_transform=random)
    # A seed of its own: validating draws nothing from the framework's generator.
    return training, DataLoader(valid, batch_size, seed=0, batch_transform=middle)

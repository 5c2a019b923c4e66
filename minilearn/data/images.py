"""Labelled images, and the pair of loaders that training starts from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from .chance import source
from .dataset import Dataset
from .loader import DataLoader
from .transforms import Normalize, on_inputs, stats_of, to_float


class Images(Dataset):
    """Images with a label each, kept as bytes and handed out as floats.

    images: uint8, (N, C, H, W), or (N, H, W) for grey ones. labels: N whole numbers, places in
        `classes`. classes: the names of the classes. name: what the data set is called.
    transform: what turns a batch of bytes (n, C, H, W) into what is handed out; `to_float` makes
        float32 from 0 to 1. Transforms with chance belong into DataLoader(batch_transform=...),
        which owns the generator and can take up an epoch again.
    Item i is (image (C, H, W), label). Raises ShapeError, TypeError or ValueError where images,
    labels and classes do not fit together.

    >>> data = Images(np.zeros((2, 28, 28), dtype=np.uint8), [1, 0], ["no", "yes"])
    >>> image, label = data[0]
    >>> image.shape, data.classes[label]
    ((1, 28, 28), 'yes')
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: Any,
        classes: Sequence[str],
        *,
        transform: Callable[[np.ndarray], np.ndarray] = to_float,
        name: str = "images",
    ) -> None:
        images, labels = np.asarray(images), np.asarray(labels, dtype=np.int64)
        _check(images, labels, classes)
        self.images = images[:, None] if images.ndim == 3 else images
        self.labels = labels
        self.classes = tuple(classes)
        self.transform = transform
        self.name = name

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        images, labels = self.batch(np.array([index]))
        return images[0], int(labels[0])

    def batch(self, indices: np.ndarray) -> list[np.ndarray]:
        """Return [images (n, C, H, W), labels (n,)] at the given places."""
        return [self.transform(self.images[indices]), self.labels[indices]]

    def select(self, indices: Any) -> Images:
        """Return the images at the given places as a data set of its own.

        >>> data = Images(np.zeros((3, 2, 2), dtype=np.uint8), [0, 1, 2], "abc")
        >>> data.select([2, 0]).labels
        array([2, 0])
        """
        images, labels = self.images[indices], self.labels[indices]
        return Images(images, labels, self.classes, transform=self.transform, name=self.name)

    def __repr__(self) -> str:
        shape = " x ".join(str(side) for side in self.images.shape[1:])
        return f"Images({self.name}: {len(self)} of {shape}, {len(self.classes)} classes)"


def _check(images: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> None:
    if images.ndim not in (3, 4) or labels.shape != images.shape[:1]:
        raise ShapeError(
            f"Images: got images of shape {images.shape} and labels of shape {labels.shape}; give "
            "images (N, C, H, W) or (N, H, W), and N labels"
        )
    if images.dtype != np.uint8:
        raise TypeError(f"Images: the images must be uint8, 0 to 255, got {images.dtype}")
    wrong = (labels < 0) | (labels >= len(classes))
    if wrong.any():
        place = int(wrong.argmax())
        raise ValueError(
            f"Images: label {labels[place]} of image {place} is no place among the "
            f"{len(classes)} classes"
        )


def image_loaders(
    train: Images,
    valid: Images,
    batch_size: int = 128,
    *,
    augment: Sequence[Callable[..., np.ndarray]] = (),
    seed: int | None = None,
) -> tuple[DataLoader, DataLoader, Normalize]:
    """Make the loaders of a training run, and the normalisation both of them apply.

    The training loader shuffles, drops the last partial batch and augments; the validation loader
    does none of the three. Mean and standard deviation are measured on one random training batch.
    augment: transforms for the training images only, such as [RandomPadCrop(3, 28)].
    seed: fixes that batch, the order and the augmentations.
    Returns (training loader, validation loader, normalisation, for predictions and display).
    Raises ValueError where the training set has less than one batch.
    Source: the data of fast.ai's lesson 7.

    >>> data = Images(np.arange(64, dtype=np.uint8).reshape(4, 4, 4), [0, 1, 0, 1], "ab")
    >>> loader, _, normalize = image_loaders(data, data, batch_size=2, seed=1)
    >>> len(loader), len(normalize.mean)
    (2, 1)
    """
    if len(train) < batch_size:
        raise ValueError(
            f"image_loaders: {len(train)} training images make no whole batch of {batch_size}; "
            "give a smaller batch_size"
        )
    generator = None if seed is None else np.random.default_rng(seed)
    chosen = source("image_loaders", generator).permutation(len(train))[:batch_size]
    normalize = Normalize(*stats_of(train.batch(chosen)[0]))
    training = DataLoader(
        train,
        batch_size,
        shuffle=True,
        drop_last=True,
        generator=generator,
        batch_transform=on_inputs(*augment, normalize),
    )
    # A generator of its own, though nothing here is left to chance: validating then draws nothing
    # from the framework's, and training goes on as if there had been no validation.
    validation = DataLoader(valid, batch_size, batch_transform=on_inputs(normalize), seed=0)
    return training, validation, normalize

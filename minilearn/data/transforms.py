"""Transforms of whole batches of images, in NumPy, before they become Tensors.

A transform is called as `t(images, generator)`: images of shape (N, C, H, W), and the NumPy
generator that all its chance comes from. Each image gets its own draw. Those without chance do
without the generator. None changes the array it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from .collate import host

Transform = Callable[..., np.ndarray]


def to_float(images: np.ndarray, generator: Any = None) -> np.ndarray:
    """Turn bytes, 0..255, into float32, 0..1; leave floating images as they are.

    Raises TypeError for any other kind of number, whose range nobody knows.

    >>> to_float(np.array([0, 51, 255], dtype=np.uint8))
    array([0. , 0.2, 1. ], dtype=float32)
    """
    if images.dtype.kind == "f":
        return images
    if images.dtype != np.uint8:
        raise TypeError(f"to_float: images must be uint8 (0..255) or floating, got {images.dtype}")
    return images / np.float32(255)


def stats_of(images: Any) -> tuple[list[float], list[float]]:
    """Measure the mean and the standard deviation of each channel over a batch.

    images: (N, C, H, W), an array or a Tensor, floating.
    Returns (means, stds), C numbers each; std divides by n - 1, as torch's does.
    Raises ShapeError for other shapes.

    >>> stats_of(np.array([0., 1., 2., 3.]).reshape(2, 1, 2, 1))[0]
    [1.5]
    """
    array = _four_dims("stats_of", host(images)).astype(np.float64)
    over = (0, 2, 3)
    return array.mean(over).tolist(), array.std(over, ddof=1).tolist()


class Normalize:
    """Bring each channel to mean 0 and standard deviation 1: (images - mean) / std.

    mean, std: one number a channel, in the units of the images.
    Returns images of the same floating dtype. Raises ValueError for a std of 0 or lengths that
    differ, TypeError for images of whole numbers.

    >>> Normalize([0.5], [0.25])(np.full((1, 1, 1, 2), 0.75))
    array([[[[1., 1.]]]])
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self.mean = [float(m) for m in mean]
        self.std = [float(s) for s in std]
        if len(self.mean) != len(self.std) or not all(s > 0 for s in self.std):
            raise ValueError(
                f"Normalize: got mean={self.mean}, std={self.std}; give one mean and one std above "
                "0 a channel (a std of 0 means that the channel is constant)"
            )

    def __call__(self, images: np.ndarray, generator: Any = None) -> np.ndarray:
        mean, std = self._columns(images)
        return (images - mean) / std

    def denormalize(self, images: Any) -> np.ndarray:
        """Undo it, for display: images * std + mean; takes an array or a Tensor."""
        images = host(images)
        mean, std = self._columns(images)
        return images * std + mean

    def _columns(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shape mean and std (C, 1, 1), in the dtype of the images."""
        if images.dtype.kind != "f":
            raise TypeError(f"Normalize: the images are {images.dtype}; apply to_float first")
        channels = images.shape[-3] if images.ndim >= 3 else None
        if channels != len(self.mean):
            raise ShapeError(
                f"Normalize: images of shape {images.shape} do not have {len(self.mean)} channels, "
                f"(..., {len(self.mean)}, H, W), as mean={self.mean} has"
            )
        shaped = np.array([self.mean, self.std], dtype=images.dtype)[..., None, None]
        return shaped[0], shaped[1]

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


class RandomPadCrop:
    """Pad each image with zeros on every side, then cut a window at a random place.

    padding: pixels a side, 0 or more. size: height and width of the window, in pixels.
    Takes (N, C, H, W), returns (N, C, size, size) of the same dtype, one draw an image.
    Raises ShapeError where the window does not fit into the padded image.
    Source: the `rand_pad` of fast.ai's lesson 7 on MNIST (pad 3, window 28).

    >>> digits = np.ones((4, 1, 28, 28), dtype=np.float32)
    >>> RandomPadCrop(padding=3, size=28)(digits, np.random.default_rng(0)).shape
    (4, 1, 28, 28)
    """

    def __init__(self, padding: int = 3, size: int = 28) -> None:
        if padding < 0 or size < 1:
            raise ValueError(f"RandomPadCrop: padding={padding} is below 0 or size={size} below 1")
        self.padding, self.size = padding, size

    def __call__(self, images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        n, _, height, width = _four_dims("RandomPadCrop", images).shape
        down, right = (side + 2 * self.padding - self.size + 1 for side in (height, width))
        if min(down, right) < 1:
            raise ShapeError(
                f"RandomPadCrop: images of shape {images.shape} with {self.padding} pixels a side "
                f"are smaller than the window of {self.size} x {self.size}; pad more or cut less"
            )
        around = (self.padding, self.padding)
        padded = np.pad(images, ((0, 0), (0, 0), around, around))
        # Every possible window as a view, (N, C, down, right, size, size); one is copied an image.
        windows = np.lib.stride_tricks.sliding_window_view(padded, (self.size, self.size), (2, 3))
        tops, lefts = generator.integers(down, size=n), generator.integers(right, size=n)
        return windows[np.arange(n), :, tops, lefts]

    def __repr__(self) -> str:
        return f"RandomPadCrop(padding={self.padding}, size={self.size})"


class _RandomFlip:
    axis: int

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: the probability p={p} is not between 0 and 1")
        self.p = p

    def __call__(self, images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        _four_dims(type(self).__name__, images)
        chosen = generator.random(len(images)) < self.p
        return np.where(chosen[:, None, None, None], np.flip(images, self.axis), images)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomHorizontalFlip(_RandomFlip):
    """Mirror each image left to right with probability p (not for digits: a 2 becomes no digit).

    >>> RandomHorizontalFlip(p=1)(np.array([[[[1, 2]]]]), np.random.default_rng(0))
    array([[[[2, 1]]]])
    """

    axis = -1


class RandomVerticalFlip(_RandomFlip):
    """Mirror each image top to bottom with probability p.

    >>> RandomVerticalFlip(p=1)(np.array([[[[1], [2]]]]), np.random.default_rng(0)).ravel()
    array([2, 1])
    """

    axis = -2


class Compose:
    """Apply transforms one after the other; each takes its chance from the same generator.

    >>> Compose([to_float, Normalize([0.5], [0.5])])(np.zeros((1, 1, 1, 1), dtype=np.uint8))
    array([[[[-1.]]]], dtype=float32)
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = list(transforms)

    def __call__(self, images: np.ndarray, generator: Any = None) -> np.ndarray:
        for transform in self.transforms:
            images = transform(images, generator)
        return images

    def __repr__(self) -> str:
        return f"Compose({self.transforms})"


def on_inputs(*transforms: Transform) -> Callable[[Any, np.random.Generator], list]:
    """Make a `batch_transform` for DataLoader that changes only the first part of a batch.

    Returns f((inputs, *targets), generator) -> [changed inputs, *targets].

    >>> f = on_inputs(to_float)
    >>> f([np.full((1, 1), 255, dtype=np.uint8), "target"], np.random.default_rng(0))
    [array([[1.]], dtype=float32), 'target']
    """
    chain = Compose(transforms)

    def transformed(batch: Any, generator: np.random.Generator) -> list:
        if not isinstance(batch, list | tuple):
            raise TypeError(
                f"on_inputs: the batch is a {type(batch).__name__}, expected [inputs, *targets]; "
                "write a batch_transform f(batch, generator) of your own"
            )
        return [chain(batch[0], generator), *batch[1:]]

    return transformed


def _four_dims(function: str, images: np.ndarray) -> np.ndarray:
    if images.ndim != 4:
        raise ShapeError(
            f"{function}: images must have the shape (N, C, H, W), got {images.shape}; "
            "give a single image as images[None]"
        )
    return images

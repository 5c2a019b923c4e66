"""Damage, for a net to undo: what it is shown in training is what it will repair.

Each kind is called as `d(picture, generator, boxes=None)`: a picture, uint8 (H, W, 3), the NumPy
generator that its chance comes from, and a list that gets the place of each mark or hole, as
(top, left, bottom, right) in fractions of the sides. None changes the picture it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .marks import Box, note, write_text
from .reading import fitted, read_picture, resize_picture, to_picture
from .writing import encode

Damage = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Shrink:
    """Resize so that the shorter side has `size` pixels; a smaller picture stays as it is.

    >>> Shrink(96)(np.zeros((321, 481, 3), np.uint8)).shape
    (96, 143, 3)
    """

    size: int = 96
    how: str = "bilinear"

    def __post_init__(self) -> None:
        _check(self, "size", self.size, 1, 1 << 16)

    def __call__(self, picture: np.ndarray, generator: Any = None, boxes: Any = None) -> np.ndarray:
        return picture if min(picture.shape[:2]) <= self.size else resize_picture(
            picture, fitted(picture.shape, self.size), self.how)


@dataclass(frozen=True)
class Jpeg:
    """Code as JPEG and decode again; quality 1 to 100, or (lowest, highest) to draw one from."""

    quality: int | tuple[int, int] = 60

    def __post_init__(self) -> None:
        for quality in _range(self.quality):
            _check(self, "quality", quality, 1, 100)

    def __call__(
        self, picture: np.ndarray, generator: np.random.Generator | None = None, boxes: Any = None
    ) -> np.ndarray:
        return _jpeg(picture, _draw(self.quality, generator))


@dataclass(frozen=True)
class Number:
    """Write a white number into the upper left quarter; drawn from (lowest, highest)."""

    span: tuple[int, int] = (10, 70)

    def __call__(
        self, picture: np.ndarray, generator: np.random.Generator, boxes: list[Box] | None = None
    ) -> np.ndarray:
        return write_text(picture, str(_draw(self.span, generator)), generator, boxes)


@dataclass(frozen=True)
class NumberedJpeg:
    """Write a white number and code as JPEG with this very quality.

    Source: the `crappify` of fast.ai's super-resolution GAN.
    """

    span: tuple[int, int] = (10, 70)

    def __post_init__(self) -> None:
        for quality in self.span:
            _check(self, "span", quality, 1, 100)

    def __call__(
        self, picture: np.ndarray, generator: np.random.Generator, boxes: list[Box] | None = None
    ) -> np.ndarray:
        quality = _draw(self.span, generator)
        return _jpeg(write_text(picture, str(quality), generator, boxes), quality)


@dataclass(frozen=True)
class Text:
    """Write a text in white at a random place, as watermarks are; `height` in parts of the picture.

    Letters are made smaller where the text would be wider than the picture.
    """

    text: str
    height: float = 0.1

    def __post_init__(self) -> None:
        _check(self, "height", self.height, 0.01, 1)
        if not self.text.strip():
            raise ValueError("Text: the text is empty")

    def __call__(
        self, picture: np.ndarray, generator: np.random.Generator, boxes: list[Box] | None = None
    ) -> np.ndarray:
        pixels = max(6.0, self.height * picture.shape[0])
        return write_text(picture, self.text, generator, boxes, pixels=pixels, reach=1.0)


@dataclass(frozen=True)
class Grey:
    """Take the colour away: three equal channels, 0.299 red + 0.587 green + 0.114 blue."""

    def __call__(self, picture: np.ndarray, generator: Any = None, boxes: Any = None) -> np.ndarray:
        luma = picture @ np.array([0.299, 0.587, 0.114])
        return np.repeat(np.round(luma)[..., None], 3, 2).astype(np.uint8)


@dataclass(frozen=True)
class Holes:
    """Cut rectangular holes, filled with mid-grey: `count` of them, each side up to `largest`.

    largest: in parts of the picture's side; the smallest is a quarter of it.
    """

    count: int = 3
    largest: float = 0.25

    def __post_init__(self) -> None:
        _check(self, "count", self.count, 1, 1000)
        _check(self, "largest", self.largest, 0.001, 1)

    def __call__(
        self, picture: np.ndarray, generator: np.random.Generator, boxes: list[Box] | None = None
    ) -> np.ndarray:
        holed = picture.copy()
        whole = np.array(picture.shape[:2])
        for _ in range(self.count):
            size = np.ceil(generator.uniform(self.largest / 4, self.largest, 2) * whole).astype(int)
            top, left = generator.integers(0, whole - size + 1).tolist()
            box = (top, left, top + int(size[0]), left + int(size[1]))
            holed[box[0] : box[2], box[1] : box[3]] = 128
            note(boxes, box, picture)
        return holed


@dataclass(frozen=True)
class Noise:
    """Add normal noise to each value; sigma in parts of the range from black to white."""

    sigma: float = 0.1

    def __post_init__(self) -> None:
        _check(self, "sigma", self.sigma, 0, 10)

    def __call__(
        self, picture: np.ndarray, generator: np.random.Generator, boxes: Any = None
    ) -> np.ndarray:
        noisy = picture / 255 + generator.normal(0, self.sigma, picture.shape)
        return to_picture(noisy.transpose(2, 0, 1))


@dataclass(frozen=True)
class Degrade:
    """Several kinds of damage, one after the other; each takes its chance from one generator.

    >>> damage = Degrade([Shrink(8), Jpeg(50)])
    >>> damage(np.zeros((16, 32, 3), np.uint8), np.random.default_rng(0)).shape
    (8, 16, 3)
    """

    steps: Sequence[Damage]

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("Degrade: no damage is asked for; name at least one kind")

    def __call__(
        self, picture: np.ndarray, generator: np.random.Generator, boxes: list[Box] | None = None
    ) -> np.ndarray:
        for step in self.steps:
            picture = step(picture, generator, boxes)
        return picture


def degradation(
    *, size: int | None = 96, quality: int | None = 60, number: bool = False,
    text: str | None = None, grey: bool = False, holes: int = 0, noise: float = 0.0,
) -> Degrade:
    """Return the damage that these words describe, done in the order in which it happens.

    The picture loses its colour and gets holes, is made smaller (shorter side `size`), gets noise
    and marks, and is coded as JPEG. A number without a quality is itself the quality, 10 to 70.
    None, False or 0 leave a step out; what is not named is as in lesson 7.
    Raises ValueError where nothing is left to do, or for a value out of range.

    >>> degradation(size=64, quality=None, number=True).steps
    [Shrink(size=64, how='bilinear'), NumberedJpeg(span=(10, 70))]
    """
    steps: list[Damage] = [Grey()] if grey else []
    if holes:
        steps.append(Holes(holes))
    if size:
        steps.append(Shrink(size))
    if noise:
        steps.append(Noise(noise))
    if text:
        steps.append(Text(text))
    if number:
        steps.append(Number() if quality else NumberedJpeg())
    if quality:
        steps.append(Jpeg(quality))
    return Degrade(steps)


def _jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    return read_picture(encode(picture, "JPEG", quality=quality))


def _range(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def _draw(value: int | tuple[int, int], generator: np.random.Generator | None) -> int:
    low, high = _range(value)
    return low if low == high else int(generator.integers(low, high + 1))


def _check(damage: Any, name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{type(damage).__name__}: {name}={value} is not between {low} and {high}")

"""Pictures out of files, and between bytes and images.

A *picture* is what lies in a file: bytes, uint8 (H, W, 3), of any size. A *mask* is uint8 (H, W), a
class number at each pixel. An *image* is what a net sees: float32 (3, H, W), 0 to 1.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ...errors import ShapeError
from ..collate import host
from ..problems import DamagedDataError, MissingDataError
from ..transforms import to_float

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "box")
# What pillow raises for files that are cut short, not pictures, or made to do harm.
UNREADABLE = (OSError, ValueError, SyntaxError, TypeError, EOFError, struct.error, KeyError,
              IndexError, OverflowError, MemoryError, Warning)

Readable = str | Path | bytes | BinaryIO


def read_picture(source: Readable, name: str | None = None) -> np.ndarray:
    """Read a picture as bytes, uint8 (H, W, 3), upright, in colour.

    Turned as its EXIF says; grey, palette, CMYK and 16-bit pictures become RGB; what is transparent
    lies on white; of an animation the first picture counts.
    source: a path, the bytes of a file, or an open one. name: what to call it in a message.
    Raises MissingDataError or DamagedDataError, in one sentence.
    """
    from PIL import ImageOps

    with _opened(source, name) as image:
        return np.asarray(_colours(ImageOps.exif_transpose(image)))


def read_mask(source: Readable, name: str | None = None) -> np.ndarray:
    """Read a mask, uint8 (H, W): one class number a pixel, just as the file has them.

    Raises MissingDataError, or DamagedDataError also for a colour picture.
    """
    with _opened(source, name) as image:
        return _class_numbers(image)


def read_size(source: Readable, name: str | None = None) -> tuple[int, int]:
    """Return (height, width) as the beginning of a file says, before any turning.

    Raises MissingDataError or DamagedDataError.
    """
    with _opened(source, name) as image:
        return image.height, image.width


@contextmanager
def _opened(source: Readable, name: str | None) -> Iterator[Image]:
    """Open a picture file; whatever goes wrong with it becomes one sentence."""
    from PIL import Image

    name = name or (str(source) if isinstance(source, str | Path) else "the file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
                yield image
    except FileNotFoundError:
        raise MissingDataError(f"there is no picture {name}") from None
    except (*UNREADABLE, Image.DecompressionBombError) as error:
        raise DamagedDataError(
            f"{name} cannot be read as a picture ({_first_line(error)}); leave it out, or save it "
            "anew as PNG or JPEG"
        ) from error


def _first_line(error: BaseException) -> str:
    """Say what was wrong, without the path or the object that pillow adds."""
    if type(error).__name__ == "UnidentifiedImageError":
        return "its beginning is that of no known kind of picture"
    return (str(error).splitlines() or [type(error).__name__])[0]


def _colours(image: Image) -> Image:
    from PIL import Image as pillow

    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if image.mode == "F":
        raise ValueError("its pixels are fractions, whose range nobody knows")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = pillow.new("RGBA", image.size, "white")
        image = pillow.alpha_composite(paper, image)
    return image.convert("RGB")


def _eight_bits(image: Image) -> Image:
    """Bring 16 bits a pixel, 0 to 65535, to 8."""
    from PIL import Image as pillow

    wide = np.asarray(image).astype(np.int64)
    if wide.min() < 0 or wide.max() > 65535:
        raise ValueError(f"its pixels go from {wide.min()} to {wide.max()}, not from 0 to 65535")
    return pillow.fromarray(((wide + 128) // 257).astype(np.uint8))


def _class_numbers(image: Image) -> np.ndarray:
    if image.mode not in ("1", "L", "P", "I", "I;16", "I;16B"):
        raise ValueError(f"a mask has one number a pixel, this picture is {image.mode}")
    numbers = np.asarray(image)
    if numbers.max(initial=0) > 255 or numbers.min(initial=0) < 0:
        raise ValueError(f"a mask has classes 0 to 255, this one goes up to {numbers.max()}")
    return numbers.astype(np.uint8)


def to_image(picture: np.ndarray) -> np.ndarray:
    """Turn a picture, uint8 (H, W, 3), into an image, float32 (3, H, W) from 0 to 1.

    >>> to_image(np.full((2, 5, 3), 51, np.uint8)).shape
    (3, 2, 5)
    """
    return np.ascontiguousarray(to_float(check_picture("to_image", picture).transpose(2, 0, 1)))


def to_picture(image: Any) -> np.ndarray:
    """Turn an image, a Tensor or an array (3, H, W) or (1, H, W), into a picture (H, W, 3).

    What lies outside of 0 to 1 is cut off, the rest rounded to the nearest byte.
    Raises ShapeError for another shape, ValueError for values that are no numbers.

    >>> to_picture(np.array([-1, 0.5, 2]).reshape(3, 1, 1)).tolist()
    [[[0, 128, 255]]]
    """
    array = host(image)
    if array.ndim != 3 or array.shape[0] not in (1, 3):
        raise ShapeError(
            f"to_picture: an image has the shape (3, H, W) or (1, H, W), got {array.shape}; take "
            "one of a batch as batch[0]"
        )
    if np.isnan(array).any():
        raise ValueError("to_picture: the image holds nan; has the training diverged?")
    levels = np.round(array.astype(np.float64).clip(0, 1) * 255).astype(np.uint8)
    return np.repeat(levels, 4 - len(levels), 0)[:3].transpose(1, 2, 0).copy()


def check_picture(function: str, picture: Any) -> np.ndarray:
    """Return the picture, or raise: TypeError if it is no bytes, ShapeError if not (H, W, 3)."""
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8:
        what = getattr(picture, "dtype", type(picture).__name__)
        raise TypeError(f"{function}: a picture is a uint8 array (H, W, 3), got {what}; see "
                        "read_picture and to_picture")
    if picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise ShapeError(f"{function}: a picture has the shape (H, W, 3), got {picture.shape}")
    return picture


def check_mask(function: str, picture: Any) -> np.ndarray:
    """Return the mask, or raise: TypeError if it is no bytes, ShapeError if not (H, W)."""
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8:
        what = getattr(picture, "dtype", type(picture).__name__)
        raise TypeError(f"{function}: a mask is a uint8 array (H, W), got {what}")
    if picture.ndim != 2 or 0 in picture.shape:
        raise ShapeError(f"{function}: a mask has the shape (H, W), got {picture.shape}")
    return picture


def resize_picture(
    picture: np.ndarray, size: int | Sequence[int], how: str = "bilinear"
) -> np.ndarray:
    """Resize a picture or a mask; where it gets smaller, what falls together is averaged.

    size: an integer is the new shorter side, the other keeping the proportions, rounded down; or
    (height, width). how: "nearest" (for masks), "bilinear", "bicubic", "lanczos" or "box".

    >>> resize_picture(np.zeros((321, 481, 3), np.uint8), 96).shape
    (96, 143, 3)
    """
    from PIL import Image

    height, width = (int(side) for side in (
        fitted(picture.shape, size) if isinstance(size, int | np.integer) else size))
    if min(height, width) < 1:
        raise ValueError(f"resize_picture: the size {size!r} has a side below 1")
    small = Image.fromarray(picture).resize((width, height), resampling("resize_picture", how))
    return np.asarray(small)


def fitted(shape: Sequence[int], size: int) -> tuple[int, int]:
    """Return the height and width of which the shorter is `size`, the other rounded down.

    >>> fitted((481, 321, 3), 96)
    (143, 96)
    """
    height, width = shape[:2]
    shorter = min(height, width)
    return height * size // shorter, width * size // shorter


def resampling(function: str, how: str) -> Any:
    """Return pillow's constant for a way of resampling; ValueError for an unknown one."""
    from PIL import Image

    if how not in INTERPOLATIONS:
        raise ValueError(f"{function}: how must be one of {', '.join(INTERPOLATIONS)}; got {how!r}")
    return Image.Resampling[how.upper()]

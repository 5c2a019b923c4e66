"""Pictures for the tests: drawn from a seed, smooth or not, written as any kind of file."""

import io
import zipfile

import numpy as np
from PIL import Image


def rng(seed=0):
    """A generator."""
    return np.random.default_rng(seed)


def noise(height, width, seed=0):
    """A picture in which every value is random."""
    return rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def smooth(height, width):
    """A picture without edges: interpolating it twice does it little harm."""
    y, x = np.mgrid[:height, :width] / 40
    waves = [np.sin(x + y), np.cos(1.3 * x - y), np.sin(0.7 * y - 0.4 * x + 1)]
    return np.round(127 + 100 * np.stack(waves, 2)).astype(np.uint8)


def saved(image, kind="PNG", **options):
    """The bytes of a pillow image, or of an array, as a file."""
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def folder_of(path, **files):
    """Write files into a folder: name=bytes; two underscores stand for a slash, one for a dot."""
    for name, content in files.items():
        target = path / name.replace("__", "/").replace("_", ".")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return path


def zip_of(path, files):
    """Write a zip of {name: bytes}."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path

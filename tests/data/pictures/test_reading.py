"""Every kind of file becomes the same kind of picture; what cannot be read is told clearly."""

import errno
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from minilearn.data import (
    DamagedDataError,
    DataError,
    MissingDataError,
    read_mask,
    read_picture,
    resize_picture,
    to_image,
    to_picture,
    write_picture,
)
from minilearn.data.pictures.reading import check_picture, read_size
from minilearn.errors import ShapeError
from minilearn.tensor import Tensor
from tests.data.pictures.samples import noise, rng, saved, smooth

sides = st.integers(1, 9)


@given(sides, sides)
def test_a_colour_picture_comes_back_as_it_was_written(height, width):
    picture = noise(height, width)
    read = read_picture(saved(picture))
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, picture)


def test_a_path_an_open_file_and_bytes_are_the_same(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(saved(noise(3, 5)))
    with open(path, "rb") as file:
        for source in (path, str(path), path.read_bytes(), file):
            np.testing.assert_array_equal(read_picture(source), noise(3, 5))


@pytest.mark.parametrize("orientation, turn", [
    (1, lambda p: p), (2, lambda p: p[:, ::-1]), (3, lambda p: p[::-1, ::-1]),
    (4, lambda p: p[::-1]), (5, lambda p: p.transpose(1, 0, 2)),
    (6, lambda p: np.rot90(p, -1)), (7, lambda p: np.rot90(p, 2).transpose(1, 0, 2)),
    (8, lambda p: np.rot90(p, 1)),
])
def test_pictures_stand_upright(orientation, turn):
    exif = Image.Exif()
    exif[0x0112] = orientation
    read = read_picture(saved(noise(4, 7), exif=exif))
    np.testing.assert_array_equal(read, turn(noise(4, 7)))


def test_grey_becomes_three_equal_channels():
    grey = noise(4, 5)[..., 0]
    np.testing.assert_array_equal(read_picture(saved(grey)), np.repeat(grey[..., None], 3, 2))


def test_sixteen_bits_become_eight():
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    read = read_picture(saved(every))[..., 0]
    assert read.min() == 0 and read.max() == 255
    np.testing.assert_array_equal(read, np.floor(every / 257 + 0.5))
    tiff = read_picture(saved(every, "TIFF"))
    np.testing.assert_array_equal(tiff[..., 0], read)


def test_what_is_transparent_lies_on_white():
    alpha = np.dstack([noise(2, 3), np.array([[0, 255, 0], [255, 0, 255]], np.uint8)])
    read = read_picture(saved(alpha))
    opaque = alpha[..., 3] == 255
    np.testing.assert_array_equal(read[opaque], alpha[..., :3][opaque])
    assert (read[~opaque] == 255).all()
    half = Image.new("LA", (1, 1), (0, 128))
    assert abs(int(read_picture(saved(half))[0, 0, 0]) - 127) <= 1


def test_palettes_and_their_transparent_colour():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([0, 1])
    assert read_picture(saved(image)).tolist() == [[[10, 20, 30], [40, 50, 60]]]
    assert read_picture(saved(image, transparency=1)).tolist() == [[[10, 20, 30], [255] * 3]]


def test_cmyk_and_one_bit():
    picture = smooth(16, 16)
    cmyk = saved(Image.fromarray(picture).convert("CMYK"), "JPEG", quality=100)
    assert abs(read_picture(cmyk).astype(int) - picture).max() < 12
    bits = Image.new("1", (2, 1))
    bits.putpixel((1, 0), 1)
    assert read_picture(saved(bits)).tolist() == [[[0] * 3, [255] * 3]]


def png_of_size(width, height):
    """A PNG that says it is of this size, and holds next to nothing."""
    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0"))
            + chunk(b"IEND", b""))


@pytest.mark.parametrize("content, why", [
    (b"", "no known kind"), (b"hello, I am a text", "no known kind"),
    (saved(noise(40, 40), "JPEG")[:900], "truncated"),
    (saved(noise(40, 40), "PNG")[:-100], "truncated"),
    (png_of_size(30000, 30000), "pixels"), (png_of_size(11000, 11000), "pixels"),
    (saved(Image.new("F", (2, 2)), "TIFF"), "fractions"),
])
def test_what_is_no_picture_is_told_in_one_sentence(content, why):
    with pytest.raises(DamagedDataError, match=f"cat.jpg cannot be read as a picture.*{why}"):
        read_picture(content, "cat.jpg")


@given(st.integers(0, 10_000), st.integers(1, 8))
def test_damaged_bytes_never_raise_anything_else(place, length):
    content = bytearray(saved(noise(20, 20), "JPEG"))
    place %= len(content)
    content[place : place + length] = rng(place).integers(0, 256, length, np.uint8).tobytes()
    try:
        assert read_picture(bytes(content)).ndim == 3
    except DamagedDataError as error:
        assert "\n" not in str(error)


def test_a_missing_file(tmp_path):
    with pytest.raises(MissingDataError, match="there is no picture .*none.jpg"):
        read_picture(tmp_path / "none.jpg")
    with pytest.raises(DamagedDataError, match="cannot be read"):
        read_picture(tmp_path)


def test_the_size_is_read_without_the_pixels():
    assert read_size(saved(noise(40, 60), "JPEG")[:900]) == (40, 60)
    with pytest.raises(DamagedDataError):
        read_size(b"no")


# ---------------------------------------------------------------- masks


def test_masks_keep_their_numbers():
    numbers = rng().integers(0, 256, (4, 5), dtype=np.uint8)
    np.testing.assert_array_equal(read_mask(saved(numbers)), numbers)
    palette = Image.fromarray(numbers % 3)
    palette.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0])
    np.testing.assert_array_equal(read_mask(saved(palette)), numbers % 3)
    with pytest.raises(DamagedDataError, match="one number a pixel, this picture is RGB"):
        read_mask(saved(noise(2, 2)))
    with pytest.raises(DamagedDataError, match="classes 0 to 255"):
        read_mask(saved(np.full((2, 2), 999, np.uint16)))


# ---------------------------------------------------------------- images


@given(sides, sides)
def test_images_and_pictures_turn_into_each_other(height, width):
    picture = noise(height, width)
    image = to_image(picture)
    assert image.dtype == np.float32 and image.shape == (3, height, width)
    assert image.flags.c_contiguous
    np.testing.assert_array_equal(image, picture.transpose(2, 0, 1) / np.float32(255))
    np.testing.assert_array_equal(to_picture(image), picture)
    np.testing.assert_array_equal(to_picture(Tensor(image)), picture)


def test_to_picture_cuts_rounds_and_spreads_grey():
    assert to_picture(np.array([[[-3, 0.4999 / 255, 0.51 / 255, 9]]])).tolist() == [
        [[0] * 3, [0] * 3, [1] * 3, [255] * 3]]
    with pytest.raises(ShapeError, match=r"\(2, 3, 4, 4\); take one of a batch"):
        to_picture(np.zeros((2, 3, 4, 4)))
    with pytest.raises(ShapeError, match=r"\(2, 4, 4\)"):
        to_picture(np.zeros((2, 4, 4)))
    with pytest.raises(ValueError, match="nan"):
        to_picture(np.full((3, 1, 1), np.nan))


def test_what_is_no_picture_is_refused():
    with pytest.raises(TypeError, match="to_image: a picture is a uint8 array.*float64"):
        to_image(np.zeros((2, 2, 3)))
    with pytest.raises(ShapeError, match=r"\(3, 2, 2\)"):
        to_image(np.zeros((3, 2, 2), np.uint8))
    with pytest.raises(TypeError, match="f: a picture is .* got list"):
        check_picture("f", [1])


# ---------------------------------------------------------------- sizes


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 20))
def test_the_shorter_side_gets_the_size_and_the_other_is_rounded_down(height, width, size):
    small = resize_picture(noise(height, width), size)
    expected = (size, width * size // height) if height <= width else (height * size // width, size)
    assert small.shape == (*expected, 3)


def test_resizing_is_pillows_and_takes_masks():
    picture = noise(30, 20)
    theirs = np.asarray(Image.fromarray(picture).resize((7, 9), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(resize_picture(picture, (9, 7), "bicubic"), theirs)
    mask = rng().integers(0, 3, (8, 8), dtype=np.uint8) * 100
    assert set(np.unique(resize_picture(mask, 5, "nearest"))) <= {0, 100, 200}
    with pytest.raises(ValueError, match="how must be one of nearest, bilinear.*'area'"):
        resize_picture(picture, 5, "area")
    with pytest.raises(ValueError, match="below 1"):
        resize_picture(picture, (0, 5))


# ---------------------------------------------------------------- writing


@pytest.mark.parametrize("name", ["a.png", "b.JPG", "c.webp", "deep/down/d.jpeg"])
def test_pictures_are_written_by_their_ending(tmp_path, name):
    path = write_picture(tmp_path / name, smooth(20, 30))
    with Image.open(path) as image:
        assert image.format == {"p": "PNG", "j": "JPEG", "w": "WEBP"}[path.suffix.lower()[1]]
    assert abs(read_picture(path).astype(int) - smooth(20, 30)).max() < 30
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_images_are_written_too_and_quality_counts(tmp_path):
    write_picture(tmp_path / "a.png", Tensor(to_image(noise(4, 4))))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), noise(4, 4))
    sizes = [write_picture(tmp_path / f"{q}.jpg", noise(40, 40), quality=q).stat().st_size
             for q in (10, 95)]
    assert sizes[0] < sizes[1] / 3
    with pytest.raises(ValueError, match="must end in .png"):
        write_picture(tmp_path / "a.gif", noise(2, 2))


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DataError, match="cannot write .*a.png: No space left on device; make room"):
        write_picture(tmp_path / "a.png", noise(9, 9))
    assert list(tmp_path.iterdir()) == []

"""Transforms of batches of images."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minilearn.data import (
    Compose,
    Normalize,
    RandomHorizontalFlip,
    RandomPadCrop,
    RandomVerticalFlip,
    stats_of,
    to_float,
)
from minilearn.errors import ShapeError
from minilearn.tensor import Tensor

shapes = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 6), st.integers(1, 7))
dtypes = st.sampled_from(["float32", "float64"])


def numbered(shape, dtype="float64"):
    """Images in which every pixel has its own value, and none is 0."""
    return np.arange(1, np.prod(shape) + 1).reshape(shape).astype(dtype)


def rng(seed=0):
    """A generator."""
    return np.random.default_rng(seed)


# ---------------------------------------------------------------- to_float, statistics


def test_to_float_is_torchvisions_division():
    every_byte = np.arange(256, dtype=np.uint8)
    theirs = torch.arange(256, dtype=torch.uint8).to(torch.float32).div(255)
    assert to_float(every_byte).dtype == np.float32
    np.testing.assert_array_equal(to_float(every_byte), theirs.numpy())


def test_to_float_leaves_floats_and_refuses_the_rest():
    x = np.ones(2)
    assert to_float(x) is x
    with pytest.raises(TypeError, match="int64"):
        to_float(np.ones(2, np.int64))


@given(hnp.arrays(np.float32, shapes.filter(lambda s: s[0] * s[2] * s[3] > 1),
                  elements=st.floats(-9, 9, width=32)))
def test_statistics_are_torchs(images):
    mean, std = stats_of(images)
    wide = torch.tensor(images, dtype=torch.float64)
    np.testing.assert_allclose(mean, wide.mean((0, 2, 3)).numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(std, wide.std((0, 2, 3)).numpy(), rtol=1e-10, atol=1e-12)
    assert stats_of(Tensor(images)) == (mean, std)
    assert all(type(number) is float for number in mean + std)


def test_statistics_say_what_shape_they_need():
    with pytest.raises(ShapeError, match=r"stats_of: .*\(N, C, H, W\), got \(3, 4\)"):
        stats_of(np.zeros((3, 4)))


# ---------------------------------------------------------------- Normalize


@given(shapes, dtypes)
def test_normalised_with_its_own_statistics_a_batch_has_mean_0_and_std_1(shape, dtype):
    images = numbered((shape[0] + 1, *shape[1:]), dtype)
    out = Normalize(*stats_of(images))(images)
    mean, std = stats_of(out)
    assert out.dtype == dtype
    np.testing.assert_allclose(mean, 0, atol=1e-4)
    np.testing.assert_allclose(std, 1, atol=1e-4)


@given(shapes, dtypes)
def test_denormalize_undoes_normalize(shape, dtype):
    images = numbered(shape, dtype)
    both = Normalize([0.1, 0.2, 0.3][: shape[1]], [3, 4, 5][: shape[1]])
    before = images.copy()
    back = both.denormalize(Tensor(both(images)))
    assert back.dtype == dtype
    np.testing.assert_allclose(back, images, rtol=1e-5)
    np.testing.assert_array_equal(images, before)


def test_normalize_takes_each_channel_by_its_own_numbers():
    out = Normalize([1, 2], [1, 4])(np.full((1, 2, 1, 1), 10.0))
    assert out.ravel().tolist() == [9.0, 2.0]


@pytest.mark.parametrize("mean, std", [([0.1], [0]), ([0.1], [1, 1]), ([0], [-1]),
                                       ([0], [float("nan")])])
def test_normalize_refuses_statistics_that_cannot_be(mean, std):
    with pytest.raises(ValueError, match="Normalize"):
        Normalize(mean, std)


def test_normalize_refuses_bytes_and_other_channels():
    grey = Normalize([0.1], [0.3])
    with pytest.raises(TypeError, match="uint8; apply to_float first"):
        grey(np.zeros((1, 1, 2, 2), np.uint8))
    with pytest.raises(ShapeError, match=r"\(1, 3, 2, 2\) do not have 1 channels"):
        grey(np.zeros((1, 3, 2, 2)))


# ---------------------------------------------------------------- RandomPadCrop


@given(shapes, st.integers(0, 4), st.data())
def test_every_window_is_cut_from_its_padded_image_and_nothing_else(shape, padding, data):
    images = numbered(shape, data.draw(dtypes))
    size = data.draw(st.integers(1, min(shape[2:]) + 2 * padding))
    out = RandomPadCrop(padding, size)(images, rng(data.draw(st.integers(0, 99))))
    assert out.shape == (*shape[:2], size, size)
    assert out.dtype == images.dtype
    around = (padding, padding)
    padded = np.pad(images, ((0, 0), (0, 0), around, around))
    for image, window in zip(padded, out, strict=True):
        places = [(i, j) for i in range(image.shape[1] - size + 1)
                  for j in range(image.shape[2] - size + 1)]
        assert any((image[:, i : i + size, j : j + size] == window).all() for i, j in places)


def test_all_49_windows_of_the_lesson_come_about_equally_often():
    image = np.zeros((1, 1, 28, 28), np.uint8)
    image[0, 0, 14, 14] = 1
    out = RandomPadCrop(3, 28)(np.repeat(image, 4900, 0), rng())
    _, _, rows, columns = out.nonzero()
    counts = np.histogram2d(rows - 11, columns - 11, bins=7, range=[(-0.5, 6.5)] * 2)[0]
    assert counts.sum() == 4900
    assert counts.min() > 60
    assert counts.max() < 140


def test_each_image_has_its_own_draw_and_the_seed_decides():
    images = np.repeat(numbered((1, 1, 9, 9)), 16, 0)
    crop = RandomPadCrop(2, 9)
    assert (crop(images, rng(1)) == crop(images, rng(1))).all()
    assert (crop(images, rng(1)) != crop(images, rng(2))).any()
    assert len({window.tobytes() for window in crop(images, rng(1))}) > 5


def test_the_channels_of_an_image_move_together():
    images = np.repeat(numbered((4, 1, 5, 5)), 3, 1)
    out = RandomPadCrop(2, 5)(images, rng())
    assert (out == out[:, :1]).all()


def test_pad_crop_refuses_what_does_not_fit():
    with pytest.raises(ShapeError, match=r"\(1, 1, 8, 8\) with 3 pixels .* 28 x 28"):
        RandomPadCrop(3, 28)(np.zeros((1, 1, 8, 8)), rng())
    with pytest.raises(ShapeError, match=r"images\[None\]"):
        RandomPadCrop(3, 28)(np.zeros((1, 28, 28)), rng())
    with pytest.raises(ValueError, match="padding=-1"):
        RandomPadCrop(-1, 28)


# ---------------------------------------------------------------- flips, Compose

FLIPS = [(RandomHorizontalFlip, -1), (RandomVerticalFlip, -2)]


@pytest.mark.parametrize("flip, axis", FLIPS)
@given(shape=shapes, seed=st.integers(0, 99))
def test_a_flip_gives_each_image_or_its_mirror_image(flip, axis, shape, seed):
    images = numbered(shape)
    for image, out in zip(images, flip()(images, rng(seed)), strict=True):
        assert (out == image).all() or (out == np.flip(image, axis)).all()


@pytest.mark.parametrize("flip, axis", FLIPS)
def test_a_flip_comes_with_its_probability(flip, axis):
    images = np.repeat(numbered((1, 1, 2, 2)), 2000, 0)
    assert (flip(0)(images, rng()) == images).all()
    assert (flip(1)(images, rng()) == np.flip(images, axis)).all()
    share = (flip(0.25)(images, rng()) != images).any((1, 2, 3)).mean()
    assert abs(share - 0.25) < 0.05
    with pytest.raises(ValueError, match="p=1.5"):
        flip(1.5)


def test_compose_goes_from_first_to_last_with_one_generator():
    images = np.full((2, 1, 4, 4), 255, np.uint8)
    crop, normalize = RandomPadCrop(1, 4), Normalize([0.5], [0.5])
    expected = normalize(to_float(crop(images, rng(7))))
    np.testing.assert_array_equal(Compose([crop, to_float, normalize])(images, rng(7)), expected)
    assert repr(Compose([crop])) == "Compose([RandomPadCrop(padding=1, size=4)])"

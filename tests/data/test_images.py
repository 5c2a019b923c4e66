"""Labelled images and the loaders made of them."""

import numpy as np
import pytest

import minilearn as ml
from minilearn.data import DataLoader, Images, Normalize, RandomPadCrop, image_loaders
from minilearn.data.images import to_float
from minilearn.errors import ShapeError


@pytest.fixture
def data():
    """Ten grey images of 4 x 4, each with its own values, in two classes."""
    pixels = np.arange(160, dtype=np.uint8).reshape(10, 4, 4)
    return Images(pixels, np.arange(10) % 2, ["even", "odd"], name="ten")


def test_an_item_is_a_float_image_and_its_label(data):
    image, label = data[3]
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, to_float(data.images[3]))
    assert type(label) is int
    assert data.classes[label] == "odd"
    assert data[-1][1] == 1
    with pytest.raises(IndexError):
        data[10]


def test_grey_images_get_their_channel_and_others_keep_theirs(data):
    assert data.images.shape == (10, 1, 4, 4)
    colour = Images(np.zeros((2, 3, 5, 6), np.uint8), [0, 0], ["one"])
    assert colour[0][0].shape == (3, 5, 6)
    assert repr(colour) == "Images(images: 2 of 3 x 5 x 6, 1 classes)"


def test_a_batch_is_the_items_together(data):
    images, labels = data.batch(np.array([7, 2]))
    assert images.shape == (2, 1, 4, 4)
    np.testing.assert_array_equal(images[1], data[2][0])
    assert labels.tolist() == [1, 0]
    assert labels.dtype == np.int64


def test_select_keeps_all_but_the_others(data):
    half = data.select(np.arange(10) < 5)
    assert (len(half), half.name, half.classes) == (5, "ten", data.classes)
    assert half.transform is data.transform


def test_the_transform_is_the_users(data):
    raw = Images(data.images, data.labels, data.classes, transform=lambda images: images)
    assert raw[0][0].dtype == np.uint8


@pytest.mark.parametrize("images, labels, classes, error, words", [
    (np.zeros((2, 4), np.uint8), [0, 0], "a", ShapeError, r"\(2, 4\)"),
    (np.zeros((2, 4, 4), np.uint8), [0], "a", ShapeError, r"\(1,\)"),
    (np.zeros((2, 4, 4)), [0, 0], "a", TypeError, "float64"),
    (np.zeros((2, 4, 4), np.uint8), [0, 2], "ab", ValueError, "label 2 of image 1"),
    (np.zeros((2, 4, 4), np.uint8), [-1, 0], "ab", ValueError, "label -1 of image 0"),
])
def test_what_does_not_fit_together_is_refused(images, labels, classes, error, words):
    with pytest.raises(error, match=words):
        Images(images, labels, classes)


# ---------------------------------------------------------------- image_loaders


def test_the_lessons_loaders(data):
    train, valid, normalize = image_loaders(data, data, 4, augment=[RandomPadCrop(1, 4)], seed=1)
    assert (len(train), len(valid)) == (2, 3)
    images = np.concatenate([x.numpy() for x, _ in valid])
    expected = normalize(to_float(data.images))
    np.testing.assert_array_equal(images, expected)
    assert np.concatenate([y.numpy() for _, y in valid]).tolist() == data.labels.tolist()
    zero = normalize(np.zeros((1, 1, 1, 1), np.float32)).item()
    assert any(zero in x.numpy() for x, _ in train)  # padding is black: before the normalisation


def test_the_statistics_are_those_of_one_batch(data):
    whole = Normalize(*_stats(data, 10))
    _, _, of_all = image_loaders(data, data, 10, seed=1)
    _, _, of_some = image_loaders(data, data, 4, seed=1)
    np.testing.assert_allclose(of_all.mean, whole.mean)
    np.testing.assert_allclose(of_all.std, whole.std)
    assert of_some.mean != of_all.mean


def _stats(data, n):
    images = data.batch(np.arange(n))[0].astype(np.float64)
    return [images.mean()], [images.std(ddof=1)]


def test_the_seed_decides_everything(data):
    def run(seed):
        train, _, normalize = image_loaders(data, data, 4, augment=[RandomPadCrop(1, 4)], seed=seed)
        return [x.numpy().tobytes() for _ in range(2) for x, _ in train], normalize.mean

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_validation_draws_no_random_number(data):
    _, valid, _ = image_loaders(data, data, 4)
    before = ml.xp.generator().bit_generator.state
    list(valid)
    assert ml.xp.generator().bit_generator.state == before


def test_too_few_images_for_a_batch_are_refused(data):
    with pytest.raises(ValueError, match="10 training images make no whole batch of 128"):
        image_loaders(data, data)


def test_the_loader_asks_for_whole_batches(data):
    class Counted(Images):
        calls = 0

        def batch(self, indices):
            Counted.calls += 1
            return super().batch(indices)

    list(DataLoader(Counted(data.images, data.labels, data.classes), 5))
    assert Counted.calls == 2

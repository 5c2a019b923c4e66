"""What belongs together is seen together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilearn.data import (
    CIFAR,
    IMAGENET,
    Augment,
    DataLoader,
    Labelled,
    Masks,
    MissingDataError,
    Pairs,
    Pictures,
    View,
    Views,
    pair_loaders,
    resize_picture,
    split_pictures,
    to_image,
)
from minilearn.errors import ShapeError
from tests.data.pictures.samples import noise, rng, smooth

PLAIN = Pictures.of([noise(20 + i, 30, i) for i in range(6)])
SHAPES = [(20 + i, 30) for i in range(6)]
MASKS = Masks.of([rng(i).integers(0, 4, shape, dtype=np.uint8) for i, shape in enumerate(SHAPES)])


# ---------------------------------------------------------------- Pairs


def test_a_pair_is_its_pictures():
    pairs = Pairs(PLAIN, MASKS)
    assert len(pairs) == 6 and pairs.names == PLAIN.names
    picture, mask = pairs[4]
    assert picture is PLAIN[4] and mask is MASKS[4]
    inputs, targets = pairs.select([5, 2]).batch(np.array([1]))
    assert inputs[0] is PLAIN[2] and targets[0] is MASKS[2]
    assert repr(pairs) == "Pairs(6 of Pictures(pictures: 6) and Masks(pictures: 6))"


@given(st.integers(8, 400), st.integers(8, 400), st.integers(4, 300))
def test_rounding_is_no_mismatch(height, width, size):
    picture = np.zeros((height, width, 3), np.uint8)
    pair = Pairs(Pictures.of([resize_picture(picture, size)]), Pictures.of([picture]))
    assert len(pair[0]) == 2


@pytest.mark.parametrize("shape", [(30, 20), (20, 20), (15, 30)])
def test_other_proportions_are_a_mismatch(shape):
    pairs = Pairs(Pictures.of([noise(*shape)]), PLAIN.select([0]))
    with pytest.raises(ShapeError, match=rf"item 0 \(0\) column 0 has {shape[0]} x {shape[1]} "
                                         "pixels and the target 20 x 30"):
        pairs[0]


def test_columns_of_other_lengths():
    with pytest.raises(ShapeError, match=r"\[6, 2\] items; each input needs its target"):
        Pairs(PLAIN, PLAIN.select([0, 1]))


def test_by_name():
    inputs = Pictures.of([noise(2, 2, i) for i in range(3)], ["x/a.jpg", "x/b.jpg", "c.jpg"])
    targets = Pictures.of([noise(4, 4, i) for i in range(3)], ["c.png", "x/a.png", "d.png"])
    pairs = Pairs.by_name(inputs, targets)
    assert pairs.names == ["x/a.jpg", "c.jpg"]
    np.testing.assert_array_equal(pairs[0][1], noise(4, 4, 1))
    assert [name for name, _ in pairs.skipped] == ["x/b.jpg", "d.png"]
    with pytest.raises(MissingDataError, match="no picture of pictures, such as x/b.jpg"):
        Pairs.by_name(inputs.select([1]), targets)


# ---------------------------------------------------------------- Views


@given(st.integers(0, 10_000), st.integers(4, 24))
def test_input_and_target_get_the_same_draw(seed, size):
    """Where input and target are the same picture, they stay the same, whatever is drawn."""
    views = Views(size, Augment(flip_vert=True, max_zoom=2, max_lighting=0.5))
    x, y = views(Pairs(PLAIN, PLAIN).batch(np.arange(6)), rng(seed))
    assert x.shape == (6, 3, size, size) and x.dtype == np.float32
    np.testing.assert_array_equal(x, y)
    assert 0 <= x.min() and x.max() <= 1


@given(st.integers(0, 10_000))
def test_each_item_gets_its_own_draw(seed):
    same = Pictures.of([smooth(40, 60)] * 8)
    (x,) = Views(16, Augment(max_zoom=2))(same.batch(np.arange(8)), rng(seed))
    assert len({image.tobytes() for image in x}) == 8
    (again,) = Views(16, Augment(max_zoom=2))(same.batch(np.arange(8)), rng(seed))
    np.testing.assert_array_equal(x, again)


def test_columns_of_masks_and_of_labels():
    batch = [*Pairs(PLAIN, MASKS).batch(np.arange(3)), np.array([7, 8, 9])]
    x, masks, labels = Views((12, 16), normalize=IMAGENET)(batch)
    assert masks.shape == (3, 12, 16) and masks.dtype == np.int64
    assert x.shape == (3, 3, 12, 16) and labels.tolist() == [7, 8, 9]
    np.testing.assert_array_equal(masks[1], View().mask(MASKS[1], (12, 16)))
    assert x.min() < -1


def test_normalisation_of_the_targets_is_a_choice():
    batch = Pairs(PLAIN, PLAIN).batch(np.arange(2))
    x, y = Views(8, normalize=CIFAR)(batch)
    np.testing.assert_array_equal(x, y)
    _, raw = Views(8, normalize=CIFAR, normalize_targets=False)(batch)
    np.testing.assert_allclose(CIFAR.denormalize(y), raw, atol=1e-6)


def test_the_target_decides_how_large_a_view_is():
    low = Pictures.of([resize_picture(PLAIN[i], 10) for i in range(6)])
    x, y = Views(18)(Pairs(low, PLAIN).batch(np.array([3])))
    np.testing.assert_array_equal(y[0], View().image(PLAIN[3], 18))
    np.testing.assert_array_equal(x[0], View().image(low[3], 18, like=PLAIN[3].shape))


def test_bicubic_enlarging_is_the_usual_baseline():
    low = resize_picture(smooth(64, 64), 32)
    x, _ = Views(64, how="bicubic")([[low], [smooth(64, 64)]])
    usual = to_image(resize_picture(low, 64, "bicubic"))
    np.testing.assert_allclose(x[0, :, 6:-6, 6:-6], usual[:, 6:-6, 6:-6], atol=1.5 / 255)


def test_views_need_pictures():
    with pytest.raises(TypeError, match="give the loader Pictures, Pairs or Labelled"):
        Views(4)([np.zeros((2, 3, 4, 4))])


# ---------------------------------------------------------------- Labelled, loaders


def test_labelled_pictures():
    data = Labelled(PLAIN, [0, 1, 2, 0, 1, 2], "abc")
    assert data[4][1] == 1 and data.classes == ("a", "b", "c")
    part = data.select([5, 0])
    assert part.labels.tolist() == [2, 0] and part[0][0] is PLAIN[5]
    x, labels = next(iter(DataLoader(data, 4, batch_transform=Views(8))))
    assert x.shape == (4, 3, 8, 8) and labels.numpy().tolist() == [0, 1, 2, 0]
    assert len(split_pictures(data, 0.4)[1]) == 2
    with pytest.raises(ShapeError, match=r"6 pictures and labels of shape \(2,\)"):
        Labelled(PLAIN, [0, 1], "ab")
    with pytest.raises(ValueError, match="labels go from 0 to 2, there are 2 classes"):
        Labelled(PLAIN, data.labels, "ab")


def test_pair_loaders_are_those_of_the_lesson():
    pairs = Pairs(PLAIN, PLAIN)
    train, valid = pair_loaders(pairs, pairs, 16, 4, normalize=IMAGENET, seed=3)
    assert (len(train), len(valid)) == (1, 2)
    assert train.batch_transform.augment == Augment(max_zoom=2.0)
    (x, y), _ = list(valid)
    np.testing.assert_array_equal(x.numpy()[2], IMAGENET(View().image(PLAIN[2], 16)))
    np.testing.assert_array_equal(x.numpy(), y.numpy())
    batches = [x.numpy() for _ in range(2) for x, _ in train]
    again = pair_loaders(pairs, pairs, 16, 4, normalize=IMAGENET, seed=3)[0]
    np.testing.assert_array_equal([x.numpy() for _ in range(2) for x, _ in again], batches)
    assert (batches[0] != batches[1]).any()
    with pytest.raises(ValueError, match="6 training items make no whole batch of 8"):
        pair_loaders(pairs, pairs, 16)


def test_a_loader_goes_on_where_it_was():
    pairs = Pairs(PLAIN, PLAIN)
    loader = DataLoader(pairs, 2, shuffle=True, seed=1, batch_transform=Views(8, Augment()))
    batches = []
    for x, _ in loader:
        batches.append(x.numpy())
        if len(batches) == 1:
            state = loader.state_dict()
    other = DataLoader(pairs, 2, shuffle=True, seed=9, batch_transform=Views(8, Augment()))
    other.load_state_dict(state)
    np.testing.assert_array_equal([x.numpy() for x, _ in other], batches[1:])


def test_known_statistics():
    assert IMAGENET.mean == [0.485, 0.456, 0.406] and IMAGENET.std == [0.229, 0.224, 0.225]
    image = View().image(smooth(8, 8), 8)
    np.testing.assert_allclose(IMAGENET.denormalize(IMAGENET(image)), image, atol=1e-6)

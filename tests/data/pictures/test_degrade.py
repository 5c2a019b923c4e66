"""Damage: what each kind does, whence its chance comes, and where its marks are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilearn.data import (
    Degrade,
    Grey,
    Holes,
    Jpeg,
    Noise,
    Number,
    NumberedJpeg,
    Shrink,
    Text,
    box_mask,
    degradation,
    read_picture,
    resize_picture,
)
from minilearn.data.pictures.marks import write_text
from tests.data.pictures.samples import noise, rng, saved, smooth

EVERYTHING = degradation(number=True, quality=None, holes=2, noise=0.1, grey=True)
KINDS = [Shrink(20), Jpeg(40), Jpeg((10, 70)), Number(), NumberedJpeg(), Text("a mark"), Grey(),
         Holes(2), Noise(0.2), EVERYTHING]
seeds = st.integers(0, 10_000)


@pytest.mark.parametrize("damage", KINDS, ids=repr)
@given(seed=seeds, height=st.integers(1, 50), width=st.integers(1, 50))
def test_any_picture_can_be_damaged_and_stays_as_it_was(damage, seed, height, width):
    picture = noise(height, width)
    out = damage(picture, rng(seed))
    assert out.dtype == np.uint8 and out.ndim == 3 and out.shape[2] == 3
    np.testing.assert_array_equal(picture, noise(height, width))
    np.testing.assert_array_equal(damage(picture, rng(seed)), out)


@pytest.mark.parametrize("damage", [d for d in KINDS if d not in (Shrink(20), Jpeg(40), Grey())],
                         ids=repr)
def test_another_seed_is_another_damage(damage):
    outs = {damage(smooth(60, 80), rng(seed)).tobytes() for seed in range(8)}
    assert len(outs) > 5


def test_shrink_is_a_resize_that_never_enlarges():
    large = smooth(321, 481)
    np.testing.assert_array_equal(Shrink(96)(large), resize_picture(large, 96))
    small = smooth(50, 200)
    np.testing.assert_array_equal(Shrink(96)(small), small)


def test_jpeg_is_what_a_file_of_this_quality_holds():
    written = read_picture(saved(smooth(40, 50), "JPEG", quality=30))
    np.testing.assert_array_equal(Jpeg(30)(smooth(40, 50)), written)
    qualities = [(10, 10), (11, 11)]
    possible = {Jpeg(q)(noise(16, 16), rng()).tobytes() for q in qualities}
    drawn = {Jpeg((10, 11))(noise(16, 16), rng(seed)).tobytes() for seed in range(20)}
    assert drawn == possible


def test_worse_quality_is_farther_from_the_picture():
    picture = smooth(64, 64)
    errors = [abs(Jpeg(q)(picture).astype(int) - picture).mean() for q in (90, 60, 30, 10)]
    assert errors == sorted(errors) and errors[0] < errors[-1] / 2


@given(seeds)
def test_a_number_changes_only_its_box_in_the_upper_left(seed):
    black, boxes = np.zeros((96, 144, 3), np.uint8), []
    out = Number((10, 70))(black, rng(seed), boxes)
    (box,) = boxes
    inside = box_mask(boxes, (96, 144)).astype(bool)
    assert not out[~inside].any() and out[inside].max() > 200
    assert (out == out[..., :1]).all()  # white
    assert 5 < inside.any(1).sum() < 20 and 6 < inside.any(0).sum() < 30
    assert 0 <= box[0] <= 0.7 and 0 <= box[1] <= 0.55


def test_the_numbers_are_those_of_the_span():
    black = np.zeros((96, 96, 3), np.uint8)
    one = Number((42, 42))(black, rng())
    np.testing.assert_array_equal(one, write_text(black, "42", rng()))
    assert (one != Number((43, 43))(black, rng())).any()


def test_a_numbered_jpeg_has_the_quality_it_says():
    picture = smooth(96, 128) // 2 + noise(96, 128) // 2
    quality = int(rng(5).integers(10, 71))
    chance = rng(5)
    chance.integers(10, 71)
    expected = Jpeg(quality)(write_text(picture, str(quality), chance))
    np.testing.assert_array_equal(NumberedJpeg()(picture, rng(5)), expected)


@given(seeds, st.integers(40, 120), st.integers(40, 200))
def test_a_text_stays_inside_its_box_and_the_picture(seed, height, width):
    black, boxes = np.zeros((height, width, 3), np.uint8), []
    out = Text("a long watermark", height=0.2)(black, rng(seed), boxes)
    assert not out[~box_mask(boxes, (height, width)).astype(bool)].any()
    assert out.max() > 128
    assert all(0 <= side <= 1 for side in boxes[0])


def test_grey_is_the_luma_and_nothing_else():
    out = Grey()(noise(5, 6))
    luma = noise(5, 6) @ [0.299, 0.587, 0.114]
    np.testing.assert_array_equal(out, np.repeat(np.round(luma)[..., None], 3, 2))
    np.testing.assert_array_equal(Grey()(out), out)


@given(seeds, st.integers(1, 5), st.floats(0.05, 1))
def test_holes_are_where_they_say(seed, count, largest):
    picture, boxes = np.zeros((40, 60, 3), np.uint8), []
    out = Holes(count, largest)(picture, rng(seed), boxes)
    inside = box_mask(boxes, (40, 60)).astype(bool)
    assert len(boxes) == count and (out[inside] == 128).all() and not out[~inside].any()
    for top, left, bottom, right in boxes:
        assert largest / 4 - 1e-9 <= bottom - top <= largest + 1 / 40
        assert largest / 4 - 1e-9 <= right - left <= largest + 1 / 60


def test_noise_has_its_strength_and_no_bias():
    grey = np.full((200, 200, 3), 128, np.uint8)
    out = Noise(0.1)(grey, rng()) / 255 - 128 / 255
    assert abs(out.std() - 0.1) < 0.002 and abs(out.mean()) < 0.002
    np.testing.assert_array_equal(Noise(0)(grey, rng()), grey)


def test_a_chain_is_its_steps_in_order():
    picture, chance, chain_boxes, boxes = smooth(80, 90), rng(3), [], []
    steps = [Holes(1), Shrink(30), Number(), Jpeg((20, 60))]
    expected = picture
    for step in steps:
        expected = step(expected, chance, boxes)
    np.testing.assert_array_equal(Degrade(steps)(picture, rng(3), chain_boxes), expected)
    assert chain_boxes == boxes and len(boxes) == 2


def test_words_for_damage():
    assert degradation().steps == [Shrink(96), Jpeg(60)]
    assert degradation(quality=None, number=True).steps == [Shrink(96), NumberedJpeg((10, 70))]
    assert degradation(number=True).steps == [Shrink(96), Number((10, 70)), Jpeg(60)]
    assert degradation(size=None, quality=0, grey=True).steps == [Grey()]
    every = degradation(size=64, quality=30, text="x", grey=True, holes=2, noise=0.1)
    assert every.steps == [Grey(), Holes(2), Shrink(64), Noise(0.1), Text("x"), Jpeg(30)]


@pytest.mark.parametrize("make, words", [
    (lambda: degradation(size=None, quality=None), "no damage is asked for"),
    (lambda: Jpeg(0), "Jpeg: quality=0 is not between 1 and 100"),
    (lambda: Jpeg((5, 101)), "quality=101"), (lambda: NumberedJpeg((0, 9)), "span=0"),
    (lambda: Shrink(0), "size=0"), (lambda: Noise(-1), "sigma=-1"),
    (lambda: Holes(0), "count=0"), (lambda: Holes(1, 1.5), "largest=1.5"),
    (lambda: Text("  "), "the text is empty"), (lambda: Text("x", 0), "height=0"),
])
def test_what_cannot_be_done_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


sides = st.integers(1, 9)


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 4), max_size=3), sides, sides)
def test_box_masks(boxes, height, width):
    mask = box_mask(boxes, (height, width))
    assert mask.shape == (height, width) and mask.dtype == np.uint8
    for y in range(height):
        for x in range(width):
            inside = any(t * height < y + 1 - 1e-6 and y + 1e-6 < b * height
                         and left * width < x + 1 - 1e-6 and x + 1e-6 < r * width
                         for t, left, b, r in boxes)
            assert mask[y, x] == inside

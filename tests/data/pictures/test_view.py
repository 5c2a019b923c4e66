"""Views: the same look at several pictures; and the draws of Augment."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minilearn.data import Augment, View, resize_picture, to_image, to_picture
from minilearn.data.pictures.geometry import rotation, scaling, shift, warping, zooming
from minilearn.data.pictures.view import sides
from tests.data.pictures.samples import noise, rng, smooth

seeds = st.integers(0, 10_000)


@given(st.integers(1, 40), st.integers(1, 40))
def test_the_plain_view_is_the_middle(height, width):
    side = min(height, width)
    top, left = (height - side) / 2, (width - side) / 2
    if top % 1 == left % 1 == 0:  # otherwise the middle lies between pixels
        top, left = int(top), int(left)
        expected = noise(height, width)[top : top + side, left : left + side]
        np.testing.assert_array_equal(View().image(noise(height, width), side), to_image(expected))


def test_position_chooses_the_window():
    wide = noise(4, 10)
    for position, left in ((0, 0), (0.5, 3), (1, 6)):
        seen = View(position=(position, 0.3)).image(wide, 4)
        np.testing.assert_array_equal(seen, to_image(wide[:, left : left + 4]))


def test_sizes_need_not_be_square():
    seen = View().image(noise(20, 30), (10, 30))
    np.testing.assert_array_equal(seen, to_image(noise(20, 30)[5:15]))
    assert View(angle=30, zoom=1.5).image(noise(20, 30), (7, 5)).shape == (3, 7, 5)
    assert sides(3) == (3, 3) and sides([4, 5]) == (4, 5)
    for wrong in (0, (3,), (2, -1), (1.5, 2)):
        with pytest.raises(ValueError, match="positive integer or"):
            sides(wrong)


def test_flips_and_turns():
    square = noise(8, 8)
    np.testing.assert_array_equal(to_picture(View(flip=(True, False)).image(square, 8)),
                                  square[:, ::-1])
    np.testing.assert_array_equal(to_picture(View(flip=(False, True)).image(square, 8)),
                                  square[::-1])
    turned = to_picture(View(angle=90).image(square, 8)).astype(int)
    assert abs(turned - np.rot90(square)).max() <= 1  # against the clock


def test_zoom_looks_at_its_focus():
    seen = View(zoom=2, focus=(1, 0)).image(noise(8, 8), 4)
    np.testing.assert_array_equal(seen, to_image(noise(8, 8)[:4, 4:]))


@given(seeds, st.integers(8, 40), st.integers(8, 40), st.integers(4, 24))
def test_a_picture_and_its_mask_are_seen_alike(seed, height, width, size):
    """Two levels, hard edges: the mask must be on where the picture is, but for a pixel or so."""
    view = Augment(max_zoom=2, max_lighting=0, max_rotate=40).draw(rng(seed))
    mask = (smooth(height * 4, width * 4)[..., 0] > 127).astype(np.uint8)
    picture = np.repeat(mask[..., None] * np.uint8(255), 3, 2)
    seen = view.image(picture, size)[0]
    same = view.mask(mask, size)
    assert same.dtype == np.int64 and same.shape == (size, size)
    clear = (seen < 0.05) | (seen > 0.95)
    assert ((seen > 0.5) == same)[clear].mean() > 0.97 if clear.any() else True


@given(seeds)
def test_another_resolution_shows_the_same_part(seed):
    """The low-res picture, enlarged, lies on the original, without a shift."""
    view = Augment(max_zoom=1.5).draw(rng(seed))
    picture = smooth(96, 144)
    low = resize_picture(picture, 48)
    large, small = view.image(picture, 32), view.image(low, 32, like=picture.shape)
    assert abs(large - small).max() < 0.05
    assert abs((large - small).mean()) < 0.004


@given(seeds, st.integers(4, 200), st.integers(4, 200), st.integers(4, 60))
def test_a_resized_picture_is_looked_at_by_the_same_fractions(seed, height, width, low):
    """Also where rounding has changed the proportions a little."""
    view, like = Augment().draw(rng(seed)), (height, width)
    shape = resize_picture(np.zeros((*like, 3), np.uint8), low).shape
    fractions = np.diag([shape[1] / width, shape[0] / height, 1])
    np.testing.assert_allclose(view.matrix(shape, 8, like), fractions @ view.matrix(like, 8))


def test_the_warp_comes_first_then_the_zoom_the_turn_and_the_flip():
    view = View(flip=(True, False), angle=20, zoom=1.5, focus=(0, 1), warp=(0.1, -0.2, 0, 0.2))
    inside = scaling(1 / 8, 1 / 8) @ shift(-8, -8)
    change = scaling(-1, 1) @ rotation(20) @ zooming(1.5, (0, 1)) @ warping(view.warp)
    expected = shift(8, 8) @ scaling(8, 8) @ change @ inside
    np.testing.assert_allclose(view.matrix((16, 16), 16), expected, atol=1e-12)


@given(st.floats(0.01, 0.99), st.floats(0.2, 5))
def test_light_is_a_sum_and_a_product_of_logits(brightness, contrast):
    levels = torch.arange(256, dtype=torch.float64) / 255
    logits = torch.logit(levels, 1e-7) + torch.logit(torch.tensor(brightness, dtype=torch.float64))
    table = View(brightness=brightness, contrast=contrast).light()
    assert table.dtype == np.float32
    expected = torch.sigmoid(contrast * logits).numpy()
    np.testing.assert_allclose(table, expected, rtol=1e-5, atol=1e-7)


def test_neutral_light_changes_nothing():
    np.testing.assert_array_equal(View().light(), np.arange(256, dtype=np.float32) / 255)


# ---------------------------------------------------------------- Augment


@given(seeds)
def test_the_seed_decides_the_view(seed):
    assert Augment().draw(rng(seed)) == Augment().draw(rng(seed))
    assert Augment().draw(rng(seed)) != Augment().draw(rng(seed + 1))


@given(seeds)
def test_switching_one_off_leaves_the_others(seed):
    every = Augment(flip_vert=True).draw(rng(seed))
    some = Augment(max_rotate=0, flip=False, max_lighting=0).draw(rng(seed))
    assert (some.zoom, some.focus, some.warp, some.position) == (
        every.zoom, every.focus, every.warp, every.position)
    assert (some.angle, some.flip, some.brightness, some.contrast) == (0, (False, False), 0.5, 1)


def test_the_draws_are_spread_as_the_lesson_says():
    views = [Augment(max_zoom=2.0, flip_vert=True).draw(rng(seed)) for seed in range(3000)]

    def changed(values, neutral, low, high):
        """Three quarters are changed, evenly from low to high."""
        different = np.array([v for v in values if v != neutral])
        assert abs(len(different) / 3000 - 0.75) < 0.03
        assert low <= different.min() < low + 0.02 * (high - low)
        assert high >= different.max() > high - 0.02 * (high - low)
        assert abs(different.mean() - (low + high) / 2) < 0.03 * (high - low)

    changed([v.angle for v in views], 0, -10, 10)
    changed([v.zoom for v in views], 1, 1, 2)
    changed([v.brightness for v in views], 0.5, 0.4, 0.6)
    changed([np.log(v.contrast) for v in views], 0, np.log(0.8), np.log(1.25))
    for side in range(4):
        changed([v.warp[side] for v in views], 0, -0.2, 0.2)
    for axis in range(2):
        assert abs(np.mean([v.flip[axis] for v in views]) - 0.5) < 0.03
        assert abs(np.mean([v.position[axis] for v in views]) - 0.5) < 0.03
        assert abs(np.std([v.focus[axis] for v in views]) - 12**-0.5) < 0.02
    assert 0.2 < np.mean([v.flip == (True, True) for v in views]) < 0.3
    assert not any(Augment().draw(rng(seed)).flip[1] for seed in range(50))


def test_the_smallest_zoom():
    zooms = [Augment(min_zoom=2.0, max_zoom=3.0).draw(rng(seed)).zoom for seed in range(300)]
    assert min(zooms) == 2.0 and 2.9 < max(zooms) <= 3.0  # a quarter is not zoomed beyond it
    assert 0.15 < np.mean(np.array(zooms) == 2.0) < 0.35


@pytest.mark.parametrize("how", ["bilinear", "bicubic"])
def test_a_mirrored_view_is_the_mirror_image_to_the_bit(how):
    picture = noise(61, 83)
    straight = View(zoom=1.7, focus=(0.8, 0.3)).image(picture, 16, how)
    mirrored = View(zoom=1.7, focus=(0.2, 0.3), flip=(True, False)).image(picture, 16, how)
    assert (mirrored == straight[:, :, ::-1]).all()


@pytest.mark.parametrize("wrong", [{"max_zoom": 0.5}, {"max_zoom": 1.5, "min_zoom": 2.0},
                                   {"max_warp": 0.5}, {"p_affine": 1.1}, {"max_lighting": 1},
                                   {"max_rotate": -1}])
def test_augment_refuses_what_makes_no_sense(wrong):
    with pytest.raises(ValueError, match=f"Augment: {next(iter(wrong))}="):
        Augment(**wrong)

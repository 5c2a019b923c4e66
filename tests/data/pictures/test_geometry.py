"""Matrices, and the one resample, against torch's grid_sample and interpolate."""

import numpy as np
import pytest
import torch
import torch.nn.functional as torch_F
from hypothesis import given
from hypothesis import strategies as st
from PIL.Image import Image

from minilearn.data.pictures.geometry import (
    apply,
    perspective,
    reflect,
    resample,
    rotation,
    scaling,
    shift,
    warping,
    zooming,
)
from tests.data.pictures.samples import noise, rng, smooth

sides = st.integers(1, 30)
fractions = st.floats(-0.4, 0.4)


def by_torch(picture, matrix, size, mode):
    """The same by torch: where each pixel's centre comes from, and reflection at the edges."""
    height, width = size
    y, x = np.mgrid[:height, :width] + 0.5
    places = apply(matrix, np.column_stack([x.ravel(), y.ravel()]))
    whole = np.array(picture.shape[1::-1])
    grid = torch.tensor((2 * places / whole - 1).reshape(1, height, width, 2))
    source = torch.tensor(picture.astype(np.float64).transpose(2, 0, 1))[None]
    out = torch_F.grid_sample(source, grid, mode, "reflection", align_corners=False)
    return out[0].numpy().transpose(1, 2, 0)


@given(sides, sides, st.tuples(sides, sides), st.floats(-180, 180), st.floats(0.2, 1),
       st.tuples(*[fractions] * 4), st.integers(0, 99))
def test_bilinear_is_torchs_with_reflection(height, width, size, angle, scale, warp, seed):
    picture = noise(height, width, seed)
    inside = scaling(2 / size[1], 2 / size[0]) @ shift(-size[1] / 2, -size[0] / 2)
    change = rotation(angle) @ warping(warp) @ inside
    smaller = scale * np.array(size[::-1]) / 2  # never above one pixel a pixel: no shrinking first
    smaller = smaller / max(1.0, np.abs(warp).max() * 4 + 1)
    matrix = shift(width * 0.7, height * 0.4) @ scaling(*smaller) @ change
    ours = resample(picture, matrix, size).astype(float)
    assert ours.shape == (*size, 3)
    assert abs(ours - by_torch(picture, matrix, size, "bilinear")).max() <= 1  # rounded to bytes


@given(sides, sides, st.floats(-180, 180))
def test_nearest_takes_only_what_is_there(height, width, angle):
    mask = rng(1).integers(0, 5, (height, width), dtype=np.uint8)
    matrix = shift(width / 2, height / 2) @ rotation(angle) @ scaling(3, 3) @ shift(-4, -5)
    seen = resample(mask, matrix, (10, 8), "nearest")
    assert seen.shape == (10, 8) and seen.dtype == np.uint8
    assert set(np.unique(seen)) <= set(np.unique(mask))


@given(sides, sides)
def test_nothing_asked_is_nothing_done(height, width):
    picture = noise(height, width)
    for how in ("nearest", "bilinear", "bicubic"):
        np.testing.assert_array_equal(resample(picture, np.eye(3), (height, width), how), picture)


@given(sides, sides, st.booleans(), st.booleans())
def test_mirrors_and_quarter_turns_are_exact(height, width, left_right, up_down):
    picture = noise(height, width)
    signs = (-1 if left_right else 1, -1 if up_down else 1)
    matrix = shift(width / 2, height / 2) @ scaling(*signs) @ shift(-width / 2, -height / 2)
    expected = picture[:: signs[1], :: signs[0]]
    np.testing.assert_array_equal(resample(picture, matrix, (height, width)), expected)
    turned = shift(width / 2, height / 2) @ rotation(90) @ shift(-height / 2, -width / 2)
    ours = resample(picture, turned, (width, height)).astype(int)
    assert abs(ours - np.rot90(picture)).max() <= 1


@pytest.mark.parametrize("how", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(32, 24), (120, 100)])
def test_a_plain_resize_is_torchs_with_antialiasing(how, size):
    picture = smooth(96, 72)
    matrix = scaling(72 / size[1], 96 / size[0])
    source = torch.tensor(picture.transpose(2, 0, 1).astype(np.float64))[None]
    theirs = torch_F.interpolate(source, size, mode=how, antialias=True, align_corners=False)
    inner = (slice(4, -4), slice(4, -4))  # at the edges torch ends, and ours reflects
    difference = resample(picture, matrix, size, how) - theirs[0].numpy().transpose(1, 2, 0)
    assert abs(difference[inner]).max() <= 1.2  # rounded once a side


@given(st.floats(1, 4), st.floats(0, 5))
def test_a_mirrored_shrink_is_the_mirror_image_of_the_shrink(scale, left):
    picture = noise(60, 60)
    matrix = shift(left, 3) @ scaling(scale, scale)
    mirror = shift(5, 0) @ scaling(-1, 1) @ shift(-5, 0)
    plain = resample(picture, matrix, (10, 10)).astype(int)
    assert abs(resample(picture, matrix @ mirror, (10, 10)) - plain[:, ::-1]).max() <= 1


def test_fine_detail_is_averaged_before_it_shrinks():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 254
    matrix = shift(32, 32) @ rotation(20) @ scaling(4, 4) @ shift(-6, -6)
    assert abs(resample(stripes, matrix, (12, 12)).astype(int) - 127).max() <= 8
    assert np.ptp(resample(stripes, matrix, (12, 12), "nearest")) == 254


def test_all_of_a_chain_is_one_resample(monkeypatch):
    calls = []
    transform, resize = Image.transform, Image.resize
    monkeypatch.setattr(Image, "transform", lambda *a: calls.append("t") or transform(*a))
    monkeypatch.setattr(Image, "resize", lambda *a: calls.append("r") or resize(*a))
    change = rotation(5) @ zooming(1.2, (0, 1)) @ warping((0.1, 0, 0, 0.2))
    resample(smooth(18, 18), shift(9, 9) @ change @ shift(-9, -9), (18, 18))
    assert calls == ["t"]


@given(st.floats(-30, 30), st.floats(1, 1.5), st.tuples(*[st.floats(-0.2, 0.2)] * 4))
def test_composed_is_as_one_after_the_other(angle, zoom, warp):
    picture = smooth(60, 60)
    inside, outside = scaling(1 / 30, 1 / 30) @ shift(-30, -30), shift(30, 30) @ scaling(30, 30)
    steps = [outside @ m @ inside
             for m in (rotation(angle), zooming(zoom, (0.5, 0.5)), warping(warp))]
    together = resample(picture, steps[0] @ steps[1] @ steps[2], (60, 60))
    one_by_one = picture
    for step in steps:
        one_by_one = resample(one_by_one, step, (60, 60))
    middle = (slice(20, 40), slice(20, 40))  # farther out, what was reflected is turned again
    assert abs(together.astype(int) - one_by_one)[middle].max() <= 4


# ---------------------------------------------------------------- the matrices


@given(st.integers(1, 9), st.integers(-40, 40))
def test_reflection_is_a_row_of_mirrors(length, place):
    row = np.arange(length)
    wide = np.pad(row, 60, "symmetric")
    assert reflect(np.array([place]), length)[0] == wide[place + 60]


@given(st.lists(st.tuples(fractions, fractions), min_size=4, max_size=4))
def test_perspective_takes_four_points_to_four_points(moves):
    corners = np.array([(-1, -1), (1, -1), (-1, 1), (1, 1)], dtype=float)
    targets = corners + moves
    np.testing.assert_allclose(apply(perspective(corners, targets), corners), targets, atol=1e-9)


@given(st.tuples(*[fractions] * 4))
def test_a_warp_lengthens_each_side_about_its_middle(sides):
    top_left, top_right, bottom_left, bottom_right = apply(
        warping(sides, (1, 0.5)),
        np.array([(-1, -0.5), (1, -0.5), (-1, 0.5), (1, 0.5)]))
    top, bottom, left, right = sides
    np.testing.assert_allclose(top_right[0] - top_left[0], 2 * (1 + top))
    np.testing.assert_allclose(bottom_right[0] - bottom_left[0], 2 * (1 + bottom))
    np.testing.assert_allclose(bottom_left[1] - top_left[1], 1 + left)
    np.testing.assert_allclose(bottom_right[1] - top_right[1], 1 + right)


@given(st.floats(1, 9), st.floats(0, 1), st.floats(0, 1))
def test_a_zoom_stays_inside(factor, x, y):
    corners = np.array([(-1, -0.5), (1, 0.5)])
    (left, top), (right, bottom) = apply(zooming(factor, (x, y), (1, 0.5)), corners)
    assert -1 - 1e-9 <= left <= right <= 1 + 1e-9 and -0.5 - 1e-9 <= top <= bottom <= 0.5 + 1e-9
    np.testing.assert_allclose([right - left, bottom - top], [2 / factor, 1 / factor], rtol=1e-6)
    slack = 1 - 1 / factor  # the focus says how much of what is cut off is at the left, at the top
    np.testing.assert_allclose([left + 1, top + 0.5], [2 * slack * x, slack * y], atol=1e-9)

"""Measures of pictures against formulas written in torch and NumPy."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as T
from against_torch import agree, host
from hypothesis import given
from hypothesis import strategies as st

import minilearn as ml
import minilearn.functional as F
from minilearn.errors import ShapeError

SIZES = st.integers(1, 5)
RNG = np.random.default_rng(0)


def images(*shape, dtype="float64"):
    return RNG.random(shape).astype(dtype)


# ---------------------------------------------------------------- style


@given(SIZES, SIZES, SIZES, SIZES, st.sampled_from(["float32", "float64"]))
def test_gram_matrices(n, c, h, w, dtype):
    def formula(x):
        return torch.einsum("nchw,ndhw->ncd", x, x) / (c * h * w)

    agree(F.gram_matrix, formula, images(n, c, h, w, dtype=dtype), reduction=h * w)


def test_a_gram_matrix_forgets_where():
    x = images(1, 3, 4, 5)
    moved = x.reshape(1, 3, 20)[:, :, RNG.permutation(20)].reshape(1, 3, 4, 5)
    np.testing.assert_allclose(host(F.gram_matrix(ml.tensor(moved))),
                               host(F.gram_matrix(ml.tensor(x))), rtol=1e-12)


@given(SIZES, st.integers(1, 3), SIZES, SIZES, st.sampled_from([1, 2]),
       st.sampled_from(["mean", "sum"]))
def test_total_variation(n, c, h, w, p, reduction):
    def formula(x):
        right, down = x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]
        parts = [getattr(d.abs() ** p, reduction)() for d in (right, down) if d.numel()]
        return sum(parts, start=(x * 0).sum())

    agree(lambda x: F.total_variation(x, p, reduction=reduction), formula, images(n, c, h, w))


def test_total_variation_refuses():
    x = ml.ones(1, 1, 2, 2)
    with pytest.raises(ValueError, match="p must be 1 or 2"):
        F.total_variation(x, 3)
    with pytest.raises(ValueError, match="reduction"):
        F.total_variation(x, reduction="none")


# ---------------------------------------------------------------- likeness


@given(SIZES, SIZES, SIZES, SIZES, st.sampled_from([1.0, 2.0, 255.0]))
def test_psnr(n, c, h, w, data_range):
    def formula(a, b):
        return 10 * torch.log10(data_range**2 / ((a - b) ** 2).mean((1, 2, 3)))

    a, b = images(n, c, h, w), images(n, c, h, w)
    agree(lambda x, y: F.psnr(x, y, data_range), formula, a, b)


def test_psnr_in_known_cases():
    a = ml.tensor(np.full((2, 1, 2, 2), 0.5, "float32"))
    assert F.psnr(a, a).tolist() == [math.inf, math.inf]
    assert F.psnr(a, a + 0.1).tolist() == pytest.approx([20, 20], abs=1e-5)
    assert F.psnr(a * 255, a * 255 + 25.5, 255).tolist() == pytest.approx([20, 20], abs=1e-5)


def ssim_twin(a, b, data_range=1.0, size=11, sigma=1.5):
    """Wang et al. 2004, with one two-dimensional window and sums of squared deviations."""
    at = torch.arange(size, dtype=a.dtype) - (size - 1) / 2
    line = torch.exp(-(at**2) / (2 * sigma**2))
    window = torch.outer(line, line)
    window = (window / window.sum()).flatten()
    pa, pb = (T.unfold(x.reshape(-1, 1, *x.shape[2:]), size) for x in (a, b))  # (N C, 121, places)
    weights = window[None, :, None]
    ma, mb = ((p * weights).sum(1, keepdim=True) for p in (pa, pb))
    va, vb = ((p - m).square().mul(weights).sum(1) for p, m in ((pa, ma), (pb, mb)))
    cov = ((pa - ma) * (pb - mb) * weights).sum(1)
    ma, mb = ma[:, 0], mb[:, 0]
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    scores = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    return scores.reshape(a.shape[0], -1).mean(1)


@given(st.integers(1, 2), st.integers(1, 3), st.integers(11, 14), st.integers(11, 14),
       st.sampled_from([1.0, 255.0]))
def test_ssim(n, c, h, w, data_range):
    a, b = images(n, c, h, w) * data_range, images(n, c, h, w) * data_range
    agree(lambda x, y: F.ssim(x, y, data_range), lambda x, y: ssim_twin(x, y, data_range), a, b,
          order=1)


def test_ssim_in_known_cases():
    a = ml.tensor(images(2, 3, 16, 16, dtype="float32"))
    assert F.ssim(a, a).tolist() == [1, 1]
    assert abs(host(F.ssim(a, 1 - a))).max() < 1 and (host(F.ssim(a, 1 - a)) < 0).all()
    assert 0.9 < F.ssim(a, (a + 0.02).clamp(0, 1))[0].item() < 1
    small = ml.tensor(images(1, 1, 5, 6))
    assert F.ssim(small, small, window_size=5).item() == 1
    pair = images(1, 1, 6, 7), images(1, 1, 6, 7)
    agree(lambda x, y: F.ssim(x, y, window_size=5, sigma=0.8),
          lambda x, y: ssim_twin(x, y, 1.0, 5, 0.8), *pair, order=1)


@pytest.mark.parametrize("measure", [F.psnr, F.ssim])
def test_likeness_refuses(measure):
    a = ml.ones(1, 3, 12, 12)
    for b, kind, said in [(ml.ones(1, 3, 12, 13), ShapeError, "shapes must be equal"),
                          (a[0], ShapeError, "expected .N, C, H, W."),
                          (a.long(), TypeError, "floating-point"), (None, TypeError, "a Tensor")]:
        with pytest.raises(kind, match=said):
            measure(a if b is None or b.ndim == 4 else b, b)
    with pytest.raises(ValueError, match="data_range must be above 0"):
        measure(a, a, 0)
    with pytest.raises(ShapeError, match="smaller than the window"):
        F.ssim(a[:, :, :10], a[:, :, :10])


# ---------------------------------------------------------------- overlaps


@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 6), st.integers(1, 5))
def test_overlaps_dice_and_iou(classes, n, h, w):
    a, b = (RNG.integers(0, classes, (n, h, w)) for _ in range(2))
    want_dice, want_iou = np.full((2, n, classes), np.nan)
    for i in range(n):
        for k in range(classes):
            both, either = ((a[i] == k) & (b[i] == k)).sum(), ((a[i] == k) | (b[i] == k)).sum()
            if either:
                want_iou[i, k] = both / either
                want_dice[i, k] = 2 * both / ((a[i] == k).sum() + (b[i] == k).sum())
    pair = ml.tensor(a), ml.tensor(b), classes
    np.testing.assert_allclose(host(F.iou(*pair)), want_iou, rtol=1e-6)
    np.testing.assert_allclose(host(F.dice(*pair)), want_dice, rtol=1e-6)
    both, sizes = F.overlaps(*pair)
    assert host(sizes).sum() == 2 * a.size and host(both).sum() == (a == b).sum()


def test_numbers_outside_the_classes_do_not_count():
    a, b = ml.tensor([[0, 255, 1]]), ml.tensor([[0, 255, 255]])
    assert F.iou(a, b, 2).tolist() == [[1.0, 0.0]]
    with pytest.raises(ShapeError, match="overlaps"):
        F.overlaps(a, b[:, :2], 2)


# ---------------------------------------------------------------- units


def test_denormalize():
    mean, std = [0.1, 0.2, 0.3], [2.0, 3.0, 4.0]

    def formula(x):
        return x * torch.tensor(std)[:, None, None].double() + torch.tensor(
            mean, dtype=torch.float64)[:, None, None]

    agree(lambda x: F.denormalize(x, mean, std), formula, images(2, 3, 4, 5))
    assert F.denormalize(ml.ones(1, 3, 1, 1), mean, std).dtype == "float32"
    with pytest.raises(ShapeError, match="one number a channel"):
        F.denormalize(ml.ones(1, 2, 1, 1), mean, std)

"""Metrics of pictures: means over the images, in pixels, by class."""

import numpy as np
import pytest
from against_torch import host

import minilearn as ml
import minilearn.functional as F
from minilearn import data, train

RNG = np.random.default_rng(0)


def images(n=4):
    return ml.tensor(RNG.random((n, 3, 16, 12)).astype("float32"))


@pytest.mark.parametrize("name", ["psnr", "ssim"])
def test_means_over_the_images_are_exact_over_batches(name):
    a, b = images(5), images(5)
    average = train.Average(getattr(train, name))
    for part in (slice(0, 2), slice(2, 5)):
        average.add(a[part], b[part])
    assert average.value == pytest.approx(host(getattr(F, name)(a, b)).mean(), rel=1e-6)


def test_on_pixels_undoes_the_normalisation_and_clips():
    normalize = data.Normalize([0.5, 0.4, 0.3], [0.2, 0.25, 0.3])
    a, b = images(), images()
    bent = a * 1.5 - 0.25  # some pixels lie outside of what can be shown
    x, y = (ml.tensor(normalize(host(t))) for t in (bent, b))
    metric = train.on_pixels(train.psnr, normalize)
    assert metric.__name__ == "psnr"
    assert metric(x, y).item() == pytest.approx(train.psnr(bent.clamp(0, 1), b).item(), rel=1e-5)
    assert train.psnr(bent.clamp(0, 1), b).item() > train.psnr(bent, b).item()


def scores(labels, classes):
    """Scores (N, C, H, W) whose largest is at the labels."""
    return ml.tensor(np.eye(classes, dtype="float32")[labels].transpose(0, 3, 1, 2))


def test_segmentation_in_a_known_case():
    target = np.array([[[0, 0], [1, 1]], [[0, 0], [0, 0]]])
    said = np.array([[[0, 1], [1, 1]], [[0, 0], [0, 0]]])
    pair = scores(said, 3), ml.tensor(target)
    assert train.pixel_accuracy(*pair).item() == pytest.approx(7 / 8)
    assert train.iou(*pair).item() == pytest.approx(((1 / 2 + 2 / 3) / 2 + 1) / 2)
    assert train.dice(*pair).item() == pytest.approx(((2 / 3 + 4 / 5) / 2 + 1) / 2)
    wrong = scores(1 - target, 3), ml.tensor(target)
    assert train.iou(*wrong).item() == train.dice(*wrong).item() == 0


def test_one_channel_is_two_classes():
    target = RNG.integers(0, 2, (3, 5, 6))
    said = RNG.integers(0, 2, (3, 5, 6))
    one = ml.tensor((said - 0.5)[:, None].astype("float32"))
    for metric in (train.iou, train.dice, train.pixel_accuracy):
        assert metric(one, ml.tensor(target)).item() == pytest.approx(
            metric(scores(said, 2), ml.tensor(target)).item())

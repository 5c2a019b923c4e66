"""Metrics of pictures, for the Learner: each the mean over the images of a batch.

    normalize = data.IMAGENET
    Learner(model, ..., metrics=[on_pixels(psnr, normalize), on_pixels(ssim, normalize)])
    Learner(model, ..., metrics=[pixel_accuracy, iou, dice])     # segmentation
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import functional as F
from ..tensor import Tensor

Metric = Callable[[Tensor, Tensor], Tensor]


def psnr(output: Tensor, target: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio in dB of images (N, C, H, W) with pixels in [0, 1]."""
    return F.psnr(output, target).mean()


def ssim(output: Tensor, target: Tensor) -> Tensor:
    """Return the structural similarity of images (N, C, H, W) with pixels in [0, 1]."""
    return F.ssim(output, target).mean()


def on_pixels(metric: Metric, normalize: Any) -> Metric:
    """Return a metric that first makes pixels in [0, 1] again of what `normalize` made of them.

    normalize: has `mean` and `std`, one number a channel, as `data.Normalize`. What lies outside
    [0, 1] is clipped, as it is for display and in files.
    """
    def measured(output: Tensor, target: Tensor) -> Tensor:
        pixels = (F.denormalize(images, normalize.mean, normalize.std).clamp(0, 1)
                  for images in (output, target))
        return metric(*pixels)

    measured.__name__ = metric.__name__
    return measured


# ---------------------------------------------------------------- segmentation


def labels_of(output: Tensor) -> tuple[Tensor, int]:
    """Return the class that each pixel's scores (N, C, H, W) speak for, and how many there are.

    One channel stands for two classes: above 0 for class 1.
    """
    if output.shape[1] == 1:
        return (output[:, 0] > 0).long(), 2
    return output.argmax(1), output.shape[1]


def pixel_accuracy(output: Tensor, target: Tensor) -> Tensor:
    """Return the share of pixels whose class is right; output (N, C, H, W), target (N, H, W)."""
    return (labels_of(output)[0] == target).float().mean()


def iou(output: Tensor, target: Tensor) -> Tensor:
    """Return intersection over union, the mean over each image's classes, then over the images.

    output (N, C, H, W) scores, target (N, H, W) classes. A class that an image neither has nor is
    said to have does not count there.
    """
    labels, classes = labels_of(output)
    return _mean_of_present(F.iou(labels, target, classes))


def dice(output: Tensor, target: Tensor) -> Tensor:
    """Return the Dice coefficient, averaged as `iou` is."""
    labels, classes = labels_of(output)
    return _mean_of_present(F.dice(labels, target, classes))


def _mean_of_present(shares: Tensor) -> Tensor:
    """Average (N, classes) over the classes that are not nan, then over the images."""
    there = ~shares.isnan()
    return (shares.masked_fill(~there, 0.0).sum(1) / there.float().sum(1)).mean()

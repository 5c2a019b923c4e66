"""What pictures have in common, and how far apart they are: gram matrices, PSNR, SSIM, overlaps.

Not in torch. Each measure of two pictures returns one number for each of the N of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .. import xp
from ..arrays import constant
from ..errors import ShapeError, explain
from ..ops.elementwise import where
from ..ops.exponential import log10
from ..tensor import Tensor
from .arguments import need_choice, need_floating, need_same_shape
from .conv import conv2d

# ---------------------------------------------------------------- style


def gram_matrix(input: Tensor) -> Tensor:
    """Return how strongly each two channels fire together, wherever that is (Gatys et al. 2015).

    input (N, C, H, W) -> (N, C, C): F F^T / (C H W), F being an image as (C, H W). Raises
    ShapeError, TypeError.

    >>> gram_matrix(Tensor([[[[1.0, 2.0]], [[0.0, 4.0]]]]))
    tensor([[[1.25, 2.  ],
             [2.  , 4.  ]]])
    """
    _need_images("gram_matrix", input=input)
    n, c, h, w = input.shape
    flat = input.reshape((n, c, h * w))
    return flat @ flat.transpose(1, 2) / (c * h * w)


def total_variation(input: Tensor, p: int = 1, *, reduction: str = "mean") -> Tensor:
    """Return |differences|^p of pixels to their right and lower neighbours (Rudin et al. 1992).

    input (N, C, H, W); p: 1 or 2. reduction: "mean" adds the mean over each direction, "sum" all.
    Raises ShapeError, TypeError, ValueError.

    >>> total_variation(Tensor([[[[0.0, 2.0], [0.0, 2.0]]]]))
    tensor(2.)
    """
    _need_images("total_variation", input=input)
    need_choice("total_variation", "reduction", reduction, ("mean", "sum"))
    if p not in (1, 2):
        raise ValueError(f"total_variation: p must be 1 or 2, got {p!r}")
    total = input.sum() * 0
    for d in (input[:, :, :, 1:] - input[:, :, :, :-1], input[:, :, 1:] - input[:, :, :-1]):
        if d.numel():
            d = d.abs() if p == 1 else d * d
            total = total + (d.mean() if reduction == "mean" else d.sum())
    return total


# ---------------------------------------------------------------- likeness


@xp.quiet()
def psnr(input: Tensor, target: Tensor, data_range: float = 1.0) -> Tensor:
    """Return the peak signal-to-noise ratio in dB: 10 log10(data_range^2 / mean squared error).

    input, target (N, C, H, W), pixels from 0 to data_range -> (N,). Equal pictures give inf; each
    halving of the error gives 6.02 dB more. Raises ShapeError, TypeError, ValueError.

    >>> psnr(Tensor([[[[0.5, 0.5]]]]), Tensor([[[[0.4, 0.6]]]]))
    tensor([20.])
    """
    _need_pair("psnr", input, target, data_range)
    d = input - target
    return 20 * math.log10(data_range) - 10 * log10((d * d).mean((1, 2, 3)))


def ssim(
    input: Tensor, target: Tensor, data_range: float = 1.0, *, window_size: int = 11,
    sigma: float = 1.5,
) -> Tensor:
    """Return the structural similarity: 1 for equal pictures, near 0 for unrelated ones.

    input, target (N, C, H, W), pixels from 0 to data_range -> (N,): means, contrasts and
    correlations under a Gaussian window, averaged over its places and the channels (Wang et al.
    2004). Raises ShapeError for pictures smaller than the window, TypeError, ValueError.
    """
    _need_pair("ssim", input, target, data_range)
    if min(input.shape[2:]) < window_size:
        raise ShapeError(explain("ssim", "the pictures are smaller than the window",
                                 {"input": input, "window_size": window_size}))
    window = gaussian(window_size, sigma, input.data.dtype)

    def mean(x: Tensor) -> Tensor:
        x = x.reshape((-1, 1, *x.shape[2:]))  # every channel for itself
        return conv2d(conv2d(x, window), window.transpose(2, 3))

    mx, my = mean(input), mean(target)
    vx, vy = mean(input * input) - mx * mx, mean(target * target) - my * my
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2  # for the sake of dark places
    likeness = ((2 * mx * my + c1) * (2 * (mean(input * target) - mx * my) + c2)
                / ((mx * mx + my * my + c1) * (vx + vy + c2)))
    return likeness.reshape((input.shape[0], -1)).mean(1)


def gaussian(size: int, sigma: float, dtype: object) -> Tensor:
    """Return the weights of a Gaussian window as the kernel (1, 1, 1, size); their sum is 1."""
    heights = [math.exp(-((i - (size - 1) / 2) ** 2) / (2 * sigma**2)) for i in range(size)]
    weights = tuple(height / sum(heights) for height in heights)
    return Tensor(constant(weights, dtype)).reshape((1, 1, 1, size))


# ---------------------------------------------------------------- overlaps of regions


def overlaps(labels: Tensor, target: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """Count for each class the places where both say it, and the places where each of them does.

    labels, target (N, *): class numbers. Returns two tensors (N, num_classes): of intersections,
    and of the sum of both sizes. Numbers outside the classes count for nothing. Raises ShapeError.

    >>> overlaps(Tensor([[0, 1, 1]]), Tensor([[0, 0, 1]]), 2)
    (tensor([[1., 1.]]), tensor([[3., 3.]]))
    """
    need_same_shape("overlaps", labels=labels, target=target)
    shape = (labels.shape[0], -1, 1)
    classes = Tensor(xp.arange(num_classes))
    said, true = ((t.reshape(shape) == classes).float() for t in (labels, target))
    return (said * true).sum(1), said.sum(1) + true.sum(1)


def dice(labels: Tensor, target: Tensor, num_classes: int) -> Tensor:
    """Return 2 |A and B| / (|A| + |B|) of each class (Dice 1945), (N, num_classes).

    labels, target (N, *): class numbers. A class that neither has gives nan. Raises ShapeError.
    """
    both, sizes = overlaps(labels, target, num_classes)
    return _share(2 * both, sizes)


def iou(labels: Tensor, target: Tensor, num_classes: int) -> Tensor:
    """Return intersection over union of each class (Jaccard 1901), (N, num_classes).

    labels, target (N, *): class numbers. A class that neither has gives nan. Raises ShapeError.

    >>> iou(Tensor([[0, 1, 1]]), Tensor([[0, 0, 1]]), 2)
    tensor([[0.5, 0.5]])
    """
    both, sizes = overlaps(labels, target, num_classes)
    return _share(both, sizes - both)


def _share(part: Tensor, whole: Tensor) -> Tensor:
    return where(whole == 0, math.nan, part / where(whole == 0, 1.0, whole))


# ---------------------------------------------------------------- units


def denormalize(input: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Return input * std + mean for each channel: pixels again, after a normalisation.

    input (N, C, H, W); mean, std: C numbers each. Raises ShapeError, TypeError.
    """
    _need_images("denormalize", input=input)
    if not len(mean) == len(std) == input.shape[1]:
        raise ShapeError(explain("denormalize", "mean and std must be one number a channel",
                                 {"input": input, "mean": list(mean), "std": list(std)}))
    kind = input.data.dtype
    m, s = (Tensor(constant(tuple(v), kind)).reshape((-1, 1, 1)) for v in (mean, std))
    return input * s + m


# ---------------------------------------------------------------- what they share


def _need_images(function: str, **images: Tensor) -> None:
    need_floating(function, **images)
    if any(t.ndim != 4 for t in images.values()):
        raise ShapeError(explain(function, "expected (N, C, H, W)", images,
                                 "give a single image as image.unsqueeze(0)"))


def _need_pair(function: str, input: Tensor, target: Tensor, data_range: float) -> None:
    _need_images(function, input=input, target=target)
    need_same_shape(function, input=input, target=target)
    if not data_range > 0:
        raise ValueError(f"{function}: data_range must be above 0, got {data_range}")

"""Errors name the function, the fault, every argument and the repair; rare arguments work."""

from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as T
from against_torch import agree, both_raise

import minilearn as ml
from minilearn import functional as F


def data(*shape, seed=0, dtype="float64"):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)


ints = np.arange(6).reshape(2, 3)
image, grid = data(2, 3, 4, 5), data(2, 3, 3, 2)

REFUSED = {
    # convolution
    "conv1d dimensions": ("conv1d", (data(3, 4, 5, 6), data(2, 4, 3)), {}, "(N, C, L) or (C, L)"),
    "conv2d channels": ("conv2d", (image, data(2, 4, 1, 1)), {},
                        "for 4 channels, the input has 3"),
    "conv2d groups": ("conv2d", (image, data(4, 1, 1, 1)), {"groups": 3},
                      "groups must divide the weight's first size"),
    "conv2d bias": ("conv2d", (image, data(4, 3, 1, 1), data(3)), {}, "bias must have shape (4,)"),
    "conv2d dtypes": ("conv2d", (image, data(4, 3, 1, 1, dtype="float32")), {}, "one dtype"),
    "conv2d name": ("conv2d", (image, data(4, 3, 1, 1)), {"padding": "full"}, "'same'"),
    "conv2d same": ("conv2d", (image, data(4, 3, 1, 1)), {"padding": "same", "stride": (1, 2)},
                    "only for stride 1"),
    "conv2d stride": ("conv2d", (image, data(4, 3, 1, 1)), {"stride": 0}, "at least 1"),
    "conv2d empty": ("conv2d", (data(2, 3, 4, 0), data(4, 3, 1, 1)), {}, "must not be empty"),
    "conv2d kernel": ("conv2d", (image, data(4, 3, 5, 1)), {}, "conv2d"),
    "transposed extra": ("conv_transpose2d", (image, data(3, 2, 3, 3)),
                         {"output_padding": 2, "stride": 2}, "below stride or dilation"),
    "transposed padding": ("conv_transpose1d", (data(2, 3, 1), data(3, 2, 3)), {"padding": 2},
                           "nothing is left"),
    # pooling
    "pool padding": ("max_pool2d", (image, 3), {"padding": 2}, "at most half of the kernel"),
    "pool kernel": ("avg_pool2d", (image, 6), {}, "larger than the padded input"),
    "pool stride": ("avg_pool1d", (data(2, 3, 8), 2), {"stride": -1}, "stride must be at least 1"),
    "pool divisor": ("avg_pool2d", (image, 2), {"divisor_override": 0}, "must not be 0"),
    "pool booleans": ("max_pool2d", (image > 0, 2), {}, "must hold numbers"),
    "adaptive sizes": ("adaptive_avg_pool2d", (image, (1, 2, 3)), {}, "output_size"),
    "unfold kernel": ("unfold", (image, (5, 1)), {}, "unfold"),
    "fold columns": ("fold", (data(1, 4, 5), (3, 3), 2), {}, "a multiple of 4 rows"),
    # images
    "mode": ("interpolate", (image, 3), {"mode": "cubic"}, "'nearest', 'nearest-exact'"),
    "mode of sequences": ("interpolate", (data(2, 3, 4), 3), {"mode": "bilinear"}, "(N, C, H, W)"),
    "corners": ("interpolate", (image, 3), {"align_corners": True}, "has no align_corners"),
    "size or factor": ("interpolate", (image,), {}, "either size or scale_factor"),
    "size and factor": ("interpolate", (image, 3, 2.0), {}, "either size or scale_factor"),
    "recompute": ("interpolate", (image, 3), {"recompute_scale_factor": True}, "not a size"),
    "factors": ("interpolate", (image,), {"scale_factor": (2.0,) * 3}, "one number or 2"),
    "negative factor": ("interpolate", (image,), {"scale_factor": -1.0}, "must be positive"),
    "tiny factor": ("interpolate", (image,), {"scale_factor": 0.1}, "nothing is left"),
    "shuffle": ("pixel_shuffle", (image, 2), {}, "3 channels do not divide by 2 * 2"),
    "shuffle dims": ("pixel_shuffle", (data(4, 4), 2), {}, "(..., C, H, W)"),
    "unshuffle": ("pixel_unshuffle", (image, 2), {}, "4 x 5 pixels do not divide by 2"),
    "grid": ("grid_sample", (image, grid[:1]), {}, "one grid for each image"),
    "grid dims": ("grid_sample", (image, grid[0]), {}, "grid (N, OH, OW, 2)"),
    "grid dtypes": ("grid_sample", (image, grid.astype("float32")), {}, "one dtype"),
    "grid mode": ("grid_sample", (image, grid), {"mode": "area"}, "'bilinear'"),
    "grid padding": ("grid_sample", (image, grid), {"padding_mode": "circular"}, "'reflection'"),
    "affine": ("affine_grid", (data(1, 2, 3), (2, 1, 3, 3)), {}, "theta must have shape (2, 2, 3)"),
    "affine size": ("affine_grid", (data(1, 2, 3), (1, 1, 0, 3)), {}, "at least 1"),
    "pad odd": ("pad", (image, (1, 2, 3)), {}, "two numbers for a dimension"),
    "pad mode": ("pad", (image, (1, 1)), {"mode": "wrap"}, "constant, reflect, replicate"),
    "pad value": ("pad", (data(2, 3, 4), (1, 1)), {"mode": "reflect", "value": 1.0},
                  "only the mode constant"),
    "pad reflect": ("pad", (data(2, 3, 4), (4, 1)), {"mode": "reflect"}, "only 3 elements"),
    "pad circular": ("pad", (data(2, 3, 4), (5, 1)), {"mode": "circular"}, "only 4 elements"),
    "pad away": ("pad", (data(2, 3), (-2, -2)), {}, "more than there is"),
    # normalisation
    "batch of one": ("batch_norm", (data(1, 3), None, None), {"training": True}, "larger batch"),
    "no statistics": ("batch_norm", (data(4, 3), None, None), {}, "running_mean and running_var"),
    "weight": ("batch_norm", (data(4, 3), None, None, data(2)), {"training": True},
               "weight must have shape (3,)"),
    "layer shape": ("layer_norm", (data(4, 3), (4,)), {}, "must be normalized_shape"),
    "layer int": ("layer_norm", (data(4, 3), 3), {}, "tuple or list"),
    "rms weight": ("rms_norm", (data(4, 3), (3,), data(4)), {}, "weight must have shape (3,)"),
    "groups": ("group_norm", (data(4, 3), 2), {}, "into 2 equal groups"),
    "group of one": ("group_norm", (data(1, 3), 3), {}, "more than one value per group"),
    "instance of one": ("instance_norm", (data(2, 3, 1),), {}, "more than one value"),
    # losses
    "reduction": ("mse_loss", (data(3), data(3)), {"reduction": "max"}, "'none', 'mean', 'sum'"),
    "beta": ("smooth_l1_loss", (data(3), data(3)), {"beta": -1.0}, "beta must not be negative"),
    "delta": ("huber_loss", (data(3), data(3)), {"delta": 0.0}, "delta must be positive"),
    "bce shapes": ("binary_cross_entropy", (data(3) ** 0, data(2) ** 0), {}, "must be equal"),
    "bce range": ("binary_cross_entropy", (data(3) + 9, data(3) ** 0), {}, "apply sigmoid first"),
    "logits": ("binary_cross_entropy_with_logits", (data(3), data(3)), {"weight": data(2)},
               "weight does not broadcast to (3,)"),
    "smoothing": ("cross_entropy", (data(2, 3), np.array([0, 1])), {"label_smoothing": 1.5},
                  "between 0 and 1"),
    "class": ("cross_entropy", (data(2, 3), np.array([0, 3])), {}, "class 3 in target"),
    "class dtype": ("nll_loss", (data(2, 3), np.array([0, 1], "int16")), {}, "target.long()"),
    "class shape": ("nll_loss", (data(2, 3), np.array([0, 1, 2])), {}, "must have shape (2,)"),
    "class weight": ("nll_loss", (data(2, 3), np.array([0, 1]), data(2)), {}, "weight must have"),
    "soft targets": ("cross_entropy", (data(2, 3), ints), {}, "target must hold floating-point"),
    # the rest
    "linear": ("linear", (data(2, 3), data(4, 2)), {}, "last size of input and weight"),
    "linear bias": ("linear", (data(2, 3), data(4, 3), data(3)), {}, "one number for each output"),
    "bilinear": ("bilinear", (data(2, 3), data(3, 3), data(4, 3, 3)), {}, "sizes do not fit"),
    "bilinear bias": ("bilinear", (data(2, 3), data(2, 3), data(4, 3, 3), data(3)), {},
                      "one number for each output"),
    "row": ("embedding", (np.array([0, 2]), data(2, 3)), {}, "row 2 in input is out of range"),
    "row dtype": ("embedding", (data(2), data(2, 3)), {}, "input.long()"),
    "padding row": ("embedding", (np.array([0, 1]), data(2, 3)), {"padding_idx": 2},
                    "not one of the 2 rows"),
    "probability": ("dropout", (data(2), 1.5), {}, "between 0 and 1; got p=1.5"),
    "whole channels": ("dropout1d", (data(2),), {}, "use dropout for other shapes"),
    "query": ("scaled_dot_product_attention", (data(2, 3), data(4, 2), data(4, 2)), {},
              "query (..., L, E)"),
    "causal": ("scaled_dot_product_attention", (data(2, 3), data(4, 3), data(4, 2)),
               {"attn_mask": data(2, 4), "is_causal": True}, "exclude each other"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_complaint_names_function_and_fault(case):
    name, args, options, match = REFUSED[case]
    error = both_raise(getattr(F, name), getattr(T, name), *args, match=match, **options)
    assert str(error).startswith(name), error


@pytest.mark.parametrize("name", ["conv1d", "conv2d", "linear", "mse_loss", "embedding", "kl_div",
                                  "cross_entropy", "batch_norm", "normalize", "grid_sample",
                                  "binary_cross_entropy", "cosine_similarity"])
def test_arrays_are_not_taken_for_tensors(name):
    args = (np.ones((2, 2)),) * {"normalize": 1, "batch_norm": 3}.get(name, 2)
    with pytest.raises(TypeError, match=f"{name}: .* must be a Tensor.*with minilearn.tensor"):
        getattr(F, name)(*args)


# ---------------------------------------------------------------- rare arguments


@pytest.mark.parametrize("extra", [1, 2])
@pytest.mark.parametrize("groups", [1, 2])
def test_output_padding_between_stride_and_dilation(extra, groups):
    agree(F.conv_transpose2d, T.conv_transpose2d, data(2, 4, 3, 2), data(4, 3, 2, 3, seed=1),
          data(3 * groups, seed=2), stride=(1, 2), padding=1, output_padding=(extra, 1),
          groups=groups, dilation=3)


def both(name, **options):
    """Both functions with options of their own (`agree` has a `reduction` too)."""
    return partial(getattr(F, name), **options), partial(getattr(T, name), **options)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_losses_weigh_their_elements(reduction):
    x, y, w = data(3, 4), data(3, 4, seed=1), data(3, 4, seed=2) ** 2
    for name in ("mse_loss", "l1_loss", "huber_loss"):
        agree(*both(name, reduction=reduction), x, y, weight=w)
    p, target = 1 / (1 + np.exp(-x)), (x > y) * 1.0
    for name, inputs in (("binary_cross_entropy", p), ("binary_cross_entropy_with_logits", x)):
        ours, theirs = both(name, reduction=reduction)
        for weight in (w, w[0], w[:, :1]):  # torch does not differentiate these weights
            agree(lambda x, f=ours, w=weight: f(x, ml.tensor(target), ml.tensor(w)),
                  lambda x, f=theirs, w=weight: f(x, torch.tensor(target), torch.tensor(w)), inputs)


def test_a_smooth_loss_without_a_rounded_corner_is_the_absolute_one():
    x, y = data(5), data(5, seed=1)
    agree(F.smooth_l1_loss, T.smooth_l1_loss, x, y, beta=0.0)


@pytest.mark.parametrize("log_target", [False, True])
@pytest.mark.parametrize("reduction", ["none", "sum", "batchmean"])
def test_divergence_of_scalars_and_batches(log_target, reduction):
    for shape in ((), (3,), (3, 4)):
        target = data(*shape) if log_target else np.asarray(abs(data(*shape)))
        agree(*both("kl_div", reduction=reduction, log_target=log_target), data(*shape, seed=1),
              target)


def test_a_query_that_may_look_nowhere_gets_zeros():
    q, k, v = data(2, 3), data(4, 3, seed=1), data(4, 5, seed=2)
    mask = np.array([[True, False, True, True], [False] * 4])
    agree(F.scaled_dot_product_attention, T.scaled_dot_product_attention, q, k, v, attn_mask=mask,
          order=1)
    agree(F.scaled_dot_product_attention, T.scaled_dot_product_attention, q, k, v, scale=0.3)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_a_grid_on_an_image_of_one_pixel(mode):
    for padding_mode in ("zeros", "border", "reflection"):
        for corners in (False, True):
            agree(F.grid_sample, T.grid_sample, data(1, 2, 1, 1), data(1, 3, 4, 2, seed=1),
                  order=0, mode=mode, padding_mode=padding_mode, align_corners=corners)


@pytest.mark.filterwarnings("ignore:Since version 1.3.0, affine_grid")
def test_affine_grids_of_one_row():
    for size in ([2, 1, 1, 4], [2, 1, 1, 1], [2, 3, 5, 1]):
        for corners in (False, True):
            agree(*both("affine_grid", size=size), data(2, 2, 3), align_corners=corners)


def test_norms_of_nothing_keep_their_shape():
    for shape in ((0, 3), (0, 3, 4), (2, 3, 0)):
        agree(F.layer_norm, T.layer_norm, data(*shape), shape[-1:], order=1)
        agree(F.rms_norm, T.rms_norm, data(*shape), shape[-1:], order=0)
    agree(F.group_norm, T.group_norm, data(0, 4, 2), 2, data(4), data(4), order=1)


def test_running_statistics_move_as_in_torch():
    x, results = data(4, 3, 5, dtype="float32"), []
    for library, tensor in ((F, ml.tensor), (T, torch.tensor)):
        mean, var = tensor(np.zeros(3, "float32")), tensor(np.ones(3, "float32"))
        library.batch_norm(tensor(x), mean, var, training=True, momentum=0.3)
        library.instance_norm(tensor(x), mean, var, momentum=0.2)
        results.append([mean.tolist(), var.tolist()])
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-7)

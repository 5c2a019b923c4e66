"""Convolution, its transpose and windows as columns, against torch over the range of arguments."""

import math

import numpy as np
import pytest
import torch.nn.functional as T
from against_torch import agree, both_raise
from hypothesis import assume, example, given
from hypothesis import strategies as st

from minilearn import functional as F

CONV = {1: (F.conv1d, T.conv1d), 2: (F.conv2d, T.conv2d)}
TRANSPOSED = {1: (F.conv_transpose1d, T.conv_transpose1d),
              2: (F.conv_transpose2d, T.conv_transpose2d)}


def array(*shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def numbers(low, high):
    """An integer for both dimensions, or one for each."""
    each = st.integers(low, high)
    return st.one_of(each, st.tuples(each, each))


def along(value, n):
    """The same argument for n dimensions."""
    return value if isinstance(value, int | str) else value[:n]


def lead(batch):
    """No batch dimension at all, or one of this size."""
    return () if batch is None else (batch,)


settings = st.fixed_dictionaries({
    "n": st.sampled_from([1, 2]), "batch": st.sampled_from([None, 0, 1, 3]),
    "groups": st.integers(1, 3),
    "inputs": st.integers(1, 2), "outputs": st.integers(1, 3),
    "kernel": st.tuples(*[st.integers(1, 4)] * 2),
    "size": st.tuples(st.integers(1, 9), st.integers(1, 8)), "bias": st.booleans(),
    "dtype": st.sampled_from(["float64", "float64", "float32"]),
})


@pytest.mark.filterwarnings("ignore:Using padding='same' with even")  # torch, the first time
@given(settings, numbers(1, 3), numbers(0, 3) | st.sampled_from(["same", "valid"]), numbers(1, 3))
def test_conv_is_torch(s, stride, padding, dilation):
    n = s["n"]
    if padding == "same":
        stride = 1
    stride, padding, dilation = along(stride, n), along(padding, n), along(dilation, n)
    room = np.array(s["size"][:n]) + 2 * np.array(0 if padding == "valid" else
                                                  50 if padding == "same" else padding)
    assume((room > np.array(dilation) * (np.array(s["kernel"][:n]) - 1)).all())
    outputs, channels = s["outputs"] * s["groups"], s["inputs"] * s["groups"]
    x = array(*lead(s["batch"]), channels, *s["size"][:n], dtype=s["dtype"])
    w = array(outputs, s["inputs"], *s["kernel"][:n], dtype=s["dtype"], seed=1)
    b = array(outputs, dtype=s["dtype"], seed=2) if s["bias"] else None
    agree(*CONV[n], x, w, b, stride=stride, padding=padding, dilation=dilation, groups=s["groups"],
          reduction=w.size + x.size)


@given(settings, numbers(1, 3), numbers(0, 2), numbers(0, 2), numbers(1, 3))
@example({"n": 1, "batch": 2, "groups": 1, "inputs": 2, "outputs": 3, "kernel": (2, 2),
          "size": (4, 4), "bias": True, "dtype": "float64"}, 1, 1, 1, 2)
@example({"n": 2, "batch": 2, "groups": 2, "inputs": 1, "outputs": 2, "kernel": (3, 2),
          "size": (3, 4), "bias": True, "dtype": "float64"}, (1, 2), (2, 0), (2, 1), (3, 1))
def test_transposed_conv_is_torch(s, stride, padding, extra, dilation):
    n = s["n"]
    stride, padding, extra, dilation = (along(v, n) for v in (stride, padding, extra, dilation))
    every = [np.broadcast_to(v, n) for v in (stride, padding, extra, dilation)]
    size, kernel = np.array(s["size"][:n]), np.array(s["kernel"][:n])
    assume((every[2] < np.maximum(every[0], every[3])).all())
    assume(((size - 1) * every[0] - 2 * every[1] + every[3] * (kernel - 1) + every[2] >= 0).all())
    channels = s["inputs"] * s["groups"]
    x = array(*lead(s["batch"]), channels, *size, dtype=s["dtype"])
    w = array(channels, s["outputs"], *kernel, dtype=s["dtype"], seed=1)
    b = array(s["outputs"] * s["groups"], dtype=s["dtype"], seed=2) if s["bias"] else None
    agree(*TRANSPOSED[n], x, w, b, stride, padding, extra, s["groups"], dilation,
          reduction=w.size + x.size)


def test_integers_are_convolved_too():
    x, w = np.arange(16).reshape(1, 1, 4, 4), np.ones((2, 1, 2, 2), int)
    agree(*CONV[2], x, w)
    agree(*TRANSPOSED[2], x, w[:1])


X, W, B = array(2, 4, 5, 6), array(6, 2, 3, 2), array(6)

BAD_CONV = {
    "no batch and no channels": ((X[0, 0], W), {}),
    "five dimensions": ((X[None], W), {}),
    "a weight of three dimensions": ((X, W[0]), {}),
    "channels": ((X, W), {}),
    "groups do not divide": ((X, array(5, 2, 3, 2)), {"groups": 2}),
    "no groups": ((X, W), {"groups": 0}),
    "no outputs": ((X, W[:0]), {"groups": 2}),
    "bias of another length": ((X, W, B[:5]), {"groups": 2}),
    "bias of one element": ((X, W, B[:1]), {"groups": 2}),
    "bias as a column": ((X, W, B[:, None]), {"groups": 2}),
    "bias of another dtype": ((X, W, B.astype("float32")), {"groups": 2}),
    "weight of another dtype": ((X, W.astype("float32")), {"groups": 2}),
    "bool": ((X > 0, W > 0), {"groups": 2}),
    "stride 0": ((X, W), {"groups": 2, "stride": 0}),
    "stride of three": ((X, W), {"groups": 2, "stride": (1, 1, 1)}),
    "stride no integer": ((X, W), {"groups": 2, "stride": 1.0}),
    "stride None": ((X, W), {"groups": 2, "stride": None}),
    "dilation 0": ((X, W), {"groups": 2, "dilation": 0}),
    "negative padding": ((X, W), {"groups": 2, "padding": -1}),
    "kernel too large": ((X, array(6, 2, 6, 2)), {"groups": 2}),
    "dilated kernel too large": ((X, W), {"groups": 2, "dilation": 3}),
    "kernel of nothing": ((X, array(6, 2, 0, 2)), {"groups": 2}),
    "image of nothing": ((X[:, :, :0], W), {"groups": 2, "padding": 2}),
    "an unknown word": ((X, W), {"groups": 2, "padding": "full"}),
    "same with stride": ((X, W), {"groups": 2, "padding": "same", "stride": (1, 2)}),
    "unknown argument": ((X, W), {"groups": 2, "padding_mode": "zeros"}),
    "no tensor": ((X, 3.0), {}),
}


@pytest.mark.parametrize("case", BAD_CONV)
def test_conv_refuses(case):
    args, options = BAD_CONV[case]
    both_raise(*CONV[2], *args, match="conv2d", **options)


V = array(4, 3, 3, 2)

BAD_TRANSPOSED = {
    "channels": ((X, W), {}),
    "groups do not divide": ((X, V), {"groups": 3}),
    "bias of another length": ((X, V, array(3)), {"groups": 2}),
    "output_padding too large": ((X, V), {"output_padding": 1}),
    "output_padding too large in one":
        ((X, V), {"output_padding": (1, 2), "stride": (2, 1), "dilation": 2}),
    "negative output_padding": ((X, V), {"output_padding": -1, "stride": 2}),
    "negative padding": ((X, V), {"padding": -1}),
    "nothing left": ((X, V), {"padding": (4, 0)}),
    "stride 0": ((X, V), {"stride": 0}),
    "dilation 0": ((X, V), {"dilation": 0}),
    "padding by name": ((X, V), {"padding": "same"}),
    "two dimensions": ((X[0, 0], V), {}),
    "image of nothing": ((X[:, :, :0], V), {}),
    "weight of another dtype": ((X, V.astype("float32")), {}),
}


@pytest.mark.parametrize("case", BAD_TRANSPOSED)
def test_transposed_conv_refuses(case):
    args, options = BAD_TRANSPOSED[case]
    both_raise(*TRANSPOSED[2], *args, match="conv_transpose2d", **options)


def test_messages_name_shapes_and_repair():
    message = str(both_raise(*CONV[2], X, W))
    assert "input=(2, 4, 5, 6) float64" in message and "weight=(6, 2, 3, 2) float64" in message
    error = both_raise(F.conv1d, T.conv1d, array(1, 1, 3), array(1, 1, 5), match="conv1d")
    assert "(3,)" in str(error) and "To repair it" in str(error)
    both_raise(F.conv1d, T.conv1d, array(2, 2, 5), array(1, 2, 3), stride=(1, 1), match="stride")


# ---------------------------------------------------------------- unfold and fold


@given(st.tuples(*[st.integers(1, 7)] * 2), st.sampled_from([None, 0, 1, 2]), st.integers(1, 3),
       numbers(1, 3), numbers(1, 2), numbers(0, 2), numbers(1, 3))
def test_unfold_and_fold_are_torch(size, batch, channels, kernel, dilation, padding, stride):
    options = {"kernel_size": kernel, "dilation": dilation, "padding": padding, "stride": stride}
    k, d, p, s = (np.broadcast_to(v, 2) for v in options.values())
    places = (np.array(size) + 2 * p - d * (k - 1) - 1) // s + 1
    assume((places > 0).all())
    agree(F.unfold, T.unfold, array(*lead(batch), channels, *size), **options)
    columns = array(*lead(batch), channels * math.prod(map(int, k)), math.prod(map(int, places)))
    agree(F.fold, T.fold, columns, output_size=size, **options)


def test_float32_stays():
    agree(F.unfold, T.unfold, array(2, 3, 4, 5, dtype="float32"), 2)
    agree(F.fold, T.fold, array(2, 4, 6, dtype="float32"), (3, 4), 2)


BAD_UNFOLD = [{"kernel_size": 7}, {"kernel_size": 0}, {"kernel_size": 2.0}, {"kernel_size": (2,)},
              {"kernel_size": (2, 2, 2)}, {"kernel_size": 2, "stride": 0},
              {"kernel_size": 2, "padding": -1},
              {"kernel_size": 2, "dilation": 0}, {}]


@pytest.mark.parametrize("options", BAD_UNFOLD)
def test_unfold_refuses(options):
    both_raise(F.unfold, T.unfold, X, match="unfold", **options)


@pytest.mark.parametrize("x", [X[0, 0], X[None], X[:, :0], X[:, :, :0], np.ones((1, 1, 3, 3), int)])
def test_unfold_refuses_shapes(x):
    both_raise(F.unfold, T.unfold, x, 2, match="unfold")


C = array(2, 12, 4)

BAD_FOLD = [((C, 4, 2), {}), ((C, 3, 5), {}), ((C[:, :11], 3, 2), {}), ((C[None], 3, 2), {}),
            ((C[0, 0], 3, 2), {}), ((C, (3, 3, 3), 2), {}), ((C, (3,), 2), {}), ((C, -3, 2), {}),
            ((C, 3, 2), {"stride": 0}), ((C, 3, 2), {"padding": -1}), ((C[:, :0], 3, 2), {}),
            ((C[:, :, :0], 3, 2), {}), ((C, 3.0, 2), {}), ((C.astype(int), 3, 2), {})]


@pytest.mark.parametrize("args, options", BAD_FOLD)
def test_fold_refuses(args, options):
    both_raise(F.fold, T.fold, *args, match="fold", **options)

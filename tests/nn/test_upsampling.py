"""Finer grids and self-attention: what they compute, how they start, and torch twins."""

import numpy as np
import pytest
import torch
from against_torch import agree, host
from hypothesis import given
from hypothesis import strategies as st
from models import unet_twins
from models.imagenet_parity import handed_over, same_gradients, same_layout

import minilearn as ml
from minilearn import nn
from minilearn.errors import ShapeError

NORMS = [None, "weight", "spectral", "batch"]


def image(*shape):
    return np.random.default_rng(0).standard_normal(shape)


# ---------------------------------------------------------------- shuffle, resize, blur


@given(st.sampled_from(NORMS), st.integers(2, 3), st.integers(1, 3), st.integers(1, 3))
def test_a_shuffle_starts_as_nearest_neighbours(norm, scale, ni, nf):
    """Under weight norm too, where the course's library loses it."""
    layers = nn.PixelShuffleICNR(ni, nf, scale, norm=norm)
    x = ml.tensor(image(2, ni, 3, 4).astype("float32"))
    y = host(layers(x))
    assert y.shape == (2, nf, 3 * scale, 4 * scale) and y.any()
    corners = y[:, :, ::scale, ::scale]
    np.testing.assert_allclose(y, corners.repeat(scale, 2).repeat(scale, 3), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("norm", NORMS)
def test_the_kernels_behind_one_output_are_equal_and_drawn_anew(norm):
    conv = nn.PixelShuffleICNR(5, 3, norm=norm)[0][0]
    weight = host(conv.weight)[:, :, 0, 0]
    groups = weight.reshape(3, 4, 5)
    np.testing.assert_allclose(groups, groups[:, :1].repeat(4, 1), rtol=1e-6)
    assert np.unique(groups[:, 0]).size == 15


def test_weight_norm_starts_with_the_lengths_of_the_rows():
    conv = nn.PixelShuffleICNR(5, 3, norm="weight")[0][0]
    g, v = (host(p)[:, :, 0, 0] for p in conv.parametrizations.weight.originals())
    np.testing.assert_allclose(g[:, 0], np.sqrt((v**2).sum(1)), rtol=1e-6)
    np.testing.assert_allclose(host(conv.weight)[:, :, 0, 0], v, rtol=1e-6)


def test_a_blur_averages_with_above_and_left():
    x = np.array([[[[4.0, 0, 8], [0, 4, 0]]]])
    assert host(nn.Blur()(ml.tensor(x))).tolist() == [[[[4, 2, 4], [2, 2, 3]]]]
    agree(nn.Blur(), unet_twins.blurred(), image(2, 3, 4, 5))


@pytest.mark.parametrize("options", [{}, {"blur": True}, {"leaky": 0.2}, {"norm": "batch"}])
def test_a_shuffle_is_its_twin(options):
    norm = options.get("norm", "weight")
    twin = unet_twins.up("shuffle", 6, 3, options.get("blur", False), norm, options.get("leaky"))
    ours = nn.PixelShuffleICNR(6, 3, **options).double()
    same_layout(ours, twin.double())
    handed_over(ours, twin)
    same_gradients(ours, twin, (2, 6, 3, 4))


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_resize_and_convolve_is_its_twin(mode):
    ours = nn.ResizeConv(4, 3, mode=mode, norm="batch").double()
    twin = unet_twins.up(mode, 4, 3, False, "batch", None).double()
    handed_over(ours, twin)
    same_gradients(ours, twin, (2, 4, 3, 5))


def test_resize_conv_arguments():
    assert nn.ResizeConv(4, 3, 3, ks=1)(ml.ones(1, 4, 2, 5)).shape == (1, 3, 6, 15)
    with pytest.raises(ValueError, match='"nearest" or "bilinear"'):
        nn.ResizeConv(4, 3, mode="bicubic")


def test_parts_of_blocks_are_plain_containers():
    up = nn.PixelShuffleICNR(4)
    assert type(up[:2]) is nn.Sequential and up[:2][0] is up[0]
    assert type(nn.SequentialEx(nn.ReLU(), nn.MergeLayer())[1:]) is nn.SequentialEx


# ---------------------------------------------------------------- attention


@given(st.sampled_from([(2, 8, 3, 4), (1, 16, 5), (2, 3, 2, 2), (1, 9, 1, 1)]), st.booleans())
def test_self_attention_is_its_twin(shape, train):
    torch.manual_seed(0)
    twin = unet_twins.Attention(shape[1]).double()
    twin.gamma.data.fill_(0.6)
    ours = nn.SelfAttention(shape[1]).double()
    same_layout(ours, twin)
    handed_over(ours, twin)
    same_gradients(ours, twin, shape, train)


def test_self_attention_to_second_order():
    ours, twin = nn.SelfAttention(8).double().eval(), unet_twins.Attention(8).double().eval()
    twin.gamma.data.fill_(0.6)
    handed_over(ours, twin)
    agree(ours, twin, image(1, 8, 2, 3))


@pytest.mark.parametrize("kind", [nn.SelfAttention, nn.PooledSelfAttention2d])
def test_attention_starts_as_the_identity(kind):
    layer, x = kind(16), ml.tensor(image(2, 16, 4, 6).astype("float32"))
    assert np.array_equal(host(layer(x)), host(x))
    layer.gamma.data = layer.gamma.data + 1
    assert not np.allclose(host(layer(x)), host(x), atol=1e-3)
    assert f"{kind.__name__}(\n  16" in repr(layer)


def test_pooled_attention_is_the_formula():
    layer, x = nn.PooledSelfAttention2d(8).double().eval(), image(2, 8, 4, 6)
    layer.gamma.data = layer.gamma.data + 0.5

    def formula(t):
        w = {n: torch.tensor(host(getattr(layer, n).weight)) for n in ("query", "key", "value",
                                                                       "out")}
        q = torch.conv2d(t, w["query"]).flatten(2)
        k, v = (torch.max_pool2d(torch.conv2d(t, w[n]), 2).flatten(2) for n in ("key", "value"))
        weights = torch.softmax(torch.einsum("ncq,nck->nqk", q, k), -1)
        found = torch.einsum("nqk,nck->ncq", weights, v).reshape(2, 4, 4, 6)
        return 0.5 * torch.conv2d(found, w["out"]) + t

    agree(layer, formula, x)


@pytest.mark.parametrize("kind, shape", [
    (nn.SelfAttention, (2, 8)), (nn.SelfAttention, (2, 7, 3)),
    (nn.PooledSelfAttention2d, (2, 8, 5)), (nn.PooledSelfAttention2d, (2, 7, 4, 4)),
])
def test_attention_refuses_other_shapes(kind, shape):
    with pytest.raises(ShapeError, match="n_channels=8"):
        kind(8)(ml.ones(*shape))


def test_a_conv_layer_can_attend():
    layer = nn.conv_layer(3, 8, self_attention=True)
    assert [type(part).__name__ for part in layer] == ["Conv2d", "ReLU", "BatchNorm2d",
                                                       "SelfAttention"]
    assert (host(nn.conv_layer(2, 3, init_weight=nn.init.ones_)[0].weight) == 1).all()

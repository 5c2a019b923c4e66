"""The style net: the paper's sizes, a torch twin, pictures of any size."""

import numpy as np
import pytest
import torch
from against_torch import host
from hypothesis import given
from hypothesis import strategies as st
from models.imagenet_parity import handed_over, same_gradients, same_layout
from torch import nn as tnn

import minilearn as ml
from minilearn import models, nn
from minilearn.errors import ShapeError


class TwinBlock(tnn.Module):
    def __init__(self, nf, norm):
        super().__init__()
        self.layers = tnn.Sequential(tnn.Conv2d(nf, nf, 3), norm(nf), tnn.ReLU(),
                                     tnn.Conv2d(nf, nf, 3), norm(nf))

    def forward(self, x):
        return x[..., 2:-2, 2:-2] + self.layers(x)


class Twin(tnn.Module):
    def __init__(self, widths, blocks, norm):
        super().__init__()
        a, b, c = widths
        kind = {"batch": tnn.BatchNorm2d,
                "instance": lambda nf: tnn.InstanceNorm2d(nf, affine=True)}[norm]

        def up(ni, nf):
            return tnn.ConvTranspose2d(ni, nf, 3, 2, 1, 1)

        self.layers = tnn.Sequential(
            tnn.Conv2d(3, a, 9, 1, 4), kind(a), tnn.ReLU(),
            tnn.Conv2d(a, b, 3, 2, 1), kind(b), tnn.ReLU(),
            tnn.Conv2d(b, c, 3, 2, 1), kind(c), tnn.ReLU(),
            *(TwinBlock(c, kind) for _ in range(blocks)),
            up(c, b), kind(b), tnn.ReLU(), up(b, a), kind(a), tnn.ReLU(),
            tnn.Conv2d(a, 3, 9, 1, 4), tnn.Tanh())
        self.frame = 8 * blocks

    def forward(self, x):
        h, w = x.shape[2:]
        y = self.layers(tnn.functional.pad(x, (self.frame,) * 4, mode="reflect"))
        return y[..., :h, :w] * 150 / 255 + 0.5


def pair(norm="instance", blocks=1):
    torch.manual_seed(0)
    twin = Twin((3, 4, 5), blocks, norm).double()
    net = models.style_net((3, 4, 5), blocks, norm).double()
    same_layout(net, twin)
    handed_over(net, twin)
    return net, twin


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("train", [True, False])
def test_outputs_and_gradients_are_the_twin_s(norm, train):
    same_gradients(*pair(norm), (2, 3, 12, 13), train)


@given(st.integers(9, 22), st.integers(9, 22))
def test_any_size_above_the_frame(h, w):
    net = models.style_net((2, 2, 3), blocks=1)
    y = net(ml.rand(1, 3, h, w))
    assert y.shape == (1, 3, h, w)
    assert abs(host(y) - 0.5).max() <= 150 / 255


def test_the_paper_s_net():
    with nn.init.skipped():
        net = models.style_net()
    assert sum(p.numel() for p in net.parameters()) == 1_679_235
    assert net.frame == 40
    kinds = [type(layer).__name__ for layer in net.layers]
    assert kinds.count("StyleBlock") == 5 and kinds[-2:] == ["Conv2d", "Tanh"]
    assert nn.output_sizes(net, (64, 48)) == [(1, 3, 64, 48)]  # the frame is eaten up


def test_the_frame_leaves_no_border():
    """On one colour all over, every pixel of the result is the same: no padding shows."""
    net = models.style_net((2, 3, 4), blocks=2, norm="batch", upsample="nearest").eval()
    y = host(net(ml.full((1, 3, 33, 36), 0.4)))
    inner = y[:, :, 12:-12, 12:-12]
    assert abs(inner - inner[:, :, :1, :1]).max() < 1e-5


def test_a_scale_starts_between_0_and_1():
    scale = host(models.style_net().layers[1].weight)
    assert (scale >= 0).all() and (scale < 1).all() and scale.std() > 0.15
    assert (host(models.style_net(norm="batch").layers[1].weight) == 1).all()


def test_it_learns_from_a_style_loss():
    ml.manual_seed(0)
    vgg = models.named_layers(models.small_vgg(2, (4, 6), 1).features)
    net = models.style_net((2, 3, 4), blocks=1)
    loss = models.StyleLoss(vgg, ml.rand(1, 3, 16, 16))
    assert isinstance(net, models.StyleNet)
    x = ml.rand(2, 3, 16, 16)
    adam = ml.optim.Adam(net.parameters(), lr=1e-2)
    values = []
    for _ in range(15):
        value = loss(net(x), x)
        adam.zero_grad()
        value.backward()
        adam.step()
        values.append(value.item())
    assert np.isfinite(values).all() and values[-1] < 0.8 * values[0]


@pytest.mark.parametrize("options", [{"norm": "layer"}, {"upsample": "shuffle"}])
def test_other_options_are_refused(options):
    with pytest.raises(ValueError, match="norm must be one of instance, batch and upsample"):
        models.style_net(**options)


def test_small_pictures_are_refused():
    with pytest.raises(ShapeError, match="above 40.*enlarge the picture"):
        models.style_net()(ml.ones(1, 3, 40, 64))

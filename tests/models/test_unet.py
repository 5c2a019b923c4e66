"""The U-Net: the lesson's sizes, a torch twin for every option, and what happens at the edges."""

import copy
import gc
import pickle
import resource

import numpy as np
import pytest
import torch
from against_torch import host
from hypothesis import given, settings
from hypothesis import strategies as st
from models import torchvision_twins, unet_twins
from models.imagenet_parity import handed_over, same_gradients, same_layout

import minilearn as ml
from minilearn import models, nn
from minilearn.models.resnet_imagenet import stage
from minilearn.models.unet import crossings


def count(model):
    return sum(p.numel() for p in model.parameters())


# ---------------------------------------------------------------- the lesson's nets

LESSON = {
    41_229_213: {"n_out": 3, "norm": "weight", "blur": True},
    41_413_534: {"n_out": 3, "norm": "weight", "blur": True, "self_attention": True,
                 "y_range": (-3, 3)},
    41_133_018: {"n_out": 12, "bottle": True},
}


@pytest.mark.parametrize("parameters", LESSON)
def test_parameter_counts_of_the_lesson(parameters):
    with nn.init.skipped():
        net = models.unet(models.resnet34(init_weights=False), **LESSON[parameters])
    assert count(net) == parameters
    assert count(net[0]) == 21_284_672


def test_the_lesson_s_table():
    """Channels and grids of every step at 128 pixels, as in the course's printout."""
    with nn.init.skipped():
        net = models.unet(models.resnet34(init_weights=False), 3, norm="weight", blur=True)
    shapes = [shape[1:] for shape in nn.output_sizes(net, (128, 128))]
    assert shapes == [
        (512, 4, 4), (512, 4, 4), (512, 4, 4), (512, 4, 4),  # encoder, norm, ReLU, middle
        (512, 8, 8), (384, 16, 16), (256, 32, 32), (96, 64, 64),  # blocks
        (96, 128, 128), (96, 128, 128), (99, 128, 128), (99, 128, 128), (3, 128, 128)]
    assert [block.up[0][0].weight.shape[0] for block in net[4:8]] == [1024, 1024, 768, 512]
    assert [block.conv1[0].weight.shape[:2] for block in net[4:8]] == [
        (512, 512), (384, 384), (256, 256), (96, 192)]
    assert [len(group) for group in net.layer_groups()] == [6, 2, 12]


def test_self_attention_sits_at_an_eighth():
    with nn.init.skipped():
        net = models.unet(models.resnet34(init_weights=False), 3, self_attention=True)
    kinds = [[type(m).__name__ for m in block.conv2] for block in net[4:8]]
    assert ["SelfAttention" in kind for kind in kinds] == [False, True, False, False]
    assert net[5].conv2[-1].n_channels == 384


@pytest.mark.slow
def test_the_full_net_takes_a_step_within_8_gib():
    ml.manual_seed(0)
    net = models.unet(models.resnet34(), 3, norm="weight", blur=True)
    x = ml.randn(1, 3, 128, 128)
    before = [host(p).copy() for p in (net[0][0].weight, net[-1][0].bias)]
    nn.functional.l1_loss(net(x), ml.zeros(1, 3, 128, 128)).backward()
    assert all(p.grad is not None and np.isfinite(host(p.grad)).all() for p in net.parameters())
    assert np.array_equal(host(net[0][0].weight), before[0])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak {peak:.1f} GiB")
    assert peak < 8


# ---------------------------------------------------------------- against torch

OPTIONS = {
    "plain": {},
    "lesson": {"norm": "weight", "blur": True, "self_attention": True, "y_range": (-3.0, 3.0)},
    "segmentation": {"n_out": 5, "bottle": True},
    "spectral": {"norm": "spectral", "leaky": 0.2, "blur": True, "blur_final": False},
    "batch": {"norm": "batch", "last_cross": False},
    "nearest": {"upsample": "nearest", "residual": True},
    "bilinear": {"upsample": "bilinear", "skips": False, "blur": True},
    "transposed": {"upsample": "transposed", "norm": "batch"},
    "transposed spectral": {"upsample": "transposed", "norm": "spectral"},
}


def our_stem_encoder(a=4, b=6, c=8):
    conv = nn.Conv2d(3, a, 7, 2, 3, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(a), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
                         stage(a, a, 1, 1), stage(a, b, 1, 2), stage(b, c, 1, 2))


def pair(kind, size=(32, 32), seed=0, **options):
    """Our net and its twin with the same unsettled weights, in float64."""
    torch.manual_seed(seed)
    thin = (4, 6, 8)
    encoder, known = getattr(unet_twins, f"{kind}_encoder")()
    twin = torchvision_twins.unsettle(unet_twins.UNet(encoder, **known, **options), seed)
    for name, parameter in twin.named_parameters():
        if name.endswith("gamma"):  # or the attention would not be looked at
            parameter.data.fill_(0.7)
    ours = models.unet(models.small_encoder(thin) if kind == "small" else our_stem_encoder(*thin),
                       size=size, **options)
    same_layout(ours.double(), twin.double())
    handed_over(ours, twin)
    return ours, twin


@pytest.mark.parametrize("kind", ["small", "stem"])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_outputs_gradients_and_statistics_are_the_twin_s(kind, options):
    ours, twin = pair(kind, **options)
    same_gradients(ours, twin, (2, 3, 20, 24))
    for (name, mine), its in zip(ours.named_buffers(), twin.buffers(), strict=True):
        np.testing.assert_allclose(host(mine), host(its), rtol=1e-9, atol=1e-12, err_msg=name)
    same_gradients(*pair(kind, seed=1, **options), (1, 3, 20, 24), train=False)


@settings(max_examples=15)
@given(kind=st.sampled_from(["small", "stem"]), h=st.integers(9, 40), w=st.integers(9, 40),
       built=st.integers(9, 40))
def test_any_size_whatever_the_net_was_built_with(kind, h, w, built):
    ours, twin = pair(kind, size=(built, built + 1))
    image = np.random.default_rng(h).standard_normal((1, 3, h, w))
    with ml.no_grad(), torch.no_grad():
        got, want = ours.eval()(ml.tensor(image)), twin.eval()(torch.tensor(image))
    assert got.shape == (1, 3, h, w)
    np.testing.assert_allclose(host(got), want.numpy(), rtol=1e-9, atol=1e-10)


# ---------------------------------------------------------------- any encoder


@pytest.mark.parametrize("encoder, groups", [
    (lambda: models.resnet18(init_weights=False), [6, 2]),
    (lambda: models.vgg11(init_weights=False), [10, 11]),
    (lambda: models.vgg16_bn(init_weights=False), [23, 21]),
    (lambda: models.resnet(3), [4, 4]),
    (lambda: models.small_encoder((4, 8, 8, 8)), [4, 4]),
], ids=["resnet18", "vgg11", "vgg16_bn", "digits", "small"])
def test_encoders(encoder, groups):
    with nn.init.skipped():
        net = models.unet(encoder(), 2, size=(64, 64))
    with ml.no_grad():
        assert net.eval()(ml.randn(1, 3, 40, 35)).shape == (1, 2, 40, 35)
    assert [len(group) for group in net.layer_groups()[:2]] == groups
    whole = [p for group in net.layer_groups() for layer in group for p in layer.parameters()]
    assert len(set(whole)) == len(whole) == len(list(net.parameters()))


def test_a_gray_encoder_and_the_encoder_is_not_copied():
    encoder = models.resnet()[:8]
    net = models.unet(encoder, 1, size=(28, 28), last_cross=False)
    assert net(ml.ones(2, 1, 28, 28)).shape == (2, 1, 28, 28)
    assert net[0][0][0].weight is encoder[0][0].weight


def test_what_encoder_of_leaves_out():
    assert len(models.encoder_of(models.resnet18(init_weights=False))) == 8
    assert len(models.encoder_of(models.resnet())) == 8  # without the scores and Flatten
    assert len(models.encoder_of(models.resnet(), cut=4)) == 4
    cnn = nn.Sequential(nn.conv_layer(3, 4), nn.PoolFlatten())
    assert len(models.encoder_of(cnn)) == 1
    with pytest.raises(ValueError, match="nothing is left of Sequential with cut=0"):
        models.encoder_of(cnn, cut=0)
    with pytest.raises(ValueError, match="nothing is left of Linear"):
        models.encoder_of(nn.Linear(2, 2))


def test_where_the_grid_changes():
    assert crossings([(1, 2, 8, 8), (1, 3, 8, 8), (1, 3, 8, 4), (1, 3, 4, 2)]) == [2, 1]


# ---------------------------------------------------------------- what it promises


def small(**options):
    ml.manual_seed(1)
    return models.unet(models.small_encoder((4, 6, 8)), **options)


def test_residual_starts_as_the_identity_and_y_range_holds():
    x = 5 * ml.randn(2, 3, 16, 16)
    assert np.array_equal(host(small(residual=True)(x)), host(x))
    y = host(small(y_range=(-3, 3))(20 * x))
    assert (abs(y) <= 3).all() and abs(y).max() > 2


def test_nothing_of_the_last_batch_stays_in_memory():
    net = small()
    net(ml.ones(1, 3, 16, 16))
    assert net.skips.stored == [None, None]
    with pytest.raises(ValueError, match="conv2d"):
        net(ml.ones(1, 4, 16, 16))
    assert net.skips.stored == [None, None]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))],
                         ids=["copy", "pickle"])
def test_a_copy_has_hooks_of_its_own(copied):
    net = small(self_attention=True, norm="weight")
    other = copied(net)
    x = ml.randn(2, 3, 16, 16)
    assert np.array_equal(host(net.eval()(x)), host(other.eval()(x)))
    for p in net.parameters():
        p.data = p.data * 0
    del net
    gc.collect()
    assert host(other(x)).any()
    assert other[4].skips is other.skips and other.skips.modules[0] is other[0][3]


def test_building_draws_the_same_weights_whatever_the_size():
    nets = []
    for size in ((32, 32), (48, 40)):
        ml.manual_seed(3)
        nets.append(models.unet(models.small_encoder((4, 6, 8)), size=size))
    for a, b in zip(*(net.parameters() for net in nets), strict=True):
        assert np.array_equal(host(a), host(b))


def test_first_values():
    net = small(norm="weight")
    assert (host(net[1].bias) == np.float32(1e-3)).all() and (host(net[4].bn.weight) == 1).all()
    x = net[4].up(ml.randn(1, 8, 4, 4))  # shuffled pixels start as nearest neighbours
    assert np.array_equal(host(x[:, :, ::2, ::2]), host(x[:, :, 1::2, 1::2]))


@pytest.mark.parametrize("options, said", [
    ({"norm": "layer"}, "norm must be one of"),
    ({"norm": "batch_zero"}, "norm must be one of"),
    ({"upsample": "cubic"}, "upsample must be one of"),
    ({"residual": True, "n_out": 2}, "n_out must be 3"),
    ({"residual": True, "y_range": (0, 1)}, "y_range None"),
])
def test_options_that_do_not_fit(options, said):
    with pytest.raises(ValueError, match=said):
        small(**options)


def test_other_bad_input():
    with pytest.raises(TypeError, match="pretrained"):
        small(pretrained=True)
    with pytest.raises(ValueError, match="makes the image smaller"):
        models.unet(nn.Sequential(nn.conv_layer(3, 4), nn.conv_layer(4, 4)))
    with pytest.raises(ValueError, match="in_channels: Sequential has no convolution"):
        models.unet(nn.Sequential(nn.Sequential(nn.Linear(3, 2))))


@pytest.mark.parametrize("stride, side", [(1, 8), (2, 4)])
def test_the_stride_of_a_small_encoder(stride, side):
    encoder = models.small_encoder((4, 6), stride=stride)
    assert encoder(ml.ones(1, 3, 16, 16)).shape == (1, 6, side, side)
    assert models.unet(encoder, 5)(ml.ones(1, 3, 17, 12)).shape == (1, 5, 17, 12)

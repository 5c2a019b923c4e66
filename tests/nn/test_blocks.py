"""The lesson's blocks."""

import numpy as np
import pytest
import torch

import minilearn as ml
from minilearn import nn, xp


def data(*shape):
    return ml.tensor(np.random.default_rng(0).standard_normal(shape).astype("float32"))


def kinds(model):
    return [type(m).__name__ for m in model]


@pytest.mark.parametrize("options, layers, bias", [
    ({}, ["Conv2d", "ReLU", "BatchNorm2d"], False),
    ({"use_activ": False}, ["Conv2d", "BatchNorm2d"], False),
    ({"norm": None}, ["Conv2d", "ReLU"], True),
    ({"norm": "weight"}, ["ParametrizedConv2d", "ReLU"], True),
    ({"norm": "spectral", "leaky": 0.2}, ["ParametrizedConv2d", "LeakyReLU"], True),
    ({"is_1d": True}, ["Conv1d", "ReLU", "BatchNorm1d"], False),
    ({"transpose": True}, ["ConvTranspose2d", "ReLU", "BatchNorm2d"], False),
    ({"transpose": True, "is_1d": True, "bias": True},
     ["ConvTranspose1d", "ReLU", "BatchNorm1d"], True),
])
def test_conv_layer_is_convolution_activation_norm(options, layers, bias):
    layer = nn.conv_layer(2, 4, **options)
    assert kinds(layer) == layers and (layer[0].bias is not None) == bias
    padding = 0 if options.get("transpose") else 1
    assert layer[0].padding == (padding,) * (1 if "is_1d" in options else 2)
    if bias:
        assert not xp.to_numpy(layer[0].bias.data).any()
    size = (3, 2, 5) if "is_1d" in options else (3, 2, 5, 5)
    assert layer(data(*size)).shape[:2] == (3, 4)


def test_conv_layer_arguments():
    layer = nn.conv_layer(2, 4, 5, stride=2)
    assert (layer[0].kernel_size, layer[0].stride, layer[0].padding) == ((5, 5), (2, 2), (2, 2))
    zero = nn.conv_layer(2, 4, norm="batch_zero")[2]
    assert zero.weight.tolist() == [0, 0, 0, 0]
    ml.manual_seed(0)
    values = xp.to_numpy(nn.conv_layer(16, 64)[0].weight.data)
    assert abs(values.std() / (2 / 144) ** 0.5 - 1) < 0.03  # Kaiming normal
    with pytest.raises(ValueError, match="norm"):
        nn.conv_layer(2, 4, norm="layer")
    with pytest.raises(TypeError):
        nn.conv_layer(2, 4, dilate=2)


def test_res_block_adds_its_input_and_has_no_final_activation():
    block, x = nn.res_block(4), data(2, 4, 5, 5)
    inner = block[1](block[0](x))
    assert np.allclose(xp.to_numpy((inner + x).data), xp.to_numpy(block(x).data), rtol=1e-6)
    assert kinds(block) == ["Sequential", "Sequential", "MergeLayer"]
    assert sum(p.numel() for p in block.parameters()) == 2 * (4 * 4 * 9 + 8)
    assert nn.res_block(4, norm="batch_zero")(x).tolist() == x.tolist()
    assert nn.res_block(4, dense=True)(x).shape == (2, 8, 5, 5)
    assert nn.res_block(4, bottle=True)[0][0].out_channels == 2
    assert block[0][2].weight.tolist() == block[1][2].weight.tolist() == [1] * 4


def test_merge_layer_puts_the_result_first():
    a, b = data(1, 2, 3), data(1, 1, 3) + 1
    merged = nn.MergeLayer(dense=True)(a, b)
    assert merged.tolist() == [a.tolist()[0] + b.tolist()[0]]
    block = nn.SequentialEx(nn.Lambda(lambda x: x * 2), nn.MergeLayer())
    assert block(a).tolist() == (a * 3).tolist()


def test_a_res_block_keeps_torchs_weights():
    """The twin that the training parity is measured against."""
    theirs = torch.nn.ModuleList([
        torch.nn.Sequential(torch.nn.Conv2d(3, 3, 3, padding=1, bias=False), torch.nn.ReLU(),
                            torch.nn.BatchNorm2d(3)) for _ in range(2)])
    ours = nn.res_block(3)
    ours.load_state_dict(theirs.state_dict())
    x = data(2, 3, 4, 4)
    t = torch.tensor(xp.to_numpy(x.data))
    want = (theirs[1](theirs[0](t)) + t).detach().numpy()
    assert np.allclose(xp.to_numpy(ours(x).data), want, atol=1e-5)


def test_pooling_blocks():
    x = data(2, 3, 4, 5)
    flat = xp.to_numpy(nn.PoolFlatten()(x).data)
    assert np.allclose(flat, xp.to_numpy(x.data).mean((2, 3)), atol=1e-6)
    both = xp.to_numpy(nn.AdaptiveConcatPool2d()(x).data)
    assert both.shape == (2, 6, 1, 1)
    assert np.allclose(both[:, :3, 0, 0], xp.to_numpy(x.data).max((2, 3)))
    assert np.allclose(both[:, 3:, 0, 0], flat)
    assert nn.AdaptiveConcatPool2d(2)(x).shape == (2, 6, 2, 2)


def test_batch_norm_of_the_last_dimension():
    x = data(2, 5, 3)
    theirs = torch.nn.BatchNorm1d(3)(torch.tensor(xp.to_numpy(x.data)).reshape(-1, 3))
    got = nn.BatchNorm1dFlat(3)(x)
    assert got.shape == (2, 5, 3)
    assert np.allclose(xp.to_numpy(got.data).reshape(-1, 3), theirs.detach().numpy(), atol=1e-5)


def test_bn_drop_lin_and_sigmoid_range():
    assert kinds(nn.bn_drop_lin(3, 2, p=0.1, actn=nn.ReLU())) == [
        "BatchNorm1d", "Dropout", "Linear", "ReLU"]
    assert kinds(nn.bn_drop_lin(3, 2, bn=False)) == ["Linear"]
    y = nn.SigmoidRange(-3, 3)(ml.tensor([-100.0, 0.0, 100.0]))
    assert y.tolist() == [-3, 0, 3]
    assert nn.sigmoid_range(ml.tensor([0.0]), 1, 2).tolist() == [1.5]


def test_init_default_sets_weight_and_bias():
    layer = nn.Conv2d(2, 3, 3)
    assert nn.init_default(layer, nn.init.ones_) is layer
    assert (layer.weight == 1).all() and (layer.bias == 0).all()

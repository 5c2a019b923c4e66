"""VGG: torchvision's sizes and names, the outputs and gradients of a twin, and feature losses."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from against_torch import host
from models import torchvision_twins
from models.imagenet_parity import handed_over, same_gradients, same_layout, same_outputs

import minilearn as ml
from minilearn import models, nn, weights
from minilearn.models import activations, last_of_each_grid, named_layers, small_vgg, vgg
from minilearn.models.vgg import feature_stack

COUNTS = {  # torchvision's
    "vgg11": 132_863_336, "vgg13": 133_047_848, "vgg16": 138_357_544, "vgg19": 143_667_240,
    "vgg11_bn": 132_868_840, "vgg13_bn": 133_053_736, "vgg16_bn": 138_365_992,
    "vgg19_bn": 143_678_248,
}


def count(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", COUNTS)
def test_names_shapes_and_parameter_counts(name):
    ours = getattr(models, name)(init_weights=False)
    assert count(ours) == COUNTS[name]
    assert getattr(models, name).__name__ == name
    with torch.device("meta"):  # a twin without memory
        depth, _, bn = name.removeprefix("vgg").partition("_")
        same_layout(ours, torchvision_twins.VGG(int(depth), bool(bn)))


def test_the_lesson_s_feature_stack():
    with nn.init.skipped():
        assert count(feature_stack(16, batch_norm=True)) == 14_723_136


@pytest.fixture(scope="module", params=[(11, False), (16, True)], ids=["vgg11", "vgg16_bn"])
def pair(request):
    """A model and its twin, both with a hidden layer of 6 instead of 4096."""
    depth, batch_norm = request.param
    torch.manual_seed(0)
    twin = torchvision_twins.VGG(depth, batch_norm, 5, hidden=6)
    with nn.init.skipped():
        features = feature_stack(depth, batch_norm)
    ours = models.VGG(features, 5, init_weights=False)
    for i, sizes in ((0, (512 * 7 * 7, 6)), (3, (6, 6)), (6, (6, 5))):
        ours.classifier[i] = nn.Linear(*sizes)
    handed_over(ours, torchvision_twins.unsettle(twin))
    return ours, twin


def test_outputs_in_evaluation(pair):
    same_outputs(*pair, (2, 3, 64, 33), 2e-5)


def test_outputs_and_statistics_in_training(pair):
    """Dropout is left out: the two sides draw different masks."""
    ours, twin = pair
    same_outputs(ours.features, twin.features, (3, 3, 64, 64), 1e-4, train=True)


def test_dropout_acts_in_training_only(pair):
    ours, x = pair[0].train(), ml.ones(1, 3, 32, 32)
    with ml.no_grad():
        ml.manual_seed(0)
        drawn = {tuple(ours(x).tolist()[0]) for _ in range(8)}
        ours.eval()
        assert len(drawn) > 1 and ours(x).tolist() == ours(x).tolist()


@pytest.mark.parametrize("train", [True, False])
def test_gradients_of_a_slice(train):
    """Up to relu3_3 of VGG-16-BN, as a feature loss takes it, in float64."""
    torch.manual_seed(1)
    twin = torchvision_twins.unsettle(torchvision_twins.features(16, True)[:23])
    for layer in twin:  # ReLU in place would change what the gradient needs of a sliced net's input
        layer.inplace = False
    with nn.init.skipped():
        ours = feature_stack(16, True)[:23]
    handed_over(ours, twin)
    same_gradients(ours, twin, (2, 3, 18, 16), train)


# ---------------------------------------------------------------- first values


def test_first_values_of_convolutions():
    ml.manual_seed(0)
    net = nn.Sequential(*feature_stack(11, True)[:4])
    net.apply(vgg._draw)
    conv, bn = net[0], net[1]
    assert host(conv.weight).std() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.05)
    assert not host(conv.bias).any() and (host(bn.weight) == 1).all()


def test_first_values_of_the_classifier(monkeypatch):
    """N(0, 0.01) for every linear layer; 102 million numbers are not drawn for this test."""
    drawn = []
    monkeypatch.setattr(nn.init, "normal_", lambda w, mean, std: drawn.append((w.shape, mean, std)))
    net = models.VGG(nn.Identity(), num_classes=2)
    shapes = [(4096, 512 * 7 * 7), (4096, 4096), (2, 4096)]
    assert drawn == [(shape, 0, 0.01) for shape in shapes]
    assert not any(host(net.classifier[i].bias).any() for i in (0, 3, 6))


def test_blank_weights_are_zero_and_drawing_goes_on():
    net = models.vgg11(init_weights=False, num_classes=3)
    assert not host(net.features[0].weight).any() and not host(net.classifier[6].weight).any()
    assert host(nn.Linear(2, 2).weight).all()


@pytest.mark.parametrize("wrong", [12, "16", None])
def test_other_depths_are_refused(wrong):
    with pytest.raises(ValueError, match="11, 13, 16, 19"):
        feature_stack(wrong)


def test_unknown_arguments_are_refused():
    with pytest.raises(TypeError, match="pretrained"):
        models.vgg16(pretrained=True)


# ---------------------------------------------------------------- for feature losses


def test_names_of_the_paper():
    with nn.init.skipped():
        names = [name for name, _ in named_layers(feature_stack(16, True)).named_children()]
    assert names[:8] == ["conv1_1", "bn1_1", "relu1_1", "conv1_2", "bn1_2", "relu1_2", "pool1",
                         "conv2_1"]
    assert names[-1] == "pool5" and len(names) == len(set(names)) == 44


@pytest.mark.parametrize("end, names", [
    (None, ["relu1_1", "relu2_1", "relu3_2", "relu4_2", "relu5_2"]),  # the net ends in a pool
    (10, ["relu1_1", "relu2_1", "relu3_2"]),
])
def test_one_layer_for_each_grid(end, names):
    with nn.init.skipped():
        layers = named_layers(feature_stack(11)[:end])
    assert last_of_each_grid(layers) == names


def test_the_lesson_s_indices():
    """The layers before the pools of VGG-16-BN are at 5, 12, 22, 32 and 42."""
    with nn.init.skipped():
        layers = named_layers(feature_stack(16, True))
    names = list(dict(layers.named_children()))
    assert [names.index(name) for name in last_of_each_grid(layers)] == [5, 12, 22, 32, 42]


def test_a_small_vgg():
    net = small_vgg(7, widths=(4, 6, 8), convs=1)
    assert net(ml.ones(2, 3, 16, 24)).shape == (2, 7)
    assert last_of_each_grid(named_layers(net.features)) == ["relu1_1", "relu2_1", "relu3_1"]
    assert net.features(ml.ones(1, 3, 16, 24)).shape == (1, 8, 2, 3)
    assert sum(p.numel() for p in small_vgg().parameters()) == 584_874
    std = host(small_vgg().features[0].weight).std()  # Kaiming normal over what goes out
    assert std == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.15)


def test_activations_are_those_of_the_whole_net():
    stack = feature_stack(11)
    layers = named_layers(stack)
    ran = []
    for name, layer in layers.named_children():
        layer.register_forward_hook(lambda m, args, y, name=name: ran.append(name))
    x = ml.randn(2, 3, 16, 16)
    found = activations(layers, x, ["relu2_1", "conv1_1"])
    assert list(found) == ["conv1_1", "relu2_1"] and ran[-1] == "relu2_1"
    assert np.array_equal(host(found["conv1_1"]), host(stack[0](x)))
    assert np.array_equal(host(found["relu2_1"]), host(stack[:5](x)))


def test_a_feature_loss_reaches_the_images():
    layers = named_layers(feature_stack(11)[:5]).requires_grad_(False)
    x = ml.randn(1, 3, 8, 8).requires_grad_()
    found = activations(layers, x, ["relu1_1", "relu2_1"])
    sum(y.square().mean() for y in found.values()).backward()
    assert x.grad.shape == x.shape and host(x.grad).any()
    assert all(p.grad is None for p in layers.parameters())


def test_unknown_layers_are_named():
    with pytest.raises(ValueError, match="conv9_9.*conv1_1"):
        activations(named_layers(feature_stack(11)[:2]), ml.ones(1, 3, 8, 8), ["conv9_9"])


# ---------------------------------------------------------------- the normalised VGG-19

CONVS = {"conv0": (3, 3, 1), "conv1_1": (64, 3, 3), "conv1_2": (64, 64, 3), "conv2_1": (128, 64, 3),
         "conv2_2": (128, 128, 3), "conv3_1": (256, 128, 3)}


def made_up():
    rng = np.random.default_rng(0)
    arrays = {}
    for name, (o, c, k) in CONVS.items():
        arrays[f"{name}_w"] = rng.standard_normal((o, c, k, k)).astype("float32") / (k * c**0.5)
        arrays[f"{name}_b"] = rng.standard_normal(o).astype("float32")
    return arrays


@pytest.mark.parametrize("mode", ["zeros", "reflect"])
def test_normalised_layers(mode):
    """Against the same layers, one after the other, in torch."""
    arrays = made_up()
    net = models.vgg19_normalised(arrays, padding_mode=mode)
    image = np.random.default_rng(1).random((1, 3, 16, 12)).astype("float32")
    with ml.no_grad():
        found = activations(net, ml.tensor(image), ["conv0", *(n for n in RELUS)])
    y = torch.tensor(image)
    for name in CONVS:
        w, b = (torch.tensor(arrays[name + end]) for end in ("_w", "_b"))
        if name == "conv0":
            y = torch.conv2d(y, w, b)
        else:
            how = "constant" if mode == "zeros" else mode
            y = torch.conv2d(torch.nn.functional.pad(y, (1, 1, 1, 1), how), w, b).relu()
        got = host(found[name.replace("conv", "relu") if name != "conv0" else name])
        assert got.shape == tuple(y.shape)
        assert abs(got - y.numpy()).max() <= 1e-5 * y.abs().max()
        if name.endswith("_2"):
            y = torch.nn.functional.max_pool2d(y, 2)


RELUS = [name.replace("conv", "relu") for name in CONVS if name != "conv0"]


def test_everything_wrong_with_the_arrays_is_listed():
    arrays = made_up()
    del arrays["conv2_1_b"]
    arrays["conv1_2_w"] = arrays["conv1_2_w"][1:]
    arrays["conv4_1_w"] = arrays["conv3_1_w"]
    with pytest.raises(RuntimeError) as caught:
        models.vgg19_normalised(arrays)
    for part in ("conv2_1.bias", "conv1_2.weight is (63, 64, 3, 3)", "conv4_1.weight"):
        assert part in str(caught.value)


# mean of each ReLU, and channels 0 to 3 of the last at row 60, column 40: README of the data
REFERENCE = {
    "zeros": ([1.119769, 1.228475, 1.085793, 1.156017, 0.983924], [0.11609, 0, 1.17972, 0]),
    "reflect": ([1.111891, 1.224345, 1.078398, 1.141377, 0.963271], None),
}


@pytest.mark.data
@pytest.mark.parametrize("mode", REFERENCE)
def test_normalised_vgg19_reproduces_the_reference(mode):
    home = Path(os.environ["MINILEARN_DATA"])
    with zipfile.ZipFile(home / "bsds" / "val.zip") as archive, \
            archive.open("val/101085.jpg") as file:
        pixels = np.asarray(pytest.importorskip("PIL.Image").open(file))[:480, :320]
    image = (pixels.astype("float32") / 255).transpose(2, 0, 1)[None]
    arrays = weights.load(home / "weights" / "vgg19_normalised_to_conv3_1.npz")
    net = models.vgg19_normalised(arrays, padding_mode=mode)
    with ml.no_grad():
        found = activations(net, ml.tensor(image), RELUS)
    means, corner = REFERENCE[mode]
    assert [host(y).mean(dtype="float64") for y in found.values()] == pytest.approx(means, abs=1e-4)
    if corner is not None:
        assert host(found["relu3_1"])[0, :4, 60, 40] == pytest.approx(corner, abs=1e-4)

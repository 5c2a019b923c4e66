"""Feature loss, feature distance and style loss: the formulas, the parts, what stays fixed."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as T
from against_torch import agree, host, ours
from models import unet_twins
from models.test_unet_parity import losses

import minilearn as ml
from minilearn import data, models, nn, weights
from minilearn.functional import mse_loss
from minilearn.models.vgg import conv_stages


def net(widths=(4, 6, 8), batch_norm=False):
    ml.manual_seed(0)
    return models.named_layers(conv_stages((1,) * len(widths), widths, batch_norm).double())


def image(seed=0, n=2):
    return np.random.default_rng(seed).random((n, 3, 17, 20))


# ---------------------------------------------------------------- feature loss


@pytest.mark.parametrize("batch_norm", [True, False])
def test_values_and_gradients_are_the_twin_s(batch_norm):
    loss, twin = losses(batch_norm)
    target = image(1)
    agree(lambda x: loss(x, ours(target)), lambda x: twin(x, torch.tensor(target)), image(),
          order=1)
    assert [part.item() for part in loss.parts.values()] == pytest.approx(twin.parts, rel=1e-10)


def test_parts_have_names_and_add_up():
    loss = models.FeatureLoss(net(), gram=7.0)
    assert loss.parts == {} and loss.names == ["relu1_1", "relu2_1", "relu3_1"]
    total = loss(ours(image()), ours(image(1)))
    names = ["pixel", "feat_0", "feat_1", "feat_2", "gram_0", "gram_1", "gram_2"]
    assert list(loss.parts) == loss.part_names == names
    assert sum(part.item() for part in loss.parts.values()) == pytest.approx(total.item())
    assert not any(part.requires_grad for part in loss.parts.values())
    assert loss(ours(image()), ours(image())).item() == 0


def test_the_lesson_s_weights():
    """w = 5, 15, 2 for features; 5000 w^2 for gram matrices: 125,000, 1,125,000 and 20,000."""
    plain = models.FeatureLoss(net(), weights=(1, 1, 1), gram=1)
    course = models.FeatureLoss(net())
    for loss in (plain, course):
        loss(ours(image()), ours(image(1)))
    ratios = [(b / a).item() for a, b in zip(plain.parts.values(), course.parts.values(),
                                             strict=True)]
    assert ratios == pytest.approx([1, 5, 15, 2, 125_000, 1_125_000, 20_000])


def test_options():
    a, b = ours(image()), ours(image(1))
    loss = models.FeatureLoss(net(), ["conv2_1"], [3.0], gram=0, base=mse_loss,
                              before=lambda x: 2 * x)
    layers = net()[:4]
    expected = mse_loss(a, b) + 3 * mse_loss(layers(2 * a), layers(2 * b))
    assert loss(a, b).item() == pytest.approx(expected.item())
    assert loss.part_names == ["pixel", "feat_0"]
    with pytest.raises(ValueError, match="3 weights for the layers conv1_1; give one weight"):
        models.FeatureLoss(net(), ["conv1_1"])
    with pytest.raises(ValueError, match="no layer conv9_9"):
        models.FeatureLoss(net(), ["conv9_9"], [1.0])(a, b)
    with pytest.raises(ValueError, match="shapes must be equal"):
        loss(a, b[:1])


def test_the_net_stays_as_it_is():
    layers = net(batch_norm=True)
    loss = models.FeatureLoss(layers).train()
    state = {name: host(v).copy() for name, v in layers.state_dict().items()}
    x = ours(image(), True)
    loss(x, ours(image(1))).backward()
    assert not loss.training and not any(m.training for m in loss.modules())
    assert not any(p.requires_grad for p in loss.parameters())
    assert host(x.grad).any() and all(p.grad is None for p in loss.parameters())
    assert all(np.array_equal(host(v), state[n]) for n, v in layers.state_dict().items())


def test_targets_get_no_gradient():
    target = ours(image(1), True)
    loss = models.FeatureLoss(net(), gram=0)
    loss(ours(image()), target).backward()
    (pixel,) = ml.grad((ours(image()) - target).abs().mean(), [target])
    np.testing.assert_allclose(host(target.grad), host(pixel))  # only that of the pixels


def test_feature_distance():
    a, b = ours(image()), ours(image(1))
    distance = models.FeatureDistance(net())
    parts = models.FeatureLoss(net(), weights=(1, 1, 1))
    parts(a, b)
    mean = sum(parts.parts[f"feat_{i}"].item() for i in range(3)) / 3
    assert distance(a, b).item() == pytest.approx(mean)
    assert distance(a, a).item() == 0 and distance.__name__ == "feature_distance"
    assert models.FeatureDistance(net(), ["relu1_1"]).names == ["relu1_1"]
    assert len(models.FeatureDistance(net((4, 6))).names) == 2


def test_before_net_gives_pixels_back():
    x = image().astype("float32")
    back = models.before_net(data.IMAGENET)(ml.tensor(data.IMAGENET(x)))
    np.testing.assert_allclose(host(back), x, atol=1e-6)


# ---------------------------------------------------------------- style


def test_the_style_loss_is_the_formula():
    layers, style, content = net((4, 6, 8, 9)), image(2, 1)[:, :, :16, :16], image(1)
    loss = models.StyleLoss(layers, ours(style), tv=1e-3)
    kernels = [(torch.tensor(host(m.weight)), torch.tensor(host(m.bias)))
               for m in layers if isinstance(m, nn.Conv2d)]

    def features(x):
        found = []
        for w, b in kernels:
            x = torch.relu(torch.conv2d(x, w, b, padding=1))
            found.append(x)
            x = torch.max_pool2d(x, 2)
        return found

    def formula(x):
        got, want, model = features(x), features(torch.tensor(content)), features(
            torch.tensor(style))
        parts = T.mse_loss(got[2], want[2])
        for f, s in zip(got, model, strict=True):
            gram = unet_twins.gram(s).expand(len(f), -1, -1)
            parts = parts + 5 * T.mse_loss(unet_twins.gram(f), gram)
        right, down = x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]
        return parts + 1e-3 * 255**2 * (right.square().sum() + down.square().sum()) / (2 * len(x))

    agree(lambda x: loss(x, ours(content)), formula, image())
    assert list(loss.parts) == loss.part_names == ["content", "style_0", "style_1", "style_2",
                                                   "style_3", "tv"]


def test_style_loss_options():
    style = ours(image(1, 1))
    loss = models.StyleLoss(net(), style, ["relu1_1", "relu2_1"], "relu1_1", content_weight=0,
                            style_weight=2, tv=0)
    assert loss(style, style).item() == 0  # the picture itself has its own style
    assert loss(ours(image(n=1)), style).item() > 0
    with pytest.raises(ValueError, match="content='relu3_1' is not among.*relu1_1, relu2_1"):
        models.StyleLoss(net(), style, ["relu1_1", "relu2_1"], "relu3_1")


# ---------------------------------------------------------------- on real weights


@pytest.mark.data
def test_on_the_normalised_vgg_19():
    """A photograph's gram matrices and features change with what an eye sees, not with a shift."""
    path = Path(os.environ["MINILEARN_DATA"]) / "weights" / "vgg19_normalised_to_conv3_1.npz"
    layers = models.vgg19_normalised(weights.load(path))
    loss = models.FeatureLoss(layers, before=models.before_net(data.IMAGENET))
    assert loss.names == ["relu1_2", "relu2_2", "relu3_1"]
    photo = data.to_image(data.photos()[0][0])[None]
    shifted = np.roll(photo, 4, axis=3)
    noisy = photo + np.random.default_rng(0).standard_normal(photo.shape) * 0.1
    x, y, z = (ml.tensor(data.IMAGENET(a.astype("float32"))) for a in (photo, shifted, noisy))
    seen = []
    for other in (y, z):
        loss(x, other)
        seen.append({name: part.item() for name, part in loss.parts.items()})
    assert seen[0]["gram_1"] < 0.2 * seen[1]["gram_1"]
    assert all(np.isfinite(list(parts.values())).all() for parts in seen)

"""The lesson's training, ours and torch's from the same weights: a U-Net under a feature loss."""

import numpy as np
import pytest
import torch
from against_torch import host, ours, theirs
from models import unet_twins
from models.imagenet_parity import handed_over
from models.test_unet import pair

import minilearn as ml
from minilearn import models, nn, optim, xp
from minilearn.functional import psnr
from minilearn.models.vgg import conv_stages

STEPS = 20
ADAM = {"lr": 2e-3, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 1e-3}


def losses(batch_norm=True):
    """Our feature loss and its twin on the same small VGG, in float64."""
    torch.manual_seed(5)
    layers, ni = [], 3
    for nf in (4, 6, 8):
        layers += [torch.nn.Conv2d(ni, nf, 3, padding=1)]
        layers += [torch.nn.BatchNorm2d(nf)] if batch_norm else []
        layers += [torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
        ni = nf
    twin = torch.nn.Sequential(*layers).double()
    for layer in twin:
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(layer.running_var, 0.2, 0.5)
    net = conv_stages((1, 1, 1), (4, 6, 8), batch_norm).double()
    handed_over(net, twin)
    places = [i for i, layer in enumerate(twin) if isinstance(layer, torch.nn.ReLU)]
    weights, gram = (5.0, 15.0, 2.0), 50.0
    return (models.FeatureLoss(models.named_layers(net), weights=weights, gram=gram),
            unet_twins.FeatureLoss(twin, places, weights, gram))


def batch(step):
    rng = np.random.default_rng(step)
    return rng.standard_normal((2, 3, 21, 18)), rng.standard_normal((2, 3, 21, 18))


@pytest.mark.parametrize("kind, options", [
    ("stem", {"norm": "weight", "blur": True, "self_attention": True, "y_range": (-3.0, 3.0)}),
    ("small", {"residual": True, "norm": "spectral"}),
], ids=["lesson", "small"])
def test_twenty_steps_of_unet_and_feature_loss(kind, options):
    net, twin = pair(kind, **options)
    loss, twin_loss = losses()
    adam = optim.AdamW(net.parameters(), **ADAM)
    twin_adam = torch.optim.AdamW(twin.parameters(), **ADAM)
    before = {name: host(value).copy() for name, value in net.named_parameters()}
    for step in range(STEPS):
        x, y = batch(step)
        value, twin_value = loss(net(ours(x)), ours(y)), twin_loss(twin(theirs(x)), theirs(y))
        for own, backward in ((adam, value), (twin_adam, twin_value)):
            own.zero_grad()
            backward.backward()
            own.step()
        assert value.item() == pytest.approx(twin_value.item(), rel=1e-8), step
        parts = [part.item() for part in loss.parts.values()]
        assert parts == pytest.approx(twin_loss.parts, rel=1e-8), step
    moved = [abs(host(value) - before[name]).max() > 1e-3 for name, value in net.named_parameters()]
    assert np.mean(moved) > 0.95  # not quite all: a shift right before batch norm is cancelled
    theirs_after = twin.state_dict()
    for name, value in net.state_dict().items():
        np.testing.assert_allclose(host(value), host(theirs_after[name]), rtol=0, atol=1e-8,
                                   err_msg=name)


def test_the_feature_loss_alone_to_second_order():
    loss, twin_loss = losses(batch_norm=False)
    x, y = batch(0)
    a, b = ours(x, True), theirs(x, True)
    (g,) = ml.grad(loss(a, ours(y)), [a], create_graph=True)
    (h,) = torch.autograd.grad(twin_loss(b, theirs(y)), [b], create_graph=True)
    np.testing.assert_allclose(host(g), host(h), rtol=1e-9, atol=1e-14)
    (g2,) = ml.grad((g * g).sum(), [a])
    (h2,) = torch.autograd.grad((h * h).sum(), [b])
    np.testing.assert_allclose(host(g2), host(h2), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("library", ["torch:cpu", "array_api_strict"])
def test_one_step_on_every_library(library):
    before, results, state = xp.library(), [], {}
    for name in ("numpy", library):
        ml.use(name)
        try:
            net = models.unet(models.small_encoder((4, 6)), norm="weight", blur=True,
                              size=(16, 16), self_attention=True).double()
            features = models.named_layers(conv_stages((1,), (4,), True).double())
            state = state or [{n: host(v) for n, v in m.state_dict().items()}
                              for m in (net, features)]
            net.load_state_dict(state[0])  # its lengths were computed in float32
            features.load_state_dict(state[1])
            x, y = (ml.tensor(a[:1]) for a in batch(0))
            loss = models.FeatureLoss(features, weights=[3.0])(net(x), y) + psnr(net(x), y).mean()
            loss.backward()
            results.append([loss.item(), *(host(p.grad).sum() for p in net.parameters())])
        finally:
            ml.use(before)
    assert results[1] == pytest.approx(results[0], rel=1e-9, abs=1e-9)


def test_weights_pass_between_sizes_and_nets():
    """Progressive resizing: what was learnt on small images goes on with large ones."""
    first = models.unet(models.small_encoder((4, 6, 8)), size=(16, 16), norm="weight")
    second = models.unet(models.small_encoder((4, 6, 8)), size=(48, 40), norm="weight")
    second.load_state_dict(first.state_dict())
    x = ml.randn(1, 3, 48, 40)
    assert np.array_equal(host(first.eval()(x)), host(second.eval()(x)))
    other = models.unet(models.small_encoder((4, 6, 10)), norm="weight")
    with pytest.raises(RuntimeError) as caught:
        other.load_state_dict(first.state_dict())
    differing = [n for n, v in other.state_dict().items() if v.shape != first.state_dict()[n].shape]
    assert len(differing) > 10 and all(name in str(caught.value) for name in differing)
    assert nn.in_channels(second) == 3

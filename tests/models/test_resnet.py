"""The lesson's three nets: exact sizes, and the same training as a torch twin."""

import numpy as np
import pytest
import torch
from models.twins import TWINS, copy_weights

import minilearn as ml
from minilearn import models, nn, optim
from minilearn.functional import cross_entropy

COUNTS = {
    "basic": (12_126, [80, 16, 1168, 32, 4640, 64, 4624, 32, 1450, 20]),
    "refactor": (12_044, [72, 16, 1152, 32, 4608, 64, 4608, 32, 1440, 20]),
    "resnet": (41_132, None),
}


@pytest.mark.parametrize("name", COUNTS)
def test_parameter_counts(name):
    total, by_layer = COUNTS[name]
    model = models.MODELS[name]()
    assert sum(p.numel() for p in model.parameters()) == total
    if by_layer:
        layers = [m for m in model.modules() if not list(m.children()) and list(m.parameters())]
        assert [sum(p.numel() for p in m.parameters()) for m in layers] == by_layer


@pytest.mark.parametrize("name", COUNTS)
def test_shapes_along_the_way(name):
    """The grid goes 28 - 14 - 7 - 4 - 2 - 1, and the scores come out flat."""
    grids = []
    model = models.MODELS[name]()
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.register_forward_hook(lambda m, x, y: grids.append(tuple(y.shape[1:])))
    assert model(ml.zeros(2, 1, 28, 28)).shape == (2, 10)
    assert grids == [(8, 14, 14), (16, 7, 7), (32, 4, 4), (16, 2, 2), (10, 1, 1)]


def test_the_difference_between_basic_and_refactor():
    basic, refactor = models.basic(), models.refactor()
    biases = [m.bias for m in basic.modules() if isinstance(m, nn.Conv2d)]
    assert sum(b.numel() for b in biases) == 12_126 - 12_044
    assert all(m.bias is None for m in refactor.modules() if isinstance(m, nn.Conv2d))
    assert isinstance(list(basic.children())[-2], nn.BatchNorm2d)  # no ReLU on the scores


def test_every_residual_block_starts_as_the_identity():
    blocks = [m for m in models.resnet().modules() if isinstance(m, nn.SequentialEx)]
    assert len(blocks) == 4
    for block, width in zip(blocks, (8, 16, 32, 16), strict=True):
        x = ml.randn(3, width, 5, 5)
        assert (block(x) == x).all()


@pytest.mark.parametrize("name", COUNTS)
def test_training_parity_with_torch(name):
    """Same weights, same batches, 20 steps of one-cycle Adam in float64: the same training."""
    ml.manual_seed(0)
    ours = models.MODELS[name]().double()
    twin = copy_weights(ours, TWINS[name]().double())
    mine = optim.AdamW(ours.parameters(), betas=(0.9, 0.99), eps=1e-8, weight_decay=1e-2)
    theirs = torch.optim.AdamW(twin.parameters(), betas=(0.9, 0.99), eps=1e-8, weight_decay=1e-2)
    rng = np.random.default_rng(0)
    for step in range(20):
        lr, momentum = optim.one_cycle(step, 20, 0.05)
        for optimizer in (mine, theirs):
            optimizer.param_groups[0].update(lr=lr, betas=(momentum, 0.99))
        x, y = rng.standard_normal((16, 1, 28, 28)), rng.integers(0, 10, 16)
        loss = cross_entropy(ours(ml.tensor(x)), ml.tensor(y))
        loss.backward()
        mine.step()
        mine.zero_grad()
        twin_loss = torch.nn.functional.cross_entropy(twin(torch.tensor(x)), torch.tensor(y))
        theirs.zero_grad()
        twin_loss.backward()
        theirs.step()
        assert loss.item() == pytest.approx(twin_loss.item(), rel=1e-9), f"step {step}"
    want = twin.state_dict()
    for key, value in ours.state_dict().items():
        np.testing.assert_allclose(value.numpy(), want[key].numpy(), rtol=0, atol=1e-8, err_msg=key)

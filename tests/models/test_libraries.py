"""One source, three array libraries: the same training on each."""

import numpy as np
import pytest

import minilearn as ml
from minilearn import models, optim, xp
from minilearn.functional import cross_entropy


def train(library, steps=4):
    """Train the lesson's third net for a few steps in float64; return losses and weights."""
    before = xp.library()
    ml.use(library)
    try:
        ml.manual_seed(3)
        net = models.resnet().double()
        adam = optim.AdamW(net.parameters(), lr=0.01)
        rng = np.random.default_rng(0)
        losses = []
        for _ in range(steps):
            x, y = rng.standard_normal((6, 1, 28, 28)), rng.integers(0, 10, 6)
            loss = cross_entropy(net(ml.tensor(x)), ml.tensor(y))
            loss.backward()
            adam.step()
            adam.zero_grad()
            losses.append(loss.item())
        return losses, {k: xp.to_numpy(v.data) for k, v in net.state_dict().items()}
    finally:
        ml.use(before)


@pytest.mark.parametrize("library", ["torch:cpu", "array_api_strict"])
def test_training_is_the_same_on_every_library(library):
    losses, weights = train("numpy")
    other_losses, other_weights = train(library)
    assert other_losses == pytest.approx(losses, rel=1e-10)
    for name, value in weights.items():
        np.testing.assert_allclose(other_weights[name], value, rtol=0, atol=1e-9, err_msg=name)


def test_a_model_moves_from_one_library_to_another():
    before = xp.library()
    net = models.basic().eval()
    x = np.random.default_rng(0).standard_normal((2, 1, 28, 28)).astype(np.float32)
    here = net(ml.tensor(x)).detach().numpy()
    ml.use("torch:cpu")
    try:
        net.to("torch:cpu")
        there = xp.to_numpy(net(ml.tensor(x)).detach().data)
    finally:
        ml.use(before)
    np.testing.assert_allclose(there, here, rtol=1e-4, atol=1e-5)

"""The workloads in plain functions, as the peers run them, here with NumPy beside minilearn."""

import numpy as np
import pytest

import minilearn as ml
from minilearn import nn, optim
from minilearn.bench import plain, workloads
from minilearn.functional import cross_entropy
from minilearn.models import resnet


def conv(x, w, kernel, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    met = [x[:, :, rows, columns] for rows, columns in plain.slices(kernel, stride, *x.shape[2:])]
    return np.einsum("nckhw,fck->nfhw", np.stack(met, 2), w.reshape(*w.shape[:2], -1))


NUMPY = plain.Functions(np, conv)


def arrays(model):
    return [p.detach().numpy().copy() for p in model.parameters()]


@pytest.mark.parametrize("side", [28, 16])
def test_the_plain_resnet_is_the_lesson_s(side):
    ml.manual_seed(1)
    model = resnet()
    x, y = workloads.digits(5)
    x = x[:, :, :side, :side]
    wanted = model(ml.tensor(x))
    if side == 16:  # one value is left of each image: the same net all the same
        assert wanted.shape == (5, 10)
    scores = plain.resnet(NUMPY, arrays(model), x)
    np.testing.assert_allclose(scores, wanted.detach().numpy(), rtol=1e-3, atol=1e-4)
    loss = plain.cross_entropy(NUMPY, scores, y)
    assert loss == pytest.approx(cross_entropy(wanted, ml.tensor(y)).item(), rel=1e-4)


def test_the_plain_gru_is_torch_s():
    ml.manual_seed(2)
    model = nn.GRU(3, 3, 2)
    x, states = workloads.draws(4, 5, 3), workloads.draws(2, 5, 3, seed=1)
    outputs, last = plain.gru(NUMPY, arrays(model), x, list(states))
    wanted, ends = model(ml.tensor(x), ml.tensor(states))
    np.testing.assert_allclose(np.stack(outputs), wanted.detach().numpy(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(np.stack(last), ends.detach().numpy(), rtol=1e-4, atol=1e-6)


def test_the_plain_critic_is_the_workload_s():
    ml.manual_seed(3)
    layers = []
    for ni, nf in ((3, 2), (2, 4), (4, 8)):
        layers += [nn.Conv2d(ni, nf, 4, 2, 1), nn.LeakyReLU(0.2)]
    model = nn.Sequential(*layers, nn.Conv2d(8, 1, 2), nn.Flatten())
    x = workloads.draws(3, 3, 16, 16)
    wanted = model(ml.tensor(x)).detach().numpy()[:, 0]
    np.testing.assert_allclose(plain.critic(NUMPY, arrays(model), x), wanted, rtol=1e-4, atol=1e-6)


def test_the_plain_adam_is_adamw():
    ours, theirs = nn.Linear(3, 2), plain.Adam()
    step, weights = optim.AdamW(ours.parameters(), **workloads.ADAM), arrays(ours)
    for seed in range(4):
        grads = [workloads.draws(*w.shape, seed=seed) for w in weights]
        for p, g in zip(ours.parameters(), grads, strict=True):
            p.grad = ml.tensor(g)
        step.step()
        theirs.step(weights, grads)
    for a, b in zip(arrays(ours), weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

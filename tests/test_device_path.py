"""A training step on torch's arrays never looks at a number: on a GPU nobody would wait for it.

Forward, backward and the optimizer's step run with every way of reading a torch tensor on the host
replaced by a function that raises, and so is every way of sending numbers from the host. The checks
of values are made as on a GPU (`xp.waits`), where they wait for nothing.
"""

import numpy as np
import pytest
import torch

import minilearn as ml
from minilearn import functional as F
from minilearn import nn, optim, xp
from minilearn.errors import DimError
from minilearn.models import resnet

READING = ("item", "cpu", "numpy", "tolist", "nonzero", "__array__", "__bool__", "__float__",
           "__int__", "__index__", "__len__", "__iter__", "__contains__")


@pytest.fixture
def as_on_a_gpu(monkeypatch, array_library):
    """Compute on torch's arrays, and make checks of values as on a GPU."""
    xp.use("torch:cpu")
    monkeypatch.setattr(xp, "waits", lambda: True)
    yield monkeypatch
    xp.use(array_library)


def forbid(monkeypatch):
    """Let every look at a tensor, and every array that is made of the host's numbers, raise."""
    def refuse(name):
        def refused(*args, **kwargs):
            raise AssertionError(f"{name}: the host must not wait")
        return refused

    for name in READING:
        monkeypatch.setattr(torch.Tensor, name, refuse(name))
    for name in ("array", "to_numpy"):
        monkeypatch.setattr(xp, name, refuse(name))


class Language(nn.Module):
    """Tokens (N, T) -> scores of the next ones (N T, V)."""

    def __init__(self, layer):
        super().__init__()
        self.embedding, self.rnn = nn.Embedding(11, 6), layer(6, 6, 2, batch_first=True)
        self.norm, self.output = nn.LayerNorm(6), nn.Linear(6, 11)

    def forward(self, tokens):
        return self.output(self.norm(self.rnn(self.embedding(tokens))[0])).flatten(0, 1)


def pictures():
    """Layers of nets that make pictures."""
    return nn.Sequential(
        nn.ConvTranspose2d(3, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.LeakyReLU(0.2),
        nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), nn.GELU(),
        nn.PixelShuffle(2), nn.Upsample(scale_factor=2, mode="bilinear"), nn.GroupNorm(1, 1),
        nn.Upsample(scale_factor=2), nn.AvgPool2d(3, 2, 1), nn.InstanceNorm2d(1), nn.Sigmoid())


def numbers(*shape, seed=0):
    return ml.tensor(np.random.default_rng(seed).normal(size=shape).astype("f4"))


def classes(*shape, below=10):
    return ml.tensor(np.random.default_rng(1).integers(0, below, shape))


def penalised(model, x, y):
    """WGAN-GP's loss: it contains a gradient."""
    x = x.detach().requires_grad_()
    (slope,) = ml.grad(model(x).sum(), x, create_graph=True)
    return ((slope.flatten(1).norm(2, 1) - 1) ** 2).mean() + model(x).mean()


def of_outputs(loss):
    return lambda model, x, y: loss(model(x), y)


def critic():
    return nn.Sequential(nn.Conv2d(3, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(),
                         nn.Linear(16, 1))


CASES = {  # model, input, target, loss
    "resnet": (resnet, lambda: numbers(4, 1, 28, 28), lambda: classes(4), F.cross_entropy),
    "gru": (lambda: Language(nn.GRU), lambda: classes(3, 4), lambda: classes(12), F.cross_entropy),
    "lstm": (lambda: Language(nn.LSTM), lambda: classes(3, 4), lambda: classes(12),
             F.cross_entropy),
    "pictures": (pictures, lambda: numbers(2, 3, 4, 4), lambda: numbers(2, 1, 16, 16, seed=2),
                 F.mse_loss),
    "critic": (critic, lambda: numbers(2, 3, 4, 4), lambda: None, None),
}


@pytest.mark.parametrize(("case", "optimizer"), [
    *((case, "AdamW") for case in CASES),
    *(("resnet", optimizer) for optimizer in ("SGD", "Adam", "RMSprop", "Adagrad"))])
def test_a_step_reads_no_number(as_on_a_gpu, case, optimizer):
    build, *pair, loss = CASES[case]
    model, (x, y) = build(), (make() for make in pair)
    compute = penalised if loss is None else of_outputs(loss)
    step = getattr(optim, optimizer)(model.parameters(), lr=0.01)

    def train():
        compute(model, x, y).backward()
        optim.clip_grad_norm_(model.parameters(), 1.0)
        step.step()
        step.zero_grad()

    before = [p.detach().numpy().copy() for p in model.parameters()]
    train()  # constants are made and kept
    forbid(as_on_a_gpu)
    train()
    as_on_a_gpu.undo()
    assert any((a != p.detach().numpy()).any()
               for a, p in zip(before, model.parameters(), strict=True))


def test_a_look_would_be_noticed(as_on_a_gpu):
    x = numbers(2, 3)
    forbid(as_on_a_gpu)
    for look in (lambda: x.sum().item(), lambda: bool(x.data.any()), lambda: float(x.data.sum()),
                 lambda: x.numpy(), lambda: x.tolist(), lambda: ml.tensor([1.0])):
        with pytest.raises(AssertionError, match="must not wait"):
            look()


def test_what_a_gpu_checks_by_itself_is_still_refused(as_on_a_gpu):
    """Torch's own check of an array, which on a GPU fails later, here fails at once."""
    for wrong in (lambda: F.embedding(ml.tensor([5]), numbers(3, 2)),
                  lambda: F.cross_entropy(numbers(1, 3), ml.tensor([3])),
                  lambda: numbers(3)[ml.tensor([-4])]):
        with pytest.raises(Exception, match="nonzero"):
            wrong()
    as_on_a_gpu.undo()
    with pytest.raises(DimError, match="row 5 in input is out of range"):
        F.embedding(ml.tensor([5]), numbers(3, 2))


def test_both_ways_through_the_checks_give_the_same(as_on_a_gpu):
    """Where a GPU would have to be waited for, another way is taken: to the same numbers."""
    x, y = numbers(4, 5), classes(4, below=5)
    base = numbers(1, 1, 4, 4)
    base.data[0, 0, 1, 1] = float("nan")
    found = []
    for _ in range(2):
        t, p, z = (a.detach().requires_grad_() for a in (x, base, base * 0))
        loss = F.cross_entropy(t, y)
        loss.backward()
        F.max_pool2d(p, 3, 1, 1).sum().backward()
        (z**0.0 + z**2 + z**1).sum().backward()
        found += [loss.detach(), t.grad, p.grad, z.grad]
        as_on_a_gpu.undo()  # the second time as on the host
    for a, b in zip(found[:4], found[4:], strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)

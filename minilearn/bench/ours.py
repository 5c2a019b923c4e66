"""The workloads, computed by minilearn."""

from __future__ import annotations

from functools import partial

from .. import data, nn, optim, xp
from .. import functional as F
from ..autograd import grad
from ..creation import tensor
from ..models import resnet
from ..ops.pieces import cat
from ..optim import AdamW
from ..xp import array, manual_seed, to_numpy
from . import same
from .workloads import ADAM, MEAN, STD, Workload, digits, factors, framed_digits

LIBRARY = same.Library(nn, F, optim, tensor, cat, grad, array, to_numpy)
unet, unet_step = partial(same.unet, LIBRARY), partial(same.unet_step, LIBRARY)
generator_step = partial(same.generator_step, LIBRARY)
critic_step = partial(same.critic_step, LIBRARY)
gru_step = partial(same.gru_step, LIBRARY)


def prepare(threads: int, device: str) -> None:
    """Choose the array library. NumPy's BLAS has read the number of threads in the environment."""
    xp.use(device)
    if device != "numpy":
        import torch

        torch.set_num_threads(threads)


def resnet_step(batch: int) -> Workload:
    """One training step of the lesson's third net (41,132 parameters)."""
    manual_seed(0)
    model = resnet()
    x, y = map(tensor, digits(batch))
    params = list(model.parameters())
    adam = AdamW(params, **ADAM)

    def step() -> list[float]:
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        adam.step()
        adam.zero_grad()
        return [loss.item()]

    def load(arrays: list) -> None:
        for p, a in zip(params, arrays, strict=True):
            p.data = array(a)

    return Workload(step, lambda: [to_numpy(p.data).copy() for p in params], load)


def chain(length: int) -> Workload:
    """x <- x a + b, many times over on 4x4 numbers, and back: what an op costs beside its work."""
    x, a, b = map(tensor, factors())
    for t in (x, a, b):
        t.requires_grad = True

    def step() -> list[float]:
        y = x
        for _ in range(length):
            y = y * a + b
        x.grad = a.grad = b.grad = None
        y.sum().backward()
        return [y.sum().item(), a.grad.sum().item(), b.grad.sum().item()]

    return Workload(step)


def epoch(images: int, batch: int) -> Workload:
    """All batches of shuffled digits, padded and cropped at random and normalised."""
    pixels, labels = framed_digits(images)
    augment = data.on_inputs(data.RandomPadCrop(3, 28), data.to_float, data.Normalize(MEAN, STD))
    loader = data.DataLoader(data.TensorDataset(pixels, labels), batch, shuffle=True,
                             drop_last=True, batch_transform=augment)

    def step() -> list[float]:
        manual_seed(0)
        sums = [(x.data.sum(), y.data.sum()) for x, y in loader]
        return [float(sum(column)) for column in zip(*sums, strict=True)]

    return Workload(step)

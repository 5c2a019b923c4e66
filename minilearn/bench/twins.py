"""The same workloads, computed by PyTorch in eager mode."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
import torch._dynamo  # the first optimizer step imports it; it is no memory of the step's
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

from . import same
from .workloads import ADAM, DEVICES, MEAN, STD, Workload, digits, factors, framed_digits

LIBRARY = same.Library(nn, F, torch.optim, torch.tensor, torch.cat, torch.autograd.grad,
                       torch.tensor, lambda data: data.cpu().numpy())
unet, unet_step = partial(same.unet, LIBRARY), partial(same.unet_step, LIBRARY)
generator_step = partial(same.generator_step, LIBRARY)
critic_step = partial(same.critic_step, LIBRARY)
gru_step = partial(same.gru_step, LIBRARY)


def prepare(threads: int, device: str) -> None:
    """Set the number of threads that one operation may use, and where tensors are made."""
    torch.set_num_threads(threads)
    torch.set_default_device(DEVICES[device])


def conv_layer(ni: int, nf: int, stride: int = 1) -> nn.Sequential:
    """Return convolution -> ReLU -> batch norm, as `minilearn.nn.conv_layer`."""
    conv = nn.Conv2d(ni, nf, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.ReLU(), nn.BatchNorm2d(nf))


class ResBlock(nn.Module):
    """Two layers whose result is added to their input, as `minilearn.nn.res_block`."""

    def __init__(self, nf: int):
        super().__init__()
        self.layers = nn.Sequential(conv_layer(nf, nf), conv_layer(nf, nf))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum."""
        return x + self.layers(x)


def resnet(channels: int = 1, classes: int = 10) -> nn.Sequential:
    """Return the twin of `minilearn.models.resnet`: 41,132 parameters, in the same order."""
    layers: list[nn.Module] = []
    ni = channels
    for nf in (8, 16, 32, 16):
        layers += [conv_layer(ni, nf, stride=2), ResBlock(nf)]
        ni = nf
    return nn.Sequential(*layers, conv_layer(ni, classes, stride=2), nn.Flatten())


def resnet_step(batch: int) -> Workload:
    """One training step of the lesson's third net (41,132 parameters)."""
    model = resnet()
    x, y = map(torch.tensor, digits(batch))
    params = list(model.parameters())
    adam = torch.optim.AdamW(params, **ADAM)

    def step() -> list[float]:
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        adam.step()
        adam.zero_grad()
        return [loss.item()]

    @torch.no_grad()
    def load(arrays: list) -> None:
        for p, a in zip(params, arrays, strict=True):
            p.copy_(torch.tensor(a))

    return Workload(step, lambda: [p.detach().cpu().numpy().copy() for p in params], load)


def chain(length: int) -> Workload:
    """x <- x a + b, many times over on 4x4 numbers, and back: what an op costs beside its work."""
    x, a, b = (torch.tensor(t, requires_grad=True) for t in factors())

    def step() -> list[float]:
        y = x
        for _ in range(length):
            y = y * a + b
        x.grad = a.grad = b.grad = None
        y.sum().backward()
        return [y.sum().item(), a.grad.sum().item(), b.grad.sum().item()]

    return Workload(step)


class PadCropped(Dataset):
    """Digits one by one, as torch's loader asks for them, each with the lesson's augmentation."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray):
        self.pixels, self.labels = torch.tensor(pixels), torch.tensor(labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[Any, Any]:
        padded = F.pad(self.pixels[i], (3, 3, 3, 3))
        top, left = torch.randint(7, (2,)).tolist()
        image = padded[:, top : top + 28, left : left + 28] / 255
        return (image - MEAN[0]) / STD[0], self.labels[i]


def epoch(images: int, batch: int) -> Workload:
    """All batches of shuffled digits, padded and cropped at random and normalised."""
    generator = torch.Generator(torch.get_default_device())
    loader = DataLoader(PadCropped(*framed_digits(images)), batch, shuffle=True, drop_last=True,
                        generator=generator)

    def step() -> list[float]:
        sums = [(x.sum(), y.sum()) for x, y in loader]
        return [float(sum(column)) for column in zip(*sums, strict=True)]

    return Workload(step)

"""The same workloads, computed by PyTorch in eager mode."""

from __future__ import annotations

import torch
import torch._dynamo  # the first optimizer step imports it; it is no memory of the step's
import torch.nn.functional as F
from torch import nn

from .workloads import ADAM, Workload, digits, factors


def use_threads(threads: int) -> None:
    """Set the number of threads that one operation may use."""
    torch.set_num_threads(threads)


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

    return Workload(step, lambda: [p.detach().numpy().copy() for p in params], load)


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

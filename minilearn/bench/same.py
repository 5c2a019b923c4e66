"""Workloads whose source is the same on all sides: minilearn has torch's names.

Each takes the library it is to be computed with; what differs between them stands in `Library`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .workloads import Workload, draws

GAN_ADAM: dict[str, Any] = {"lr": 2e-4, "betas": (0.5, 0.99)}


class Library(NamedTuple):
    """The parts of minilearn or torch, and how each of them makes an array."""

    nn: Any
    F: Any
    optim: Any
    tensor: Callable[..., Any]
    cat: Callable[..., Any]
    grad: Callable[..., Any]
    array: Callable[[np.ndarray], Any]  # what a parameter's `data` can be set to
    numpy: Callable[[Any], np.ndarray]  # and back

    def draws(self, *shape: int, seed: int = 0) -> Any:
        """Return a constant tensor of normal numbers, the same in every library."""
        return self.tensor(draws(*shape, seed=seed))

    def workload(self, step: Callable[[], list[float]], parameters: Any) -> Workload:
        """Put a step and the parameters that it starts from together."""
        parameters = list(parameters)

        def load(arrays: list[np.ndarray]) -> None:
            for p, a in zip(parameters, arrays, strict=True):
                p.data = self.array(a)

        return Workload(step, lambda: [self.numpy(p.data).copy() for p in parameters], load)


# ---------------------------------------------------------------- U-Net


def convolutions(lib: Library, sizes: list[tuple[int, int, int]]) -> Workload:
    """3x3 convolutions forward and backward, each alone; sizes: (batch, channels, side) of each."""
    pairs = []
    for i, (batch, channels, side) in enumerate(sizes):
        x = lib.draws(batch, channels, side, side, seed=i).requires_grad_()
        layer = lib.nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        pairs.append((x, layer, lib.draws(batch, channels, side, side, seed=100 + i)))

    def step() -> list[float]:
        numbers = []
        for x, layer, cotangent in pairs:
            x.grad = layer.weight.grad = None
            y = layer(x)
            y.backward(cotangent)
            numbers += [y[0, 0, 0, 0].item(), x.grad[0, 0, 0, 0].item(),
                        layer.weight.grad.abs().mean().item()]
        return numbers

    return lib.workload(step, [layer.weight for _, layer, _ in pairs])


def unet(lib: Library, width: int, side: int, batch: int) -> Workload:
    """A training step of a U-Net with two levels, which makes images of images."""
    net = make_unet(lib, width)
    x, y = (lib.draws(batch, 3, side, side, seed=seed) for seed in (1, 2))
    adam = lib.optim.AdamW(net.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=1e-2)

    def step() -> list[float]:
        loss = lib.F.mse_loss(net(x), y)
        loss.backward()
        adam.step()
        adam.zero_grad()
        return [loss.item()]

    return lib.workload(step, net.parameters())


def make_unet(lib: Library, width: int) -> Any:
    """Return a U-Net (Ronneberger et al. 2015), enlarged by pixel shuffles as in the lesson."""
    nn = lib.nn

    def double(ni: int, nf: int) -> Any:
        layers: list[Any] = []
        for n in (ni, nf):
            layers += [nn.Conv2d(n, nf, 3, padding=1, bias=False), nn.BatchNorm2d(nf), nn.ReLU()]
        return nn.Sequential(*layers)

    def larger(ni: int, nf: int) -> Any:
        return nn.Sequential(nn.Conv2d(ni, 4 * nf, 1), nn.PixelShuffle(2))

    class UNet(nn.Module):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.down1, self.down2 = double(3, width), double(width, 2 * width)
            self.middle = double(2 * width, 4 * width)
            self.larger2, self.up2 = larger(4 * width, 2 * width), double(4 * width, 2 * width)
            self.larger1, self.up1 = larger(2 * width, width), double(2 * width, width)
            self.pool, self.last = nn.MaxPool2d(2), nn.Conv2d(width, 3, 1)

        def forward(self, x: Any) -> Any:
            fine = self.down1(x)
            coarse = self.down2(self.pool(fine))
            x = self.middle(self.pool(coarse))
            x = self.up2(lib.cat([self.larger2(x), coarse], 1))
            return self.last(self.up1(lib.cat([self.larger1(x), fine], 1)))

    return UNet()


def unet_step(
    lib: Library, sizes: list[tuple[int, int, int]], width: int, side: int, batch: int
) -> Workload:
    """The convolutions of a large U-Net one by one, then a step of a small one."""
    alone, whole = convolutions(lib, sizes), unet(lib, width, side, batch)
    count = len(sizes)

    def load(arrays: list[np.ndarray]) -> None:
        alone.load(arrays[:count])
        whole.load(arrays[count:])

    return Workload(lambda: alone.step() + whole.step(),
                    lambda: alone.weights() + whole.weights(), load)


# ---------------------------------------------------------------- GANs


def generator_step(lib: Library, width: int, batch: int) -> Workload:
    """A training step of DCGAN's generator (Radford et al. 2015), 100 numbers -> 64x64 RGB."""
    nn = lib.nn
    layers: list[Any] = []
    widths = (100, 8 * width, 4 * width, 2 * width, width)
    for i, (ni, nf) in enumerate(zip(widths, widths[1:], strict=False)):
        stride, padding = (2, 1) if i else (1, 0)
        layers += [nn.ConvTranspose2d(ni, nf, 4, stride, padding, bias=False),
                   nn.BatchNorm2d(nf), nn.ReLU()]
    net = nn.Sequential(*layers, nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False), nn.Tanh())
    noise, target = lib.draws(batch, 100, 1, 1, seed=1), lib.draws(batch, 3, 64, 64, seed=2)
    adam = lib.optim.Adam(net.parameters(), **GAN_ADAM)

    def step() -> list[float]:
        loss = lib.F.mse_loss(net(noise), target)
        loss.backward()
        adam.step()
        adam.zero_grad()
        return [loss.item()]

    return lib.workload(step, net.parameters())


def critic_step(lib: Library, width: int, side: int, batch: int) -> Workload:
    """A step of WGAN-GP's critic (Gulrajani et al. 2017): the loss contains a gradient's length."""
    nn = lib.nn
    layers: list[Any] = []
    widths = (3, width, 2 * width, 4 * width)
    for ni, nf in zip(widths, widths[1:], strict=False):
        layers += [nn.Conv2d(ni, nf, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    net = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, side // 8), nn.Flatten())
    real, fake = (lib.draws(batch, 3, side, side, seed=seed) for seed in (1, 2))
    share = lib.tensor(np.linspace(0, 1, batch, dtype=np.float32).reshape(-1, 1, 1, 1))
    adam = lib.optim.Adam(net.parameters(), **GAN_ADAM)

    def step() -> list[float]:
        between = (real * share + fake * (1 - share)).requires_grad_()
        (slope,) = lib.grad(net(between).sum(), between, create_graph=True)
        penalty = ((slope.flatten(1).norm(2, 1) - 1) ** 2).mean()
        loss = net(fake).mean() - net(real).mean() + 10 * penalty
        loss.backward()
        adam.step()
        adam.zero_grad()
        return [loss.item(), penalty.item()]

    return lib.workload(step, net.parameters())


# ---------------------------------------------------------------- recurrent nets


def gru_step(lib: Library, layers: int, hidden: int, steps: int, batch: int) -> Workload:
    """A GRU forward and backward through `steps` steps of time, from where the last call ended."""
    net = lib.nn.GRU(hidden, hidden, layers)
    x, target = (lib.draws(steps, batch, hidden, seed=seed) for seed in (1, 2))
    state = lib.draws(layers, batch, hidden, seed=3)

    def step() -> list[float]:
        nonlocal state
        net.zero_grad()
        y, last = net(x, state)
        state = last.detach()
        loss = lib.F.mse_loss(y, target)
        loss.backward()
        return [loss.item(), *((p.grad * p.grad).sum().item() for p in net.parameters())]

    return lib.workload(step, net.parameters())

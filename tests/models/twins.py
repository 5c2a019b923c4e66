"""The lesson's three nets written in torch, with the parameter names of ours."""

import torch
from torch import nn

CHANNELS = (1, 8, 16, 32, 16, 10)


class Residual(nn.Sequential):
    """Two conv_layers, and the sum with what came in."""

    def __init__(self, nf):
        super().__init__(conv_layer(nf, nf, 1), conv_layer(nf, nf, 1))

    def forward(self, x):
        return x + super().forward(x)


def conv_layer(ni, nf, stride):
    conv = nn.Conv2d(ni, nf, 3, stride, 1, bias=False)
    return nn.Sequential(conv, nn.ReLU(), nn.BatchNorm2d(nf))


def basic():
    layers = []
    for ni, nf in zip(CHANNELS, CHANNELS[1:], strict=False):
        layers += [nn.Conv2d(ni, nf, 3, 2, 1), nn.BatchNorm2d(nf), nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Flatten())


def refactor():
    layers = [conv_layer(ni, nf, 2) for ni, nf in zip(CHANNELS, CHANNELS[1:], strict=False)]
    return nn.Sequential(*layers, nn.Flatten())


def resnet():
    layers = []
    for ni, nf in zip(CHANNELS, CHANNELS[1:-1], strict=False):
        layers += [conv_layer(ni, nf, 2), Residual(nf)]
    return nn.Sequential(*layers, conv_layer(16, 10, 2), nn.Flatten())


TWINS = {"basic": basic, "refactor": refactor, "resnet": resnet}


def copy_weights(ours, twin):
    """Give the twin the weights of our model; the names must match exactly."""
    state = {name: torch.tensor(value.numpy()) for name, value in ours.state_dict().items()}
    twin.load_state_dict(state)
    return twin

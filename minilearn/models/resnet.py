"""The three nets of the lesson's first notebook: (N, 1, 28, 28) digits -> (N, 10) scores.

Each layer of stride 2 halves the grid: 28 - 14 - 7 - 4 - 2 - 1, so the last one leaves one score
for each class and no pooling is needed.
"""

from __future__ import annotations

from .. import nn

CHANNELS = (8, 16, 32, 16, 10)


def basic(channels: int = 1, classes: int = 10) -> nn.Sequential:
    """Five convolutions of stride 2 written out by hand: 12,126 parameters."""
    widths = (channels, *CHANNELS[:-1], classes)
    layers: list[nn.Module] = []
    for ni, nf in zip(widths, widths[1:], strict=False):
        layers += [nn.Conv2d(ni, nf, 3, stride=2, padding=1), nn.BatchNorm2d(nf), nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Flatten())  # no ReLU on the scores


def refactor(channels: int = 1, classes: int = 10) -> nn.Sequential:
    """The same widths with `conv_layer`: 12,044 parameters.

    The lesson calls it "exactly the same", and it is not. `conv_layer` leaves out the convolution's
    bias: 82 numbers (8 + 16 + 32 + 16 + 10), which a normalisation right after it would cancel. It
    puts the ReLU before the normalisation. And it does both to the last layer too, to the scores.
    """
    widths = (channels, *CHANNELS[:-1], classes)
    layers = [nn.conv_layer(ni, nf, stride=2) for ni, nf in zip(widths, widths[1:], strict=False)]
    return nn.Sequential(*layers, nn.Flatten())


def resnet(channels: int = 1, classes: int = 10) -> nn.Sequential:
    """The same with a residual block after each layer but the last: 41,132 parameters.

    Every block starts as the identity: its last normalisation's weight is 0 ("batch_zero"). The
    course asks for that, but its library starts it at 1 all the same.
    """
    layers: list[nn.Module] = []
    ni = channels
    for nf in CHANNELS[:-1]:
        layers += [nn.conv_layer(ni, nf, stride=2), nn.res_block(nf, norm="batch_zero")]
        ni = nf
    return nn.Sequential(*layers, nn.conv_layer(ni, classes, stride=2), nn.Flatten())


MODELS = {"basic": basic, "refactor": refactor, "resnet": resnet}

"""ResNet-18 and ResNet-34 (He et al. 2015), built and named as in torchvision.

    model = models.resnet34(init_weights=False)
    weights.load_into(model, "resnet34.pth")

Inputs are RGB images (N, 3, H, W), normalised as `vgg` says.
"""

from __future__ import annotations

from .. import nn
from ..tensor import Tensor


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, added to what came in: (N, inplanes, H, W) -> (N, planes, H', W').

    downsample: brings what came in to the shape of the sum, where channels or stride change it.
    """

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None
    ):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """x (N, inplanes, H, W) -> (N, planes, H / stride, W / stride), rounded up."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """A 7x7 convolution, four stages of basic blocks, a mean: (N, 3, H, W) -> (N, num_classes).

    layers: the number of blocks in each of the four stages. zero_init_residual: let every block
    start as the identity (Goyal et al. 2017). init_weights: draw first values as torchvision does;
    False leaves them at 0, for weights that are loaded next.
    """

    def __init__(
        self, layers: tuple[int, int, int, int], num_classes: int = 1000,
        zero_init_residual: bool = False, init_weights: bool = True,
    ):
        super().__init__()
        with nn.init.skipped():
            self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
            self.relu = nn.ReLU()
            self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
            self.layer1 = stage(64, 64, layers[0], stride=1)
            self.layer2 = stage(64, 128, layers[1], stride=2)
            self.layer3 = stage(128, 256, layers[2], stride=2)
            self.layer4 = stage(256, 512, layers[3], stride=2)
            self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
            self.fc = nn.Linear(512, num_classes)
        if init_weights:
            self._draw(zero_init_residual)

    def _draw(self, zero_init_residual: bool) -> None:
        self.fc.reset_parameters()
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(layer, BasicBlock) and zero_init_residual:
                nn.init.zeros_(layer.bn2.weight)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, 3, H, W) -> (N, num_classes) scores."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def stage(inplanes: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
    """Return blocks of one width; the first of them changes width and size."""
    downsample = None
    if stride != 1 or inplanes != planes:
        downsample = nn.Sequential(nn.Conv2d(inplanes, planes, 1, stride, bias=False),
                                   nn.BatchNorm2d(planes))
    first = BasicBlock(inplanes, planes, stride, downsample)
    return nn.Sequential(first, *(BasicBlock(planes, planes) for _ in range(blocks - 1)))


def resnet18(
    num_classes: int = 1000, zero_init_residual: bool = False, init_weights: bool = True
) -> ResNet:
    """Return ResNet-18: 11,689,512 parameters for 1000 classes. The arguments are ResNet's."""
    return ResNet((2, 2, 2, 2), num_classes, zero_init_residual, init_weights)


def resnet34(
    num_classes: int = 1000, zero_init_residual: bool = False, init_weights: bool = True
) -> ResNet:
    """Return ResNet-34: 21,797,672 parameters for 1000 classes. The arguments are ResNet's."""
    return ResNet((3, 4, 6, 3), num_classes, zero_init_residual, init_weights)

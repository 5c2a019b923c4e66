"""The models of the lessons, built from `nn` alone."""

from .resnet import MODELS, basic, refactor, resnet
from .resnet_imagenet import ResNet, resnet18, resnet34
from .vgg import (
    VGG,
    vgg11,
    vgg11_bn,
    vgg13,
    vgg13_bn,
    vgg16,
    vgg16_bn,
    vgg19,
    vgg19_bn,
    vgg19_normalised,
)

__all__ = ["MODELS", "VGG", "ResNet", "basic", "refactor", "resnet", "resnet18", "resnet34",
           "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn",
           "vgg19_normalised"]

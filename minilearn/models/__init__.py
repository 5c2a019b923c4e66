"""The models of the lessons, built from `nn` alone."""

from .encoders import encoder_of, small_encoder
from .language import (
    LANGUAGE_MODELS,
    LanguageModel,
    Model0,
    Model1,
    Model2,
    Model3,
    Model4,
    Model5,
    PointerModel,
)
from .perceptual import FeatureDistance, FeatureLoss, before_net
from .resnet import MODELS, basic, refactor, resnet
from .resnet_imagenet import ResNet, resnet18, resnet34
from .style import StyleNet, style_net
from .style_loss import StyleLoss
from .unet import UNet, unet
from .vgg import (
    VGG,
    small_vgg,
    vgg11,
    vgg11_bn,
    vgg13,
    vgg13_bn,
    vgg16,
    vgg16_bn,
    vgg19,
    vgg19_bn,
)
from .vgg_features import activations, last_of_each_grid, named_layers, vgg19_normalised

__all__ = ["FeatureDistance", "FeatureLoss", "LANGUAGE_MODELS", "LanguageModel", "MODELS", "Model0",
           "Model1", "Model2", "Model3", "Model4", "Model5", "PointerModel", "ResNet", "StyleLoss",
           "StyleNet", "UNet", "VGG", "activations", "basic", "before_net", "encoder_of",
           "last_of_each_grid", "named_layers", "refactor", "resnet", "resnet18", "resnet34",
           "small_encoder", "small_vgg", "style_net", "unet", "vgg11", "vgg11_bn", "vgg13",
           "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn", "vgg19_normalised"]

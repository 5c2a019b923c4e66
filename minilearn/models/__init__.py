"""The models of the lessons, built from `nn` alone."""

from .resnet import MODELS, basic, refactor, resnet

__all__ = ["MODELS", "basic", "refactor", "resnet"]

"""Learning rate schedulers with torch's names and behaviour (`torch.optim.lr_scheduler`)."""

from .base import LRScheduler
from .combined import ChainedScheduler, SequentialLR
from .cycles import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from .decays import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    ReduceLROnPlateau,
    StepLR,
)

__all__ = [
    "LRScheduler", "ChainedScheduler", "SequentialLR", "CosineAnnealingWarmRestarts", "CyclicLR",
    "OneCycleLR", "ConstantLR", "CosineAnnealingLR", "ExponentialLR", "LambdaLR", "LinearLR",
    "MultiplicativeLR", "MultiStepLR", "PolynomialLR", "ReduceLROnPlateau", "StepLR",
]

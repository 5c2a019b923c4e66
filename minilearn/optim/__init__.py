"""Optimizers, schedules, clipping and averages of the weights (`torch.optim`'s names)."""

from . import lr_scheduler, schedules
from .adagrad import Adagrad, adagrad_step
from .adam import Adam, AdamW, adam_step
from .clip import clip_grad_norm_, clip_grad_value_
from .ema import EMA
from .optimizer import Optimizer
from .rmsprop import RMSprop, rmsprop_step
from .schedules import flat_cosine, one_cycle
from .sgd import SGD, sgd_step

__all__ = [
    "Optimizer", "SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "sgd_step", "adam_step",
    "rmsprop_step", "adagrad_step", "clip_grad_norm_", "clip_grad_value_", "EMA", "lr_scheduler",
    "schedules", "one_cycle", "flat_cosine",
]

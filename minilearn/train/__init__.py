"""Training: the loop, its callbacks, checkpoints, the learning-rate finder, interpretation."""

from .callbacks import (
    Callback,
    CSVLog,
    Diverged,
    EarlyStopping,
    OneCycle,
    Recorder,
    StopFit,
    StopOnNaN,
)
from .checkpoint import Checkpoint, load_checkpoint, read_checkpoint, save_checkpoint
from .evaluate import Evaluator, predict
from .interpret import Interpretation
from .learner import Learner
from .lr_find import LRFinder, lr_find
from .metrics import Average, Smoothed, accuracy, error_rate, top_k_accuracy
from .progress import Progress

__all__ = [
    "Average",
    "CSVLog",
    "Callback",
    "Checkpoint",
    "Diverged",
    "Evaluator",
    "EarlyStopping",
    "Interpretation",
    "LRFinder",
    "Learner",
    "OneCycle",
    "Progress",
    "Recorder",
    "Smoothed",
    "StopFit",
    "StopOnNaN",
    "accuracy",
    "error_rate",
    "load_checkpoint",
    "lr_find",
    "predict",
    "read_checkpoint",
    "save_checkpoint",
    "top_k_accuracy",
]

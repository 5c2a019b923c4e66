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
from .generate import generate, next_token_probabilities
from .groups import freeze, freeze_to, layer_groups, param_groups, rates, unfreeze
from .interpret import Interpretation
from .language import (
    ActivationRegularizer,
    KeepState,
    activation_penalty,
    token_cross_entropy,
)
from .learner import Learner
from .lr_find import LRFinder, lr_find
from .metrics import Average, Smoothed, accuracy, error_rate, top_k_accuracy
from .parallel import work_together
from .pictures import dice, iou, on_pixels, pixel_accuracy, psnr, ssim
from .progress import Progress
from .reading import Reading, gate_openings, hidden_states
from .stages import Stage, Stages

__all__ = [
    "ActivationRegularizer",
    "Average",
    "CSVLog",
    "Callback",
    "Checkpoint",
    "Diverged",
    "EarlyStopping",
    "Evaluator",
    "Interpretation",
    "KeepState",
    "LRFinder",
    "Learner",
    "OneCycle",
    "Progress",
    "Reading",
    "Recorder",
    "Smoothed",
    "Stage",
    "Stages",
    "StopFit",
    "StopOnNaN",
    "accuracy",
    "activation_penalty",
    "dice",
    "error_rate",
    "freeze",
    "freeze_to",
    "gate_openings",
    "generate",
    "hidden_states",
    "iou",
    "layer_groups",
    "load_checkpoint",
    "lr_find",
    "next_token_probabilities",
    "on_pixels",
    "param_groups",
    "pixel_accuracy",
    "predict",
    "psnr",
    "rates",
    "read_checkpoint",
    "save_checkpoint",
    "ssim",
    "token_cross_entropy",
    "top_k_accuracy",
    "unfreeze",
    "work_together",
]

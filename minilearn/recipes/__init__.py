"""The lessons' trainings from data to result: what the commands run, callable from Python too."""

from .folder import RunError, RunFolder
from .resnet import ResnetSettings, find_lr_resnet, load_run, train_resnet

__all__ = ["ResnetSettings", "RunError", "RunFolder", "find_lr_resnet", "load_run", "train_resnet"]

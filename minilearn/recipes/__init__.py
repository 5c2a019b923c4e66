"""The lessons' trainings from data to result: what the commands run, callable from Python too."""

from .features import Features, load_features
from .folder import RunError, RunFolder
from .language import LanguageSettings, load_corpus, load_language_run, train_language
from .reading import mistakes, read_valid, write_on
from .resnet import ResnetSettings, find_lr_resnet, load_run, train_resnet
from .vgg import VggSettings, pretrain_vgg

__all__ = ["Features", "LanguageSettings", "ResnetSettings", "RunError", "RunFolder", "VggSettings",
           "find_lr_resnet", "load_corpus", "load_features", "load_language_run", "load_run",
           "mistakes", "pretrain_vgg", "read_valid", "train_language", "train_resnet", "write_on"]

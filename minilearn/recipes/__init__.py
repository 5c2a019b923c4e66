"""The lessons' trainings from data to result: what the commands run, callable from Python too."""

from .features import Features, load_features
from .folder import RunError, RunFolder
from .language import LanguageSettings, load_corpus, load_language_run, train_language
from .measure import compare
from .reading import mistakes, read_valid, write_on
from .resnet import ResnetSettings, find_lr_resnet, load_run, train_resnet
from .restoration import RestorationSettings, load_restoration, train_restoration
from .restore import Restorer
from .segment import SegmentSettings, train_segment
from .style import StyleSettings, load_style, train_style
from .vgg import VggSettings, pretrain_vgg

__all__ = ["Features", "LanguageSettings", "ResnetSettings", "RestorationSettings", "Restorer",
           "RunError", "RunFolder", "SegmentSettings", "StyleSettings", "VggSettings", "compare",
           "find_lr_resnet", "load_corpus", "load_features", "load_language_run",
           "load_restoration", "load_run", "load_style", "mistakes", "pretrain_vgg", "read_valid",
           "train_language", "train_resnet", "train_restoration", "train_segment", "train_style",
           "write_on"]

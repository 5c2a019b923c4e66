"""Models 0 to 5 of the lesson's sixth notebook, each grown from the one before, and one beyond.

Tokens (N, T) in; out come scores of the token that follows: of the last one, (N, V), from Models 0
and 1, and of every one, (N, T, V), from the others. V: size of the vocabulary. The loader keeps
the order of the text, so the models from 3 on keep their state from one batch to the next.
"""

from .base import LanguageModel
from .by_hand import Model0, Model1, Model2, Model3
from .layered import Model4, Model5
from .pointer import PointerModel

LANGUAGE_MODELS: dict[str, type[LanguageModel]] = {
    "0": Model0, "1": Model1, "2": Model2, "3": Model3, "4": Model4, "5": Model5,
    "best": PointerModel,
}

__all__ = ["LANGUAGE_MODELS", "LanguageModel", "Model0", "Model1", "Model2", "Model3", "Model4",
           "Model5", "PointerModel"]

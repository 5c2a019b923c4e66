"""A corpus: two streams of token numbers, to train and to validate on, and their vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..problems import DamagedDataError, MissingDataError, TextError
from .spelling import human_numbers
from .tokens import tokenize
from .vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Corpus:
    """train, valid: ids (T,), int64. vocabulary: that of the training part. name: for messages."""

    train: np.ndarray
    valid: np.ndarray
    vocabulary: Vocabulary
    name: str

    @classmethod
    def of(cls, train: list[str], valid: list[str], name: str, min_freq: int = 2) -> Corpus:
        """Number the tokens of two texts by the vocabulary of the first."""
        vocabulary = Vocabulary.of(train, min_freq=min_freq)
        return cls(vocabulary.numericalize(train), vocabulary.numericalize(valid), vocabulary, name)


def numbers_corpus() -> Corpus:
    """Return the lesson's corpus: 50,079 tokens to train on, 13,017 to validate, 38 in use.

    >>> corpus = numbers_corpus()
    >>> len(corpus.train), len(corpus.valid), len(corpus.vocabulary)
    (50079, 13017, 38)
    """
    train, valid = human_numbers()
    return Corpus.of(tokenize(train), tokenize(valid), "numbers")


def text_corpus(path: str | Path, *, valid: float = 0.1, min_freq: int = 2) -> Corpus:
    """Return a UTF-8 text file as a corpus; its last part, a share `valid`, is for validation.

    min_freq: how often a token must occur in the first part to have a number of its own.
    Raises DataError for a file that is missing, not UTF-8, or too short to be divided.
    """
    if not 0 < valid < 1:
        raise ValueError(f"text_corpus: valid must be between 0 and 1, got {valid}")
    tokens = tokenize(read_text(path))
    cut = len(tokens) - round(len(tokens) * valid)
    if min(cut, len(tokens) - cut) < 2:
        raise TextError(f"{path} has {len(tokens) - 1} words and signs, too few to train and to "
                        "validate on; give a longer text")
    return Corpus.of(tokens[:cut], tokens[cut:], Path(path).stem, min_freq)


def read_text(path: str | Path) -> str:
    """Return the content of a UTF-8 text file. Raises DataError naming what is wrong and where."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise MissingDataError(f"there is no text at {path}") from None
    except OSError as error:
        raise MissingDataError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DamagedDataError(
            f"{path} is not UTF-8 text: byte 0x{content[error.start]:02x} in line {line} does not "
            "fit; save it as UTF-8 (an editor's \"save with encoding\", or iconv)") from error

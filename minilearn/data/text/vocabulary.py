"""The vocabulary: a number for each token, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ...files import write_whole
from ..problems import DamagedDataError, MissingDataError
from .tokens import SPECIALS, UNK


class Vocabulary:
    """The tokens that have a number, most frequent first, after the eight special ones.

    itos: the tokens in the order of their ids ("integer to string"). stoi: the way back.
    Raises ValueError where a token is there twice, or `xxunk` does not come first.

    >>> vocabulary = Vocabulary.of("a b a c a b".split())
    >>> vocabulary.itos[8:], vocabulary.numericalize(["b", "c"]).tolist()
    (['a', 'b'], [9, 0])
    """

    def __init__(self, itos: Sequence[str]) -> None:
        self.itos = list(itos)
        self.stoi = {token: number for number, token in enumerate(self.itos)}
        if len(self.stoi) != len(self.itos):
            twice = next(t for t, times in Counter(self.itos).items() if times > 1)
            raise ValueError(f"Vocabulary: {twice!r} is there twice; give each token once")
        if self.itos[:1] != [UNK]:
            raise ValueError(f"Vocabulary: the first token must be {UNK}, which stands for unknown "
                             f"words; got {self.itos[:1]}")

    @classmethod
    def of(
        cls, tokens: Iterable[str], *, max_size: int = 60_000, min_freq: int = 2
    ) -> Vocabulary:
        """Make the vocabulary of a text: its most frequent tokens, ties in order of appearance.

        max_size: how many at most, without the special ones. min_freq: how often a token must occur
        to have a number of its own.
        """
        common = Counter(tokens).most_common(max_size)
        often = (token for token, times in common if times >= min_freq)
        return cls([*SPECIALS, *(token for token in often if token not in SPECIALS)])

    def __len__(self) -> int:
        return len(self.itos)

    def __contains__(self, token: str) -> bool:
        return token in self.stoi

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.itos == other.itos

    def numericalize(self, tokens: Iterable[str]) -> np.ndarray:
        """Return the id of each token, int64; that of `xxunk`, 0, where it has none."""
        return np.array([self.stoi.get(token, 0) for token in tokens], dtype=np.int64)

    def textify(self, ids: Iterable[int]) -> str:
        """Return the tokens of the ids, with spaces between. Raises IndexError for other ids."""
        return " ".join(self.tokens(ids))

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """Return the token of each id. Raises IndexError for an id that is not from 0 to len-1."""
        ids = [int(i) for i in ids]
        if wrong := [i for i in ids if not 0 <= i < len(self)]:
            raise IndexError(f"tokens: id {wrong[0]} is not one of 0 to {len(self) - 1}")
        return [self.itos[i] for i in ids]

    def save(self, path: str | Path) -> None:
        """Write the tokens to a text file, one a line: line n holds the token of id n - 1."""
        write_whole(path, ("\n".join(self.itos) + "\n").encode())

    @classmethod
    def load(cls, path: str | Path) -> Vocabulary:
        """Read what `save` has written. Raises DataError where that is not what the file is."""
        try:
            return cls(Path(path).read_text(encoding="utf-8").split())
        except FileNotFoundError:
            raise MissingDataError(f"there is no vocabulary at {path}") from None
        except (ValueError, OSError) as error:
            raise DamagedDataError(f"{path} is not a vocabulary, one token a line, beginning with "
                                   f"{UNK} ({error})") from error

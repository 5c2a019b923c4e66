"""The loader of language models: one long text, read in many places at once.

A batch of 64 is not 64 texts: it is one text cut into 64 pieces that are read side by side. Each
batch goes on where the one before stopped, row by row, so that a model that keeps its state reads
every piece from beginning to end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from ... import xp
from ...slots import Slot
from ...tensor import Tensor
from ..chance import source
from ..problems import TextError


@Slot
def language_batch(
    stream: np.ndarray, batch_size: int, bptt: int, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return batch `number` of a stream of ids (T,): inputs and targets, (batch_size, bptt) each.

    Row j begins at token j T / batch_size (rounded down) and moves on by bptt tokens a batch; the
    targets are the tokens that come next. The end of the stream is followed by its beginning.

    >>> x, y = language_batch(np.arange(10), 2, 3, 1)
    >>> x.tolist(), y.tolist()
    ([[3, 4, 5], [8, 9, 0]], [[4, 5, 6], [9, 0, 1]])
    """
    starts = np.arange(batch_size) * len(stream) // batch_size + number * bptt
    rows = stream[(starts[:, None] + np.arange(bptt + 1)) % len(stream)]
    return rows[:, :-1], rows[:, 1:]


class LanguageLoader:
    """Hand out a text as batches (x, y) of token numbers, (batch_size, bptt); y is one ahead.

    documents: an array of ids (T,), or several, which are joined into one stream. batch_size: rows
    that are read side by side. bptt: tokens of each row a batch ("backpropagation through time").
    shuffle: a new order of the documents each epoch, drawn from `generator` (a NumPy generator; the
    framework's own, `manual_seed`, if not given). last: y holds the last targets only,
    (batch_size,). Every batch is full.
    Raises TextError for a text that is empty, shorter than bptt, or has no token for each row.
    Source: fast.ai's LanguageModelPreLoader; torch's DataLoader has no such order.

    >>> [len(LanguageLoader(np.zeros(50_079, int), 64, bptt)) for bptt in (70, 3, 20)]
    [12, 261, 40]
    """

    def __init__(
        self, documents: np.ndarray | Sequence[np.ndarray], batch_size: int = 64, bptt: int = 70,
        shuffle: bool = False, *, last: bool = False,
        generator: np.random.Generator | None = None,
    ) -> None:
        one = isinstance(documents, np.ndarray) and documents.ndim == 1
        self.documents = [documents] if one else list(documents)
        self.batch_size, self.bptt, self.shuffle = batch_size, bptt, shuffle
        self.last, self.generator = last, generator
        self.tokens = sum(len(document) for document in self.documents)
        source("LanguageLoader", generator)
        _check(self.tokens, batch_size, bptt)

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return math.ceil(self.tokens / (self.bptt * self.batch_size))

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Begin an epoch, every row at its start."""
        documents = self.documents
        if self.shuffle:
            order = source("LanguageLoader", self.generator).permutation(len(documents))
            documents = [documents[i] for i in order]
        stream = np.concatenate(documents)
        for number in range(len(self)):
            x, y = language_batch(stream, self.batch_size, self.bptt, number)
            yield Tensor(xp.array(x)), Tensor(xp.array(y[:, -1] if self.last else y))


def _check(tokens: int, batch_size: int, bptt: int) -> None:
    for name, value in (("batch_size", batch_size), ("bptt", bptt)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"LanguageLoader: {name} must be a positive integer, got {value!r}")
    if tokens < 2:
        raise TextError(f"LanguageLoader: the text has {tokens} tokens; it takes two to have one "
                        "to read and one to predict")
    if bptt >= tokens:
        raise TextError(f"LanguageLoader: bptt={bptt} is longer than the text, which has {tokens} "
                        f"tokens; use a bptt of at most {tokens - 1}, or a longer text")
    if batch_size > tokens:
        raise TextError(f"LanguageLoader: batch_size={batch_size} rows for a text of {tokens} "
                        "tokens; use fewer rows, or a longer text")

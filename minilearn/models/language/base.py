"""What all language models share: the embedding, the scores, and the state that is kept."""

from __future__ import annotations

from ... import nn, xp
from ...errors import ShapeError
from ...tensor import Tensor

HIDDEN = 64  # the lesson's size of the state


class LanguageModel(nn.Module):
    """What all have: an embedding of the tokens, and scores made of the state.

    stateful: whether a batch goes on from the state after the last one. context: how many tokens
    a model without state is shown at a time. state: what is kept; its first part is (..., N, H).
    """

    stateful = False
    context = 20

    def __init__(self, vocabulary: int, hidden: int = HIDDEN):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, hidden)
        self.output = nn.Linear(hidden, vocabulary)
        self.state: tuple[Tensor, ...] = ()

    def reset(self) -> None:
        """Forget the state: what comes next is the beginning of a text."""
        self.state = ()

    def keep(self, *state: Tensor) -> None:
        """Keep the state for the next batch, without its past.

        Without the cut, each batch would be differentiated through all batches before it.
        """
        self.state = tuple(part.detach() for part in state)

    def first_state(self, *shape: int) -> Tensor:
        """Return the state that was kept, or zeros at the beginning of a text; shape: (..., N, H).

        Raises ShapeError where the batch has other rows than the state.
        """
        if not self.state:
            return Tensor(xp.zeros(shape, self.embedding.weight.data.dtype))
        if self.state[0].shape != shape:
            kept, rows = self.state[0].shape[-2], shape[-2]
            raise ShapeError(
                f"{type(self).__name__}: this batch has {rows} rows, and the state is kept for "
                f"{kept} rows; each row goes on from its own state, so keep to batches of {kept}, "
                "or call reset() to begin anew")
        return self.state[0]

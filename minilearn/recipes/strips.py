"""Pictures after each epoch: what went in, what came out, what was wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import viz
from ..data import Normalize
from ..data.collate import to_tensors
from ..op import no_grad
from ..train import Callback

ROWS = 3


class Strips(Callback):
    """After each epoch, write epoch-NN.png: rows of input, prediction and target.

    pairs: of the validation; its first few are shown. view: makes a batch of them. normalize: to be
    undone. shown: turns a prediction or a target into images, where it is none. titles: of the
    columns.
    """

    def __init__(
        self, folder: Path, pairs: Any, view: Callable[[Any], Any],
        normalize: Normalize | None = None, shown: Callable[[Any], Any] | None = None,
        titles: Sequence[str] = ("Input", "Prediction", "Target"),
    ) -> None:
        self.folder, self.normalize, self.shown = Path(folder), normalize, shown
        self.titles = titles
        self.batch = view(pairs.batch(np.arange(min(ROWS, len(pairs)))))[:2]

    def after_epoch(self, learn: Any) -> None:
        input, target = self.batch
        training = learn.model.training
        with no_grad():
            prediction = learn.model.eval()(to_tensors(input))
        learn.model.train(training)
        columns = [input, prediction, target]
        if self.shown is not None:
            columns = [self._pixels(input), self.shown(prediction), self.shown(target)]
        normalize = None if self.shown is not None else self.normalize
        figure = viz.strips(*columns, titles=self.titles, normalize=normalize,
                            heading=f"After epoch {learn.epoch}")
        viz.save(figure, self.folder / f"epoch-{learn.epoch:02}.png")

    def _pixels(self, images: Any) -> Any:
        return images if self.normalize is None else self.normalize.denormalize(images)

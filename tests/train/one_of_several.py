"""A script that trains small nets with a Learner: alone, or as one of several processes.

    python one_of_several.py OUT CASE ...     writes weights, buffers and the history to OUT-CASE
"""

import sys

import numpy as np

import minilearn as ml
from minilearn import data, nn, optim, processes, train, xp
from minilearn.functional import cross_entropy, mse_loss

ITEMS = 29  # batches of 9, 9, 9 and 2: unequal shares, and a last batch too small to be shared


def mlp():
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))


def convolutions():
    return nn.Sequential(nn.Conv2d(1, 4, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
                         nn.Linear(4, 6), nn.BatchNorm1d(6, momentum=None), nn.Linear(6, 3))


class Penalty(train.Callback):
    """Add to the loss what depends on this share of the batch."""

    def after_loss(self, learn):
        self.plain = learn.loss
        learn.loss = learn.loss + 0.1 * (learn.output * learn.output).mean()

    def after_backward(self, learn):
        learn.loss = self.plain


class Crash(train.Callback):
    """Fail in the second worker only."""

    def after_backward(self, learn):
        if processes.rank() == 1 and learn.iteration == 3:
            raise ValueError("planted")


class Draw(train.Callback):
    """Draw where the net draws, and look at the batch there: it is the joined one again."""

    drawn = 0

    def after_loss(self, learn):
        assert len(learn.batch[0]) in (9, 2) and len(learn.output) <= len(learn.batch[0])
        self.drawn = xp.generator().integers(2**62)


def noisy(batch, generator):
    x, y = batch
    return x + generator.normal(size=x.shape), y


CASES = {  # model, shape of an item, loss, callbacks, sync_bn
    "mlp": (mlp, (4,), cross_entropy, [], False),
    "penalty": (mlp, (4,), cross_entropy, [Penalty()], False),
    "regression": (mlp, (4,), mse_loss, [], False),
    "joined_norm": (convolutions, (1, 2, 2), cross_entropy, [], True),
    "statistics": (convolutions, (1, 2, 2), cross_entropy, [], False),  # of weights that stay
    "own_norm": (convolutions, (1, 2, 2), cross_entropy, [], False),
    "dropout": (lambda: nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 3)),
                (4,), cross_entropy, [Draw()], False),
    "crash": (mlp, (4,), cross_entropy, [Crash()], False),
}


def learner(case):
    model, shape, loss, callbacks, sync_bn = CASES[case]
    train.work_together(sync_bn)
    ml.manual_seed(processes.rank())  # the first worker's weights and order are everyone's
    rng = np.random.default_rng(1)
    x = rng.normal(size=(ITEMS, *shape))
    y = rng.integers(3, size=ITEMS) if loss is cross_entropy else rng.normal(size=(ITEMS, 3))
    items = data.TensorDataset(x, y)
    return train.Learner(
        model().to("float64"), data.DataLoader(items, 9, shuffle=True, batch_transform=noisy),
        data.DataLoader(items, 7), loss=loss, callbacks=callbacks,
        metrics=[train.accuracy] if loss is cross_entropy else [],
        optimizer=lambda p: optim.SGD(p, 0.0 if case == "statistics" else 0.1, momentum=0.9))


def main(case, out):
    """Train one case, and write what came out of it."""
    learn = learner(case)
    learn.fit(3)
    print(f"worker {processes.rank()} is done with {case}")
    arrays = {name: value.numpy() for name, value in learn.model.state_dict().items()}
    history = [[v for k, v in row.items() if k != "seconds"] for row in learn.recorder.history]
    own = [callback.drawn for callback in learn.callbacks if isinstance(callback, Draw)]
    np.savez(f"{out}-{case}-{processes.rank()}.npz", losses=learn.recorder.losses, history=history,
             chance=xp.generator().integers(2**62), own=own, **arrays)


if __name__ == "__main__":
    out, *cases = sys.argv[1:]
    for name in cases:
        main(name, out)
    processes.leave()

"""Training in stages: sizes, frozen parts, rates, a fresh optimizer, and going on in the middle."""

import numpy as np
import pytest

import minilearn as ml
from minilearn import data, nn, optim, train
from minilearn.train import Stage, Stages


class TwoParts(nn.Sequential):
    """A net of two layer groups, with a batch norm in the first."""

    def __init__(self):
        super().__init__(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))

    def layer_groups(self):
        return [[self[0], self[1]], [self[2]]]


def scaled(factor):
    """A batch_transform by which one can tell the stages apart."""
    return lambda batch, generator: [batch[0] * np.float32(factor), batch[1]]


def learner(callbacks=()):
    ml.manual_seed(3)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)).astype("float32"), rng.integers(0, 2, 12)
    items = [(x[i], y[i]) for i in range(12)]
    loaders = [data.DataLoader(items, 6, shuffle=True, seed=5), data.DataLoader(items, 12)]
    return train.Learner(TwoParts(), *loaders, optimizer=optim.AdamW, callbacks=callbacks)


def plan():
    return [Stage(2, slice(1e-2), 6, scaled(1), frozen=True, pct_start=0.9),
            Stage(1, slice(1e-5, 1e-3), 4, scaled(2), scaled(3)), Stage(2, 1e-3, 3, scaled(4))]


class Watch(train.Callback):
    def __init__(self):
        self.seen = []

    def after_batch(self, learn):
        groups = learn.optimizer.param_groups
        self.seen.append({
            "epoch": learn.epoch, "batch": len(learn.batch[0]), "lrs": [g["lr"] for g in groups],
            "largest": float(abs(learn.batch[0].numpy()).max()),
            "steps": max((s["step"] for s in learn.optimizer.state.values()), default=0),
            "frozen": not learn.model[0].weight.requires_grad,
            "valid": float(learn.valid.batch_transform([np.ones(1), 0], None)[0][0]),
            "norm": learn.model[1].weight.requires_grad})


def run(**options):
    learn, watch = learner(), Watch()
    schedule = Stages(plan(), learn.train, **options)
    learn.fit(schedule.epochs, callbacks=[schedule, watch])
    return learn, watch.seen


def test_each_stage_has_its_batches_views_rates_and_frozen_parts():
    seen = run()[1]
    assert [row["batch"] for row in seen] == [6] * 4 + [4] * 3 + [3] * 8
    assert [row["frozen"] for row in seen] == [True] * 4 + [False] * 11
    assert all(row["norm"] for row in seen)
    assert [s["largest"] > 1.5 * seen[0]["largest"] for s in seen[4:7]].count(True) >= 1
    for row in seen[:4]:
        assert np.isclose(row["lrs"][1], 10 * row["lrs"][0])
    for row in seen[4:7]:
        assert np.isclose(row["lrs"][1], 100 * row["lrs"][0]) and row["lrs"][1] <= 1e-3
    assert [row["valid"] for row in seen] == [1] * 4 + [3] * 3 + [4] * 8


def test_each_stage_is_a_cycle_of_its_own():
    seen = run()[1]
    total, first = 8, 7  # two epochs of four batches, after 4 + 3 steps
    for step, row in enumerate(seen[first:]):
        assert np.isclose(row["lrs"][0], optim.one_cycle(step, total, 1e-3)[0])


def test_the_optimizer_begins_anew_with_each_stage():
    steps = [row["steps"] for row in run()[1]]
    assert steps == [1, 2, 3, 4, 1, 2, 3, 1, 2, 3, 4, 5, 6, 7, 8]


def test_frozen_weights_stay_and_batch_norm_learns():
    learn = learner()
    before = {name: p.detach().numpy().copy() for name, p in learn.model.named_parameters()}
    schedule = Stages(plan()[:1], learn.train)
    learn.fit(schedule.epochs, callbacks=[schedule])
    moved = {name for name, p in learn.model.named_parameters()
             if (p.detach().numpy() != before[name]).any()}
    assert moved == {"1.weight", "1.bias", "2.weight", "2.bias"}


def test_a_checkpoint_after_each_stage_but_the_last(tmp_path):
    run(folder=tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["stage-1.safetensors",
                                                          "stage-2.safetensors"]
    assert train.read_checkpoint(tmp_path / "stage-2.safetensors")["epoch"] == 3


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_going_on_in_the_middle(stop, tmp_path):
    whole = run()[0]

    class Stop(train.Callback):
        def before_epoch(self, learn):
            if learn.epoch == stop:
                raise KeyboardInterrupt

    def fresh():
        learn = learner([train.Checkpoint(tmp_path / "c")])
        learn.callbacks.append(Stages(plan(), learn.train))
        return learn

    with pytest.raises(KeyboardInterrupt):
        fresh().fit(5, callbacks=[Stop()])
    again = fresh()
    train.load_checkpoint(again, tmp_path / "c")
    again.fit(5)
    assert again.recorder.losses == whole.recorder.losses
    for p, q in zip(again.model.parameters(), whole.model.parameters(), strict=True):
        assert (p.detach().numpy() == q.detach().numpy()).all()


@pytest.mark.parametrize("wrong", [[], [Stage(0, 1e-3, 4, scaled(1))]])
def test_no_stage_is_no_training(wrong):
    with pytest.raises(ValueError, match="at least one stage"):
        Stages(wrong, None)

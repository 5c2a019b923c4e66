"""The loop and its callbacks, on problems small enough to know the answer."""

import csv
import math

import numpy as np
import pytest

import minilearn as ml
from minilearn import data, nn, optim, train
from minilearn.functional import mse_loss


def learner(callbacks=(), seed=0, lr=0.1, **kwargs):
    """Fit y = 2 x - 1 with one linear layer."""
    ml.manual_seed(seed)
    x = np.linspace(-1, 1, 32, dtype=np.float32)[:, None]
    sets = data.TensorDataset(x, 2 * x - 1)
    loaders = data.DataLoader(sets, 8, shuffle=True), data.DataLoader(sets, 10)
    kwargs = {"loss": mse_loss, "metrics": (), "optimizer": lambda p: optim.SGD(p, lr=lr)} | kwargs
    return train.Learner(nn.Sequential(nn.Linear(1, 1)), *loaders, callbacks=callbacks, **kwargs)


class Diary(train.Callback):
    """Write down every event."""

    def __init__(self):
        self.events = []


for _event in [n for n in vars(train.Callback) if n.startswith(("before_", "after_", "on_"))]:
    setattr(Diary, _event, lambda self, learn, *d, e=_event: self.events.append(e))


def test_it_learns_a_line():
    learn = learner()
    learn.fit(20)
    (layer,) = learn.model
    assert layer.weight.item() == pytest.approx(2, abs=1e-2)
    assert layer.bias.item() == pytest.approx(-1, abs=1e-2)
    assert learn.recorder.history[-1]["valid_loss"] < 1e-3


def test_events_come_in_the_declared_order():
    diary = Diary()
    learner([diary]).fit(2)
    batch = ["before_batch", "after_loss", "after_backward", "after_batch"]
    epoch = ["before_epoch", *batch * 4, "after_epoch"]
    assert diary.events == ["before_fit", *epoch * 2, "after_fit"]


def test_errors_are_told_and_raised_again():
    class Trouble(train.Callback):
        def after_backward(self, learn):
            raise ZeroDivisionError("trouble")

    diary = Diary()
    with pytest.raises(ZeroDivisionError, match="trouble"):
        learner([diary, Trouble()]).fit(1)
    assert diary.events[-2:] == ["on_error", "after_fit"]


def test_a_misspelt_event_is_refused():
    with pytest.raises(TypeError, match="after_bacth.*no such event.*after_batch"):
        class Typo(train.Callback):
            def after_bacth(self, learn):
                pass


def test_validation_weighs_batches_by_their_size():
    learn = learner()
    got = learn.validate()["valid_loss"]  # batches of 10, 10, 10 and 2
    x = ml.tensor(np.linspace(-1, 1, 32, dtype=np.float32)[:, None])
    assert got == pytest.approx(mse_loss(learn.model(x), 2 * x - 1).item(), rel=1e-5)
    assert not learn.model.training


def test_history_and_smoothed_loss():
    learn = learner()
    learn.fit(3)
    recorder = learn.recorder
    assert [row["epoch"] for row in recorder.history] == [1, 2, 3]
    mean = 0.0
    for loss in recorder.losses:
        mean = 0.98 * mean + 0.02 * loss
    unbiased = mean / (1 - 0.98 ** len(recorder.losses))
    assert recorder.history[-1]["train_loss"] == pytest.approx(unbiased)


def test_one_cycle_sets_rate_and_momentum():
    learn = learner(optimizer=lambda p: optim.AdamW(p))
    learn.fit(5, callbacks=[train.OneCycle(0.1)])
    lrs, momenta = learn.recorder.lrs, learn.recorder.momenta
    assert len(lrs) == 20 and max(lrs) == pytest.approx(0.1)
    assert lrs[0] == pytest.approx(0.1 / 25) and lrs.index(max(lrs)) == 6
    assert momenta[0] == pytest.approx(0.95) and min(momenta) == pytest.approx(0.85)
    assert lrs[-1] == pytest.approx(0.1 * (1 + math.cos(math.pi * 13 / 14)) / 2, rel=1e-3)


def test_csv_log(tmp_path):
    learn = learner([train.CSVLog(tmp_path / "run" / "history.csv")])
    learn.fit(2)
    with open(tmp_path / "run" / "history.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["valid_loss"]) for row in rows] == [
        row["valid_loss"] for row in learn.recorder.history]


def test_early_stopping():
    stopping = train.EarlyStopping(patience=2, min_delta=1e9)  # nothing improves by that much
    learn = learner([stopping])
    learn.fit(50)
    assert learn.epoch == 3 and "has not improved for 2 epochs" in learn.stopped
    with pytest.raises(ValueError, match="mode"):
        train.EarlyStopping(mode="up")
    with pytest.raises(KeyError, match="no 'accuracy' is measured"):
        learner([train.EarlyStopping("accuracy")]).fit(1)


def test_divergence_names_step_rate_and_layer():
    learn = learner([train.StopOnNaN()], lr=1e39)
    with pytest.raises(train.Diverged, match=r"step \d.*learning rate 1e\+39.*0\.(weight|bias)"):
        learn.fit(5)


def test_divergence_in_the_loss_itself_is_said():
    learn = learner([train.StopOnNaN()], lr=1e30)  # outputs of 1e30, their squares overflow
    with pytest.raises(train.Diverged, match="loss is inf at step 2.*the loss function made it"):
        learn.fit(1)


def test_divergence_names_the_layer_that_began_it():
    class Log(nn.Module):
        def forward(self, x):
            return (x - x.max()).log()  # log(0) at the largest element

    learn = learner([train.StopOnNaN()])
    learn.model = nn.Sequential(nn.Linear(1, 1), Log(), nn.Linear(1, 1))
    with pytest.raises(train.Diverged, match="output of 1 "):
        learn.fit(1)


def test_a_bad_batch_is_named():
    learn = learner([train.StopOnNaN()])
    learn.train = [(ml.tensor(np.full((4, 1), np.nan, np.float32)), ml.zeros(4, 1))]
    with pytest.raises(train.Diverged, match="input batch itself"):
        learn.fit(1)


class Kill(train.Callback):
    """Interrupt the run in the middle of an epoch."""

    def __init__(self, iteration):
        self.iteration = iteration

    def after_backward(self, learn):
        if learn.iteration == self.iteration:
            raise KeyboardInterrupt


def state(learn):
    return [value.numpy().copy() for value in learn.model.state_dict().values()]


@pytest.mark.parametrize("killed_at", [5, 9, 23])
def test_a_killed_and_resumed_run_equals_an_uninterrupted_one(tmp_path, killed_at):
    adam = {"optimizer": lambda p: optim.AdamW(p)}
    whole = learner([train.Checkpoint(tmp_path / "whole")], **adam)
    whole.fit(6, callbacks=[train.OneCycle(0.1)])
    first = learner([train.Checkpoint(tmp_path / "part")], **adam)
    with pytest.raises(KeyboardInterrupt):
        first.fit(6, callbacks=[train.OneCycle(0.1), Kill(killed_at)])
    second = learner([train.Checkpoint(tmp_path / "part")], seed=99, **adam)
    train.load_checkpoint(second, tmp_path / "part")
    assert second.epoch == killed_at // 4
    second.fit(6, callbacks=[train.OneCycle(0.1)])
    for a, b in zip(state(whole), state(second), strict=True):
        assert np.array_equal(a, b)
    without_time = [[{k: v for k, v in row.items() if k != "seconds"} for row in r.recorder.history]
                    for r in (whole, second)]
    assert without_time[0] == without_time[1]
    assert whole.recorder.losses == second.recorder.losses


def test_damaged_and_foreign_checkpoints(tmp_path):
    learn = learner()
    train.save_checkpoint(learn, tmp_path / "good")
    content = (tmp_path / "good").read_bytes()
    for name, bad in {"cut": content[:-7], "empty": b"", "text": b"no checkpoint at all"}.items():
        (tmp_path / name).write_bytes(bad)
        with pytest.raises(ValueError, match=f"{name} is not a whole checkpoint"):
            train.load_checkpoint(learn, tmp_path / name)
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        train.load_checkpoint(learn, tmp_path / "absent")
    learn.model = nn.Sequential(nn.Linear(1, 2))
    with pytest.raises(Exception, match="0.weight"):
        train.load_checkpoint(learn, tmp_path / "good")


def test_writing_fails_without_leaving_half_a_file(tmp_path, monkeypatch):
    target = tmp_path / "file"
    target.write_bytes(b"before")
    monkeypatch.setattr("os.replace", lambda *a: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        train.files.write_whole(target, b"after")
    assert target.read_bytes() == b"before" and list(tmp_path.iterdir()) == [target]


def test_lr_find_puts_everything_back():
    learn = learner()
    before = state(learn)
    found = train.lr_find(learn, start=1e-5, end=100, steps=60)
    assert all(np.array_equal(a, b) for a, b in zip(before, state(learn), strict=True))
    assert learn.epoch == learn.iteration == 0 and learn.recorder.history == []
    assert found.lrs[0] == pytest.approx(1e-5) and found.lrs == sorted(found.lrs)
    assert 1e-3 < found.steepest < 10 and len(found.lrs) < 60  # it exploded before the end
    assert found.minimum_tenth < found.lrs[-1]
    with pytest.raises(ValueError, match="start < end"):
        train.lr_find(learn, start=1, end=0.1)


def test_smoothed_is_debiased():
    smoothed = train.Smoothed()
    assert math.isnan(smoothed.value)
    assert smoothed.add(3.0) == pytest.approx(3.0)  # the first value is itself, not 0.02 * 3
    assert smoothed.add(3.0) == pytest.approx(3.0)


def test_metrics_against_numpy():
    rng = np.random.default_rng(0)
    scores, target = rng.standard_normal((50, 7)).astype("f4"), rng.integers(0, 7, 50)
    right = (scores.argmax(1) == target).mean()
    assert train.accuracy(ml.tensor(scores), ml.tensor(target)).item() == pytest.approx(right)
    assert train.error_rate(ml.tensor(scores), ml.tensor(target)).item() == pytest.approx(1 - right)
    best = (np.argsort(-scores, 1)[:, :3] == target[:, None]).any(1).mean()
    got = train.top_k_accuracy(ml.tensor(scores), ml.tensor(target), k=3)
    assert got.item() == pytest.approx(best)


def test_average_weighs_by_items_and_is_nan_at_first():
    average = train.Average(lambda output, target: (output - target).abs().mean())
    assert math.isnan(average.value)
    average.add(ml.tensor([3.0]), ml.tensor([0.0]))
    average.add(ml.tensor([1.0, 1.0, 1.0]), ml.tensor([0.0, 0.0, 0.0]))
    assert average.value == pytest.approx(1.5)


def test_stop_fit_ends_in_good_order():
    class Enough(train.Callback):
        def after_epoch(self, learn):
            raise train.StopFit("enough")

    diary = Diary()
    learn = learner([diary, Enough()])
    learn.fit(9)
    assert learn.stopped == "enough" and learn.epoch == 1
    assert diary.events[-1] == "after_fit" and "on_error" not in diary.events


def test_fit_one_cycle_is_fit_with_one_cycle():
    one = learner(optimizer=optim.AdamW)
    one.fit_one_cycle(3, 0.1)
    other = learner(optimizer=optim.AdamW)
    other.fit(3, callbacks=[train.OneCycle(0.1)])
    assert one.recorder.losses == other.recorder.losses


def test_an_evaluator_needs_no_optimizer():
    class Asked(train.Evaluator):
        model, loss_function, metrics, valid = nn.Identity(), staticmethod(mse_loss), (), None

    got = Asked().validate([(ml.tensor([[2.0]]), ml.tensor([[0.0]]))])
    assert got == {"valid_loss": 4.0}
    with pytest.raises(ValueError, match="no validation data"):
        Asked().validate()


def test_a_checkpoint_can_be_read_without_a_learner(tmp_path):
    learn = learner()
    learn.fit(2)
    train.save_checkpoint(learn, tmp_path / "kept")
    kept = train.read_checkpoint(tmp_path / "kept")
    assert kept["epoch"] == 2 and kept["iteration"] == 8
    assert np.array_equal(kept["model"]["0.weight"].numpy(), learn.model[0].weight.detach().numpy())

"""Pictures of a run: the numbers in the lines are the numbers of the run."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minilearn import viz
from minilearn.train import LRFinder, Recorder


def run(losses, per_epoch=4, valid=True, epochs=None):
    """A learner after training: every number it has recorded."""
    recorder, epochs = Recorder(), len(losses) // per_epoch if epochs is None else epochs
    recorder.losses = list(losses)
    recorder.lrs = [0.1 + i for i in range(len(losses))]
    recorder.momenta = [0.9 - i / 100 for i in range(len(losses))]
    measured = {"valid_loss": 0.5, "accuracy": 0.75, "error_rate": 0.25} if valid else {}
    for epoch in range(1, epochs + 1):
        row = {name: value / epoch for name, value in measured.items()}
        recorder.history.append({"epoch": epoch, "train_loss": 1.0, **row, "seconds": 60.0})
    return SimpleNamespace(recorder=recorder, train=range(per_epoch))


def lines(figure):
    return {line.get_label(): line for axes in figure.axes for line in axes.get_lines()}


def loss_list(smallest):
    return st.lists(st.floats(smallest, 10), min_size=1, max_size=20)


@settings(max_examples=15)
@given(loss_list(0.01), st.integers(1, 5))
def test_losses_of_batches_smoothed_and_validation(losses, per_epoch):
    learn = run(losses, per_epoch)
    drawn = lines(viz.losses(learn))
    batches = drawn["training, each batch"]
    assert batches.get_xdata().tolist() == list(range(1, len(losses) + 1))
    assert list(batches.get_ydata()) == losses
    weights = [0.98 ** (len(losses) - 1 - i) for i in range(len(losses))]
    average = np.average(losses, weights=weights)  # what the debiased moving average amounts to
    assert math.isclose(drawn["training, smoothed"].get_ydata()[-1], average)
    if learn.recorder.history:
        valid = drawn["validation, each epoch"]
        ends = [per_epoch * (e + 1) for e in range(len(losses) // per_epoch)]
        assert list(valid.get_xdata()) == ends
        assert list(valid.get_ydata()) == [row["valid_loss"] for row in learn.recorder.history]


def test_the_batches_are_thin_beside_the_trend():
    drawn = lines(viz.losses(run([1.0] * 4)))
    batches, trend = drawn["training, each batch"], drawn["training, smoothed"]
    assert batches.get_linewidth() < trend.get_linewidth() / 2


@pytest.mark.parametrize("losses, scale", [
    ([1.0, 0.1], "log"), ([1.0, 0.0], "linear"), ([-1.0, 1.0], "linear"),
    ([1.0, float("inf"), 0.5], "log"), ([1.0, float("nan"), 0.5], "log"), ([float("nan")], None),
])
def test_the_axis_is_logarithmic_where_it_can_be(losses, scale, tmp_path):
    figure = viz.losses(run(losses))
    if scale:
        assert figure.axes[0].get_yscale() == scale
    viz.save(figure, tmp_path / "losses.png")  # and nothing warns


def test_without_validation_there_is_no_line_for_it():
    assert "validation, each epoch" not in lines(viz.losses(run([1.0] * 8, valid=False)))


def test_a_panel_for_each_metric():
    figure = viz.metrics(run([1.0] * 12))
    assert [axes.get_ylabel() for axes in figure.axes] == ["accuracy", "error rate"]
    assert [list(a.get_lines()[0].get_xdata()) for a in figure.axes] == [[1, 2, 3]] * 2
    np.testing.assert_allclose(figure.axes[0].get_lines()[0].get_ydata(), [0.75, 0.375, 0.25])
    assert figure.axes[0].get_title(loc="left") == "Accuracy: 0.2500 at the end"


@pytest.mark.parametrize("epochs", [1, 2, 12])
def test_epochs_are_whole_numbers(epochs):
    figure = viz.metrics(run([1.0] * epochs, per_epoch=1))
    low, high = figure.axes[0].get_xlim()
    ticks = [tick for tick in figure.axes[0].get_xticks() if low <= tick <= high]
    assert ticks and all(tick == round(tick) for tick in ticks)


def test_schedules_are_what_was_recorded():
    learn = run([1.0] * 6)
    rate, momentum = viz.schedules(learn).axes
    assert list(rate.get_lines()[0].get_ydata()) == learn.recorder.lrs
    assert list(momentum.get_lines()[0].get_ydata()) == learn.recorder.momenta
    assert rate.get_ylabel() == "learning rate" and momentum.get_ylabel() == "momentum"


def finder(points=60):
    lrs = [1e-6 * 10 ** (i / 10) for i in range(points)]
    falls = [1 / (1 + math.exp(-3 * (math.log10(lr) + 2))) for lr in lrs]
    return LRFinder(lrs, [2 - fall + lr**2 / 10 for fall, lr in zip(falls, lrs, strict=True)])


def test_the_finder_marks_both_suggestions_on_the_curve():
    found = finder()
    figure = viz.lr_finder(found)
    axes, drawn = figure.axes[0], lines(figure)
    curve = axes.get_lines()[0]
    assert axes.get_xscale() == "log"
    assert (list(curve.get_xdata()), list(curve.get_ydata())) == found.shown()
    for name, lr in (("falls fastest", found.steepest), ("is lowest", found.minimum_tenth)):
        (mark,) = (line for label, line in drawn.items() if name in label)
        assert list(mark.get_xdata()) == [lr] and f"{lr:.2g}" in mark.get_label()
        want = np.interp(math.log(lr), np.log(curve.get_xdata()), curve.get_ydata())
        assert math.isclose(mark.get_ydata()[0], want)


def test_axes_are_named_and_figures_described():
    learn = run([1.0, 0.5] * 6)
    drawings = [draw(learn) for draw in (viz.losses, viz.metrics, viz.schedules)]
    for figure in [*drawings, viz.lr_finder(finder())]:
        for axes in figure.axes:
            assert axes.get_xlabel() and axes.get_ylabel() and axes.get_title(loc="left")
        assert len(figure.get_label()) > 30


def test_an_untrained_learner_is_told_to_train():
    for draw in (viz.losses, viz.schedules):
        with pytest.raises(ValueError, match="call learn.fit first"):
            draw(run([]))
    for learn in (run([]), run([1.0] * 4, valid=False)):
        with pytest.raises(ValueError, match="metrics: none has been measured"):
            viz.metrics(learn)
    with pytest.raises(ValueError, match="only 12 points"):
        viz.lr_finder(finder(12))

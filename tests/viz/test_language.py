"""Pictures of a language model: what is drawn are the numbers given."""

import numpy as np
import pytest

from minilearn import viz
from minilearn.errors import ShapeError

RNG = np.random.default_rng(0)


def test_wrong_places_are_where_they_are():
    wrong = RNG.random((4, 9)) < 0.3
    figure = viz.wrong_places(wrong)
    (line,) = figure.axes[0].get_lines()
    drawn = {(int(row), int(time)) for time, row in zip(*line.get_data(), strict=True)}
    assert drawn == set(map(tuple, np.argwhere(wrong)))
    assert figure.axes[0].get_title(loc="left") == f"Wrong tokens: {wrong.sum()} of 36"
    with pytest.raises(ShapeError, match=r"\(rows, time\), got \(3,\)"):
        viz.wrong_places(np.zeros(3, bool))


def test_loss_by_position():
    losses = np.array([2.0, 1.0, 0.5])
    figure = viz.loss_by_position(losses)
    (line,) = figure.axes[0].get_lines()
    assert line.get_xdata().tolist() == [1, 2, 3] and line.get_ydata().tolist() == losses.tolist()
    assert figure.axes[0].get_ylim()[0] == 0 and "2 at the first" in figure.get_label()


def test_token_accuracy_shows_the_commonest_tokens():
    counts = {"$a$": (1, 4), "b": (9, 10), "c": (1, 1)}
    figure = viz.token_accuracy(counts, most=2)
    bars = [bar.get_width() for bar in figure.axes[0].patches]
    assert bars == [90, 25]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["b  (10)", "$a$  (4)"] and "'$a$', 1 of 4" in figure.get_label()
    with pytest.raises(ValueError, match="no token"):
        viz.token_accuracy({})


def images(figure):
    return [image for axes in figure.axes for image in axes.get_images()]


def test_states_over_time(tmp_path):
    states, tokens = RNG.standard_normal((5, 2, 3)) * 2, ["one", ",", "$x", "_y", "xxbos"]
    figure = viz.states_over_time(states, tokens)
    for layer, image in enumerate(images(figure)):
        drawn = np.asarray(image.get_array())
        assert drawn.shape == (3, 5)  # units down, time to the right
        assert (np.sort(drawn, 0) == np.sort(states[:, layer].T, 0)).all()
        assert image.norm.vmax == -image.norm.vmin == abs(states).max()
        assert (np.diff(drawn.mean(1)) >= 0).all()  # alike units side by side
    named = [axes for axes in figure.axes if axes.get_xlabel() == "token read"]
    assert [label.get_text() for label in named[0].get_xticklabels()] == tokens
    viz.save(figure, tmp_path / "states.png")  # and nothing warns


def test_gates_over_time():
    reset, update = RNG.random((5, 2, 3)), RNG.random((5, 2, 3))
    figure = viz.gates_over_time(reset, update, list("abcde"))
    drawn = images(figure)
    wanted = [reset[:, 0], update[:, 0], reset[:, 1], update[:, 1]]
    assert len(drawn) == 4
    for image, values in zip(drawn, wanted, strict=True):
        assert (np.sort(np.asarray(image.get_array()), 0) == np.sort(values.T, 0)).all()
        assert (image.norm.vmin, image.norm.vmax) == (0, 1)


def test_tokens_must_fit():
    with pytest.raises(ShapeError, match=r"got \(5, 2, 3\) and 4 tokens"):
        viz.states_over_time(np.zeros((5, 2, 3)), list("abcd"))
    with pytest.raises(ShapeError, match=r"\(time, layers, units\)"):
        viz.gates_over_time(np.zeros((5, 3)), np.zeros((5, 3)), list("abcde"))

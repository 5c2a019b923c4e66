"""Rows of input, prediction and target; masks in colours."""

import numpy as np
import pytest

import minilearn as ml
from minilearn import data, viz
from minilearn.errors import ShapeError
from minilearn.viz.strips import COLOURS


def images(n=2, h=4, w=6, value=0.5):
    return np.full((n, 3, h, w), value, "float32")


def drawn(figure):
    return [axes.images[0].get_array() for axes in figure.axes]


def test_a_row_for_each_item_and_a_column_for_each_batch():
    columns = [images(value=value) for value in (0.1, 0.2, 0.3)]
    for column in columns:
        column[1] += 0.5  # the second row
    figure = viz.strips(columns[0], ml.tensor(columns[1]), columns[2], heading="After epoch 3")
    assert [round(float(a.mean()), 3) for a in drawn(figure)] == [0.1, 0.2, 0.3, 0.6, 0.7, 0.8]
    assert [axes.get_title() for axes in figure.axes] == ["Input", "Prediction", "Target", "", "",
                                                          ""]
    assert figure.get_suptitle() == "After epoch 3"


def test_the_normalisation_is_undone_and_what_is_too_bright_is_cut():
    normalize = data.Normalize([0.5] * 3, [0.25] * 3)
    a, b = drawn(viz.strips(images(1, value=1.0), images(1, value=9.0), titles=("a", "b"),
                            normalize=normalize))
    assert np.allclose(a, 0.75) and np.allclose(b, 1)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"\[1, 2\] images"):
        viz.strips(images(1), images(2), titles=("a", "b"))
    with pytest.raises(ValueError, match="3 titles for 2 columns"):
        viz.strips(images(), images())


def test_a_colour_for_each_class():
    labels = np.array([[[0, 1, 2]], [[5, 7, 8]]])
    found = viz.coloured(labels)
    assert found.shape == (2, 3, 1, 3)
    np.testing.assert_allclose(found[0, :, 0, 1] * 255, COLOURS[1])
    np.testing.assert_allclose(found[1, :, 0, 2] * 255, COLOURS[0])  # they begin anew
    assert len({tuple(colour) for colour in COLOURS.tolist()}) == len(COLOURS)
    for wrong in (labels[0], labels.astype("float32")):
        with pytest.raises(ShapeError, match="coloured: expected whole numbers"):
            viz.coloured(wrong)

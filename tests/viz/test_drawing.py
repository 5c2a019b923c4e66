"""Boxes, arrays and curves: everything given is drawn, once, and told in words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minilearn as ml
from minilearn import viz


def texts(axes):
    return [text.get_text() for text in axes.texts if text.get_text()]


# ---------------------------------------------------------------- diagrams


@settings(max_examples=10)
@given(columns=st.integers(2, 5), label=st.booleans())
def test_a_diagram_draws_each_box_and_each_arrow(columns, label):
    names = [f"box {i}" for i in range(columns)]
    arrows = [(a, b, "slope") if label else (a, b) for a, b in zip(names[:-1], names[1:],
                                                                   strict=True)]
    figure = viz.diagram({name: (i, 0) for i, name in enumerate(names)}, arrows, title="Title")
    axes = figure.axes[0]
    assert [t for t in texts(axes) if t != "slope"] == names
    assert texts(axes).count("slope") == label * len(arrows)
    assert sum(hasattr(t, "arrow_patch") for t in axes.texts) == len(arrows)
    assert all(name in figure.get_label() for name in ("Title", *names))


def bend(figure):
    arrow = next(t for t in figure.axes[0].texts if hasattr(t, "arrow_patch"))
    return arrow.arrow_patch.get_connectionstyle().rad


def test_an_arrow_bends_around_a_box_between_only():
    boxes = {"a": (0, 0), "b": (1, 0), "c": (2, 0), "d": (1, 1)}
    assert bend(viz.diagram(boxes, [("a", "b")])) == 0
    assert bend(viz.diagram(boxes, [("a", "c")])) != 0
    assert bend(viz.diagram(boxes, [("a", "d")])) == 0


def test_a_box_can_have_another_text_and_be_marked():
    figure = viz.diagram({"a": (0, 0, "x = 2"), "b": (1, 0)}, marked=["b"])
    plain, marked = (t.get_bbox_patch().get_facecolor() for t in figure.axes[0].texts)
    assert texts(figure.axes[0]) == ["x = 2", "b"] and plain != marked


def test_an_arrow_to_nowhere_is_refused():
    with pytest.raises(ValueError, match=r"an arrow at 'c', but the boxes are \['a', 'b'\]"):
        viz.diagram({"a": (0, 0), "b": (1, 0)}, [("a", "c")])


# ---------------------------------------------------------------- small arrays


@settings(max_examples=10)
@given(rows=st.integers(1, 3), columns=st.integers(1, 4), tensor=st.booleans())
def test_every_number_stands_in_its_cell(rows, columns, tensor):
    x = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns) - 2
    figure = viz.number_grids({"x": ml.tensor(x) if tensor else x, "row": x[0]}, between=["→"])
    first, second = figure.axes
    placed = {tuple(map(float, t.get_position())): t.get_text() for t in first.texts}
    assert all(placed[c, r] == f"{x[r, c]:g}" for r in range(rows) for c in range(columns))
    assert [a.get_title() for a in figure.axes] == ["x", "row"] and "→" in texts(second)
    assert f"row = {' '.join(f'{v:g}' for v in x[0])}" in figure.get_label()


def test_marked_cells_are_framed():
    marks = np.array([[0, 1], [1, 0]])
    axes = viz.number_grids({"x": np.ones((2, 2))}, marked={"x": marks}).axes[0]
    assert {(p.get_x() + 0.5, p.get_y() + 0.5) for p in axes.patches} == {(1, 0), (0, 1)}


def test_zero_is_white_and_signs_have_colours():
    image = viz.number_grids({"x": np.array([[-1.0, 0.0, 3.0]])}).axes[0].get_images()[0]
    low, zero, high = image.cmap(image.norm(image.get_array()))[0, :, :3]
    assert low[0] > low[2] and high[2] > high[0] and zero.min() > 0.95


@pytest.mark.parametrize("arrays, marks", [
    ({"x": np.ones((2, 2, 2))}, {}), ({"x": np.ones((2, 2))}, {"x": np.ones((2, 3))})])
def test_arrays_that_cannot_be_drawn_are_refused(arrays, marks):
    with pytest.raises(ValueError, match=r"number_grids: 'x' is \(2, 2"):
        viz.number_grids(arrays, marked=marks)


# ---------------------------------------------------------------- curves


def test_curves_draw_ours_and_what_is_published():
    figure = viz.curves({"ours": [0.5, 0.8, 0.9]}, {"theirs": [0.4, 0.7], "record": 0.95})
    ours, theirs, record = figure.axes[0].lines
    assert ours.get_xydata().tolist() == [[1, 0.5], [2, 0.8], [3, 0.9]]
    assert theirs.get_xydata().tolist() == [[1, 0.4], [2, 0.7]]
    assert set(record.get_ydata()) == {0.95} and record.get_linestyle() == "--"
    assert [line.get_label() for line in figure.axes[0].lines] == ["ours", "theirs", "record"]
    assert figure.get_label() == "accuracy: ours ends at 0.9; theirs, 0.7; record, 0.95."


def test_curves_have_a_scale():
    values = {"x": [1.0, 0.01]}
    assert viz.curves(values, scale="log").axes[0].get_yscale() == "log"
    assert viz.curves(values).axes[0].get_yscale() == "linear"


@pytest.mark.parametrize("ours", [{}, {"x": []}])
def test_curves_of_nothing_are_refused(ours):
    with pytest.raises(ValueError, match="curves: nothing to draw"):
        viz.curves(ours)

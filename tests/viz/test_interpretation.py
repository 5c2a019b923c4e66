"""Pictures of mistakes, and how every figure is saved."""

import subprocess
import sys
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from minilearn import viz
from minilearn.data import Images
from minilearn.train import Interpretation


def seen(count=30, classes=3, seed=0, names=None):
    rng = np.random.default_rng(seed)
    outputs = rng.normal(size=(count, classes))
    probabilities = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    targets = rng.integers(0, classes, count)
    losses = -np.log(probabilities[np.arange(count), targets])
    names = names or [str(i) for i in range(classes)]
    data = Images(rng.integers(0, 256, (count, 5, 5), dtype=np.uint8), targets, names)
    return Interpretation(outputs, probabilities, targets, losses, names, data)


@settings(max_examples=12)
@given(st.integers(1, 40), st.integers(2, 6), st.integers(0, 99), st.booleans())
def test_every_count_stands_in_its_cell(count, classes, seed, normalize):
    told = seen(count, classes, seed)
    axes = viz.confusion_matrix(told, normalize=normalize).axes[0]
    counts = told.confusion_matrix()
    shares = counts / np.maximum(counts.sum(1), 1)[:, None]
    drawn = axes.get_images()[0].get_array()
    np.testing.assert_array_equal(drawn, shares if normalize else counts)
    texts = {text.get_position()[::-1]: text for text in axes.texts}  # (row, column)
    assert len(texts) == classes**2
    for place, text in texts.items():
        assert text.get_text() == (f"{shares[place]:.2f}" if normalize else str(counts[place]))
        assert (text.get_color() == "white") == (drawn[place] > drawn.max() / 2)


def test_rows_are_actual_and_columns_predicted():
    outputs = np.array([[0.0, 1.0]])
    told = Interpretation(outputs, outputs, np.array([0]), np.ones(1), "ab")
    axes = viz.confusion_matrix(told).axes[0]
    assert axes.get_images()[0].get_array().tolist() == [[0, 1], [0, 0]]  # a taken for b
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("actual", "predicted")
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b"]
    assert "0 of 1 right" in axes.get_title(loc="left")


@pytest.mark.parametrize("k", [1, 4, 9])
def test_top_losses_show_the_worst_images_and_say_why(k):
    told = seen(names=["cat", "dog", "owl"])
    figure = viz.top_losses(told, k)
    order = sorted(range(30), key=lambda i: -told.losses[i])[:k]
    shown = [axes for axes in figure.axes if axes.get_images()]
    assert len(shown) == k
    for axes, i in zip(shown, order, strict=True):
        np.testing.assert_array_equal(axes.get_images()[0].get_array(), told.dataset[i][0][0])
        predicted, actual = told.classes[told.outputs[i].argmax()], told.classes[told.targets[i]]
        chance = told.probabilities[i, told.targets[i]]
        assert axes.get_title() == f"{predicted} / {actual}\n{told.losses[i]:.2f} / {chance:.3f}"


def test_more_images_than_there_are():
    with pytest.raises(ValueError, match="k=9, but there are 4 items"):
        viz.top_losses(seen(4))
    with pytest.raises(ValueError, match="nothing to draw"):
        viz.top_losses(seen(4), 0)


# ---------------------------------------------------------------- the look, and saving


def figures():
    told = seen()
    return {"matrix": viz.confusion_matrix(told), "losses": viz.top_losses(told)}


def test_a_figure_is_saved_whole_with_its_description(tmp_path):
    for name, figure in figures().items():
        path = tmp_path / "new" / f"{name}.png"
        assert viz.save(figure, path) is figure
        with Image.open(path) as image:
            image.load()
            width, height = figure.get_size_inches()
            assert image.size == (int(width * 150), int(height * 150))
            assert image.info["Description"] == figure.get_label() != ""
            assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["losses.png", "matrix.png"]


def test_saving_twice_gives_the_same_file(tmp_path):
    for name in ("a.png", "b.png"):
        viz.save(viz.confusion_matrix(seen()), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "figure.svg"])
def test_other_kinds_of_files_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match="end the name in .png"):
        viz.save(viz.confusion_matrix(seen()), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_the_users_own_style_is_neither_used_nor_changed(tmp_path):
    viz.save(viz.confusion_matrix(seen()), tmp_path / "plain.png")
    with matplotlib.rc_context({"font.size": 30, "savefig.dpi": 20, "ytick.major.pad": 40}):
        before = dict(matplotlib.rcParams)
        viz.save(viz.confusion_matrix(seen()), tmp_path / "own.png")
        with pytest.raises(ValueError, match="nothing has been recorded"):
            viz.losses(SimpleNamespace(recorder=SimpleNamespace(losses=[])))
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "own.png").read_bytes() == (tmp_path / "plain.png").read_bytes()


def test_no_pyplot_and_no_display_are_needed(tmp_path):
    code = f"""
import sys, numpy as np
from minilearn import viz
assert "matplotlib" not in sys.modules
viz.save(viz.image_grid(np.zeros((1, 1, 2, 2), np.float32)), {str(tmp_path / "a.png")!r})
assert "matplotlib.pyplot" not in sys.modules
"""
    bare = {"PATH": "", "HOME": str(tmp_path), "MPLBACKEND": "tkagg"}
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], env=bare,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr

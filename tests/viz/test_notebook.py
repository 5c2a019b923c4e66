"""Showing figures: in a file, or below the cell of a notebook."""

import subprocess
import sys
import types

import pytest
from PIL import Image

from minilearn import viz
from minilearn.viz import notebook


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINILEARN_FIGURES", str(tmp_path / "figures"))
    return tmp_path / "figures"


def empty():
    return viz.new_figure(2, 1)


def told(path):
    """The text in a PNG file."""
    with Image.open(path) as picture:
        return picture.info["Description"]


def test_a_script_gets_numbered_files_with_their_texts(folder, capsys):
    viz.show(empty(), "nothing at all")
    viz.show(viz.describe(empty(), "nothing again"))
    first, second = sorted(folder.iterdir(), key=lambda p: int(p.stem.split("-")[-1]))
    assert told(first) == "nothing at all"
    assert capsys.readouterr().out == f"[figure {first}: nothing at all]\n" \
                                      f"[figure {second}: nothing again]\n"


def test_a_text_given_replaces_the_figures_own(folder):
    viz.show(viz.describe(empty(), "old"), "new")
    assert told(next(folder.iterdir())) == "new"


def test_a_figure_without_a_text_is_refused(folder):
    with pytest.raises(ValueError, match="no text for people who cannot see it"):
        viz.show(empty())
    assert not folder.exists()


def test_a_notebook_gets_the_picture_with_its_text(folder, monkeypatch):
    shown = []
    display = types.SimpleNamespace(Image=lambda data, **look: (data, look), display=shown.append)
    kernel = types.SimpleNamespace(kernel=object())
    ipython = types.SimpleNamespace(get_ipython=lambda: kernel, display=display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    assert viz.show(empty(), "nothing") is None
    (data, look), = shown
    assert data.startswith(b"\x89PNG") and look == {"width": 192, "alt": "nothing"}
    assert not folder.exists()


def test_ipython_without_a_kernel_is_a_terminal(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    assert not notebook._in_notebook()


def test_files_are_called_after_the_script(tmp_path, folder):
    script = tmp_path / "07_unet.py"
    script.write_text("from minilearn import viz\nviz.show(viz.new_figure(1, 1), 'nothing')\n")
    subprocess.run([sys.executable, "-W", "error", script], check=True, capture_output=True)
    assert [p.name for p in folder.iterdir()] == ["07_unet-1.png"]


def test_a_figure_of_ones_own_gets_the_look(folder):
    @viz.styled
    def draw():
        figure = viz.new_figure(2, 2)
        figure.subplots()
        return figure

    axes = draw().axes[0]
    assert not axes.spines["top"].get_visible()

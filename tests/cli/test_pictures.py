"""The commands for pictures, as typed."""

import io

import pytest

from minilearn.cli import bars, main
from minilearn.data import read_picture
from tests.data.pictures.samples import folder_of, saved, smooth


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A working folder with three pictures in `in`, and no data sets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINILEARN_DATA", str(tmp_path / "data"))
    folder_of(tmp_path / "in", a_png=saved(smooth(130, 200)), b_png=saved(smooth(100, 100)),
              c_png=b"")
    return tmp_path


def test_degrade(home, capsys):
    assert main(["degrade", "in", "--out", "out", "--number"]) == 0
    printed = capsys.readouterr().out
    assert "2 pictures are in out: Shrink(size=96" in printed and "NumberedJpeg" in printed
    assert "Left out, 1 in all:\n  c.png: " in printed
    assert read_picture("out/a.png").shape == (96, 147, 3)
    assert main(["degrade", "in", "--out", "other", "--size", "50", "--quality", "20", "--grey",
                 "--holes", "2", "--noise", "0.1", "--text", "hi", "--seed", "7"]) == 0
    printed = capsys.readouterr().out
    for kind in ("Grey()", "Holes(", "Shrink(size=50", "Noise(", "Text(", "Jpeg(quality=20)"):
        assert kind in printed


@pytest.mark.parametrize("arguments, status, said", [
    (["degrade", "in"], 2, "--out"),
    (["degrade", "nowhere", "--out", "out"], 1, "no file or folder nowhere"),
    (["degrade", "in", "--out", "in"], 1, "already holds something"),
    (["degrade", "in", "--out", "out", "--size", "0", "--quality", "0"], 2, "no damage is asked"),
    (["degrade", "in", "--out", "out", "--quality", "101"], 2, "less than or equal to 100"),
    (["degrade", "in", "--out", "out", "--text", " "], 2, "text is empty"),
    (["data", "get", "imagenet"], 2, "imagenet"),
])
def test_misuse_is_told_without_a_traceback(home, capsys, arguments, status, said):
    assert main(arguments) == status
    shown = capsys.readouterr()
    assert said in shown.out + shown.err and "Traceback" not in shown.err
    assert not (home / "out").exists()


def test_data_list_names_the_pictures(home, capsys):
    assert main(["data", "list"]) == 0
    printed = capsys.readouterr().out
    for name in ("photos", "bsds", "pets", "cifar10", "set5", "set14"):
        assert name in printed
    assert "minilearn data get pets" in printed


def test_data_get(home, capsys, monkeypatch):
    asked = []
    monkeypatch.setitem(__import__("minilearn.cli.data", fromlist="FETCH").FETCH, "pets",
                        lambda **options: asked.append(options))
    assert main(["data", "get", "pets"]) == 0
    assert asked == [{"download": True, "progress": None}]
    assert f"pets is in {home / 'data' / 'pets'}." in capsys.readouterr().out


def test_a_bar_on_a_terminal_only(monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    with bars.counted("Doing") as progress:
        assert progress is None
    monkeypatch.setattr("sys.stdout", Terminal())
    with bars.counted("Doing") as progress:
        progress("x", 1, 2)

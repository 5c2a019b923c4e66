"""The commands of lesson 7, as typed, on a few small pictures."""

import json

import pytest

from minilearn import models, recipes
from minilearn.cli import main
from minilearn.data import read_picture
from minilearn.recipes import restoration, segment, style, unets
from tests.data.pictures.samples import noise, saved, smooth


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A working folder with pictures in `in`, small nets, and no data sets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINILEARN_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(unets.make_encoder, "__defaults__", (print, 2, (4, 8)))
    monkeypatch.setattr(segment, "WIDTHS", (4, 8))
    monkeypatch.setattr(segment, "SHAPES", 80)
    monkeypatch.setattr(style, "WIDTHS", (4, 4, 8))
    monkeypatch.setattr(style, "BLOCKS", 1)
    (tmp_path / "in").mkdir()
    for i in range(10):
        (tmp_path / "in" / f"{i}.png").write_bytes(saved(smooth(64 + i, 70)))
    (tmp_path / "in" / "broken.png").write_bytes(saved(noise(40, 40))[:900])
    return tmp_path


def look(monkeypatch):
    """Let feature losses look through an untrained net."""
    for module in (restoration, style):
        monkeypatch.setattr(module, "load_features", lambda say: recipes.Features(
            models.named_layers(models.small_vgg().features), None, "a net of nothing"))


def test_train_superres_and_restore(home, capsys):
    quick = ["train", "superres", "--data", "in", "--size", "32", "--small", "16", "--bs", "4",
             "--epochs", "1", "--quick", "--number"]
    assert main(quick) == 0
    printed = capsys.readouterr().out
    assert "runs/superres-pixel-001" in printed and "PSNR" in printed and "bicubic" in printed
    assert "where a number was" in printed and "broken.png" in printed
    assert "figures/epoch-01.png" in printed and "restore runs/superres-pixel-001" in printed
    (home / "small.png").write_bytes(saved(smooth(20, 33)))
    assert main(["restore", "runs/superres-pixel-001", "small.png", "--tile", "64"]) == 0
    assert "33 x 20 -> 66 x 40" in capsys.readouterr().out
    assert read_picture("restored/small-restored.png").shape == (40, 66, 3)
    assert main(["restore", "runs/superres-pixel-001", "small.png", "--scale", "1", "--out",
                 "same"]) == 0
    assert read_picture("same/small-restored.png").shape == (20, 33, 3)
    assert main([*quick, "--resume", "--out", "runs/superres-pixel-001"]) == 0
    assert "finished already" in capsys.readouterr().out


def test_a_feature_loss_names_its_parts_and_its_net(home, capsys, monkeypatch):
    look(monkeypatch)
    assert main(["train", "superres", "--loss", "feature", "--data", "in", "--size", "32",
                 "--bs", "4", "--epochs", "1", "--out", "run"]) == 0
    printed = capsys.readouterr().out
    assert "feat_0" in printed and "gram_2" in printed and "feature distance" in printed
    assert json.loads((home / "run" / "result.json").read_text())["features"] == "a net of nothing"


def test_train_colorize(home, capsys):
    assert main(["train", "colorize", "--data", "in", "--size", "32", "--bs", "4", "--epochs", "1",
                 "--out", "run"]) == 0
    assert "PSNR" in capsys.readouterr().out
    assert main(["restore", "run", "in/3.png"]) == 0
    assert "70 x 67 -> 70 x 67" in capsys.readouterr().out


def test_train_segment(home, capsys):
    command = ["train", "segment", "--quick", "--bs", "4", "--size", "32", "--epochs", "1"]
    assert main([*command, "--out", "with"]) == 0
    printed = capsys.readouterr().out
    assert "Final IoU" in printed and "--no-skips" in printed and "generated" in printed
    assert main([*command, "--no-skips", "--out", "without"]) == 0
    assert "Try next" not in capsys.readouterr().out
    assert main(["restore", "with", "in/3.png"]) == 1
    assert "no run that restores pictures" in capsys.readouterr().err


def test_train_style(home, capsys, monkeypatch):
    look(monkeypatch)
    assert main(["train", "style", "--style", "in/2.png", "--data", "in", "--size", "64", "--bs",
                 "2", "--epochs", "1", "--out", "run"]) == 0
    printed = capsys.readouterr().out
    assert "Left out: in/broken.png cannot be read" in printed and "content" in printed
    assert "style_0" in printed and "restore run PICTURE" in printed
    assert main(["restore", "run", "in/3.png"]) == 0


@pytest.mark.parametrize("arguments, status, said", [
    (["train", "superres", "--resume"], 1, "--resume needs --out"),
    (["train", "superres", "--data", "nowhere"], 1, "nowhere"),
    (["train", "superres", "--loss", "mse"], 2, "mse"),
    (["train", "superres", "--encoder", "vgg"], 2, "vgg"),
    (["train", "superres", "--size", "8"], 2, "32"),
    (["train", "superres", "--data", "in", "--start", "nowhere"], 1, "nowhere holds no run"),
    (["train", "superres", "--data", "in", "--loss", "feature"], 1, "pretrain vgg"),
    (["train", "segment", "--data", "nowhere"], 1, "nowhere"),
    (["train", "style"], 2, "--style"),
    (["train", "style", "--style", "no.png"], 1, "no picture no.png"),
    (["train", "style", "--style", "in/broken.png"], 1, "broken.png"),
    (["restore", "nowhere", "in/1.png"], 1, "nowhere holds no run"),
    (["restore", "nowhere"], 2, "IMAGE"),
])
def test_misuse_is_told_without_a_traceback(home, capsys, arguments, status, said):
    assert main(arguments) == status
    shown = capsys.readouterr()
    assert said in shown.out + shown.err and "Traceback" not in shown.err

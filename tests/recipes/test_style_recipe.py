"""Style transfer in small: the run, painting, and what is refused."""

import json

import numpy as np
import pytest

from minilearn import data, models, recipes
from minilearn.recipes import style
from minilearn.recipes.restore import Restorer
from tests.data.pictures.samples import noise, saved, smooth

SMALL = {"data": "photos", "size": 64, "epochs": 1, "bs": 2}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A few pictures, a small net, and a small net that looks."""
    some = data.Pictures.of([smooth(64 + i, 70) for i in range(6)], name="photos")
    monkeypatch.setattr(data, "load_pictures",
                        lambda name, say: (some.select(range(4)), some.select([4, 5])))
    monkeypatch.setattr(style, "WIDTHS", (4, 4, 8))
    monkeypatch.setattr(style, "BLOCKS", 1)
    monkeypatch.setattr(style, "load_features", lambda say: recipes.Features(
        models.named_layers(models.small_vgg().features), None, "a net of nothing"))


def train(tmp_path, out="run", **changes):
    (tmp_path / "wave.png").write_bytes(saved(noise(80, 90)))
    settings = recipes.StyleSettings(str(tmp_path / "wave.png"), **SMALL | changes)
    return recipes.train_style(settings, tmp_path / out, say=lambda line: None)


def test_the_folder_holds_everything_and_the_net_paints(tmp_path):
    folder, result = train(tmp_path)
    written = json.loads(folder.result_file.read_text())
    assert written["features"] == "a net of nothing" and written["style"].endswith("wave.png")
    parts = [name for name in result if name in ("content", "tv") or name.startswith("style_")]
    assert {"content", "style_0", "tv"} <= set(parts)
    assert {path.stem for path in folder.figures.glob("*.png")} == {"epoch-01", "losses", "metrics"}
    model, kept = recipes.load_style(folder.path)
    assert kept.task == "style" and not model.training
    for size in ((70, 81), (5, 90)):  # the second is smaller than the net's frame
        assert Restorer(folder.path)(smooth(*size)).shape == (*size, 3)


def test_the_style_weighs_what_is_asked(tmp_path):
    light, heavy = (train(tmp_path, f"run-{w}", style_weight=w)[1] for w in (1.0, 100.0))
    assert heavy["style_0"] > 10 * light["style_0"] > 0


def test_what_is_refused(tmp_path):
    with pytest.raises(recipes.RunError, match="Name a picture with --style"):
        recipes.train_style(recipes.StyleSettings(**SMALL))
    with pytest.raises(data.DataError, match="no picture"):
        recipes.train_style(recipes.StyleSettings(str(tmp_path / "no.png"), **SMALL))
    with pytest.raises(recipes.RunError, match="size must be at least 64"):
        train(tmp_path, size=32)
    with pytest.raises(recipes.RunError, match="4 pictures to train on .* --bs 5"):
        train(tmp_path, bs=5)
    folder = recipes.RunFolder(tmp_path / "empty")
    folder.begin({"task": "style"}, resume=False)
    with pytest.raises(recipes.RunError, match="no checkpoint yet"):
        recipes.load_style(folder.path)


def test_a_net_that_looks_gets_what_it_expects():
    layers = models.named_layers(models.small_vgg().features)
    pixels = np.random.default_rng(0).random((1, 3, 8, 8), np.float32)
    from minilearn import tensor

    found = recipes.Features(layers, None, "").of_pixels(tensor(pixels)).numpy()
    np.testing.assert_allclose(found, data.IMAGENET(pixels), rtol=1e-4, atol=1e-5)
    back = recipes.Features(layers, models.before_net(data.IMAGENET), "")
    np.testing.assert_allclose(back.of_pixels(tensor(pixels)).numpy(), pixels, atol=1e-5)

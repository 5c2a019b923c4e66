"""Restoration in small: the whole run, resuming, measuring, and pictures of any size."""

import json

import numpy as np
import pytest

from minilearn import data, nn, recipes
from minilearn.recipes import measure, restoration, unets
from minilearn.recipes.restore import Restorer, restore
from minilearn.recipes.tiles import in_tiles, starts, window
from minilearn.train import Callback
from tests.data.pictures.samples import noise, saved, smooth

SMALL = {"data": "photos", "size": 32, "small": 16, "epochs": 2, "bs": 4}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Some pictures that need no file, instead of the offline photographs."""
    pictures = [smooth(40 + i, 60)[::-1 if i % 2 else 1] // (1 + i % 3) for i in range(12)]
    some = data.Pictures.of(pictures, name="photos")
    monkeypatch.setattr(data, "load_pictures",
                        lambda name, say: (some.select(range(9)), some.select(range(9, 12))))
    monkeypatch.setattr(unets, "WIDTHS", (4, 8))
    monkeypatch.setattr(unets.make_encoder, "__defaults__", (print, 2, (4, 8)))


def settings(**changes):
    return recipes.RestorationSettings(**SMALL | changes)


def train(out, resume=False, callbacks=(), **changes):
    return recipes.train_restoration(settings(**changes), out, resume, callbacks,
                                     say=lambda line: None)


@pytest.fixture
def run(tmp_path):
    return train(tmp_path / "run")


# ---------------------------------------------------------------- training


def test_the_folder_holds_everything(run):
    folder, result = run
    written = json.loads(folder.result_file.read_text())
    for name in ("psnr", "ssim", "bicubic_psnr", "bicubic_ssim", "valid_loss", "params"):
        assert written[name] == result[name] > 0
    assert written["task"] == "superres" and len(written["train_loss"]) == 2
    assert {path.stem for path in folder.figures.glob("*.png")} == {
        "epoch-01", "epoch-02", "losses", "metrics", "schedule"}
    assert np.isclose(result["psnr"], result["history"][-1]["psnr"], atol=1e-3)


def test_the_same_seed_gives_the_same_run_and_another_does_not(run, tmp_path):
    again, other = train(tmp_path / "again")[1], train(tmp_path / "other", seed=2)[1]
    assert again["train_loss"] == run[1]["train_loss"] != other["train_loss"]


def test_interrupted_and_resumed_equals_uninterrupted(run, tmp_path):
    class Stop(Callback):
        def after_backward(self, learn):
            if learn.epoch == 1:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "two", callbacks=[Stop()])
    result = train(tmp_path / "two", resume=True)[1]
    assert result["train_loss"] == run[1]["train_loss"] and result["psnr"] == run[1]["psnr"]
    with pytest.raises(recipes.RunError, match="size: 32 then, 64 now"):
        train(tmp_path / "two", resume=True, size=64)


def test_starting_from_another_run(run, tmp_path):
    seen = []

    class First(Callback):
        def before_fit(self, learn):
            seen.append(learn.validate()["psnr"])

    train(tmp_path / "next", callbacks=[First()], start=str(run[0].path), epochs=1)
    assert np.isclose(seen[0], run[1]["psnr"], atol=1e-3)
    with pytest.raises(recipes.RunError, match="holds no run"):
        train(tmp_path / "third", start=str(tmp_path))


def test_a_run_of_another_encoder_is_no_start(run):
    other = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(recipes.RunError, match="do not fit this model.*--encoder"):
        unets.start_from(other, run[0].path)


def test_a_feature_loss(run, tmp_path, monkeypatch):
    from minilearn import models

    layers = models.named_layers(models.small_vgg().features)
    layers.requires_grad_(False)
    monkeypatch.setattr(restoration, "load_features",
                        lambda say: recipes.Features(layers, None, "a net of nothing"))
    result = train(tmp_path / "feature", loss="feature", epochs=1)[1]
    assert result["features"] == "a net of nothing"
    assert {"pixel", "feat_0", "gram_2", "feature_distance"} <= result.keys()
    assert result["feature_distance"] > 0 < result["bicubic_feature_distance"]


def test_colours(tmp_path):
    folder, result = train(tmp_path / "run", task="colorize")
    model, kept = restoration.load_restoration(folder.path)
    assert kept.task == "colorize" and not model.training
    grey = kept.damage()(noise(8, 9), np.random.default_rng(0))
    assert (grey[..., 0] == grey[..., 2]).all() and grey.shape == (8, 9, 3)
    painted = Restorer(folder.path)(noise(8, 9))
    assert painted.shape == (8, 9, 3) and result["psnr"] > 0


@pytest.mark.parametrize("wrong, why", [
    ({"task": "nothing"}, "task must be one of superres, colorize"), ({"bs": 1}, "bs 1"),
    ({"loss": "mse"}, "loss one of pixel, feature"), ({"size": 8}, "size must be at least 32"),
    ({"encoder": "vgg"}, "unknown encoder 'vgg'; there are small, resnet18, resnet34"),
    ({"bs": 30}, "--bs 30 is more than the 9 pictures"), ({"lr": 0.0}, "lr above 0"),
])
def test_settings_that_make_no_sense(wrong, why, tmp_path):
    with pytest.raises(recipes.RunError, match=why):
        train(tmp_path / "run", **wrong)
    assert not (tmp_path / "run").exists()


def test_the_lesson_s_stages():
    chosen = recipes.RestorationSettings(encoder="resnet34").filled()
    plan = restoration.stages(chosen, pretrained=True)
    assert [stage.epochs for stage in plan] == [10] * 4 and [s.frozen for s in plan] == [
        True, False] * 2
    assert [stage.train.size for stage in plan] == [(128, 128)] * 2 + [(256, 256)] * 2
    assert plan[0].lr == slice(1e-2) and plan[0].batch_size == 32 and plan[2].batch_size == 10
    low, high = plan[3].lr.start, plan[3].lr.stop
    assert np.isclose(low, 1e-6) and np.isclose(high, 1e-4) and plan[0].pct_start == 0.9
    (only,) = restoration.stages(settings(epochs=7).filled(), pretrained=False)
    assert only.train.size == (16, 16) and only.valid.size == (32, 32) and only.epochs == 7
    assert [s.epochs for s in restoration.stages(chosen.__class__(
        encoder="resnet18", epochs=5).filled(), pretrained=True)] == [2, 1, 1, 1]


def test_an_encoder_with_weights(tmp_path, monkeypatch):
    from minilearn import models, weights

    monkeypatch.setenv("MINILEARN_DATA", str(tmp_path))
    said = []
    assert not unets.make_encoder("resnet18", said.append).pretrained
    assert "from random weights" in said[0]
    net = models.resnet18()
    (tmp_path / "weights").mkdir()
    weights.save(net.state_dict(), tmp_path / "weights" / "resnet18-f37072fd.safetensors")
    found = unets.make_encoder("resnet18", said.append)
    assert found.pretrained and "trained on ImageNet (resnet18-f37072fd" in said[1]
    assert (found.net.conv1.weight.data == net.conv1.weight.data).all()


# ---------------------------------------------------------------- measuring


def test_measures_of_a_net_that_changes_nothing():
    pairs = data.prepare(data.Pictures.of([noise(64, 64, 1), smooth(64, 80)]),
                         data.degradation(size=32, number=True))
    view = data.Views(64, normalize=data.IMAGENET)
    found = measure.compare(nn.Identity(), pairs, view)
    assert found["box_error_cut"] == 0 and found["psnr"] != found["bicubic_psnr"]
    x, y = view(pairs.batch(np.arange(2)))
    pixels = [data.IMAGENET.denormalize(t).clip(0, 1) for t in (x, y)]
    error = ((pixels[0] - pixels[1]) ** 2).mean((1, 2, 3))
    assert np.isclose(found["psnr"], (-10 * np.log10(error)).mean(), atol=1e-4)


def test_only_what_lies_in_the_boxes_counts_there():
    pairs = data.prepare(data.Pictures.of([smooth(64, 64)]),
                         data.degradation(size=64, quality=None, number=True))
    mask = data.box_mask(pairs.boxes[0], (64, 64))
    target = data.IMAGENET(data.to_image(pairs[0][1])[None])

    class Mend(nn.Module):
        def forward(self, x):
            inside = type(x)(mask.astype("float32"))
            return x * (1 - inside) + type(x)(target.astype("float32")) * inside

    found = measure.compare(Mend(), pairs, data.Views(64, normalize=data.IMAGENET))
    assert mask.any() and found["box_error_cut"] > 0.999


# ---------------------------------------------------------------- pictures of any size


def blur(images):
    """Each pixel the mean of 15 x 15 around it: what a net with a view of 7 pixels sees."""
    padded = np.pad(images, [(0, 0), (0, 0), (7, 7), (7, 7)], mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (15, 15), (2, 3))
    return windows.mean((-1, -2), dtype=np.float32)


@pytest.mark.parametrize("height, width", [(150, 233), (64, 64), (65, 300), (33, 500)])
def test_no_seam_where_the_net_looks_no_farther_than_a_quarter_of_the_overlap(height, width):
    image = data.to_image(noise(height, width))
    whole = blur(image[None])[0]
    tiled = in_tiles(blur, image, tile=96, overlap=32)
    assert tiled.shape == whole.shape and tiled.dtype == np.float32
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_a_picture_of_one_tile_is_computed_whole():
    calls = []
    in_tiles(lambda x: calls.append(x.shape) or x, data.to_image(noise(90, 100)), 128, 32)
    assert calls == [(1, 3, 90, 100)]
    assert in_tiles(blur, data.to_image(noise(5, 3))).shape == (3, 5, 3)
    with pytest.raises(ValueError, match="overlap of 96 .* of a tile of 128"):
        in_tiles(lambda x: x, data.to_image(noise(90, 100)), 128, 80)


@pytest.mark.parametrize("length", [1, 64, 65, 192, 193, 1000])
def test_every_pixel_is_covered_and_tiles_begin_on_the_grid(length):
    found = starts(length, 128, 64)
    weight = np.zeros(length)
    for start in found:
        weight[start : start + 128] += window((start, 0), (min(128, length - start), 1),
                                              (length, 1), 64)[:, 0]
    assert (weight > 0).all() and all(start % 32 == 0 for start in found)
    assert found[-1] == 0 or found[-1] + 64 < length


def test_tiles_make_no_difference_to_a_trained_net(run):
    picture = smooth(200, 260)
    small, large = (Restorer(run[0].path, tile=tile, scale=1.0)(picture) for tile in (64, 512))
    difference = np.abs(small.astype(int) - large)
    assert small.shape == (200, 260, 3) and difference.max() <= 8
    assert difference.mean() < 0.5


def test_restoring_files(run, tmp_path):
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    for file, size in zip(files, [(30, 45), (3, 7)], strict=True):
        file.write_bytes(saved(smooth(*size)))
    found = list(restore(Restorer(run[0].path), files, tmp_path / "out"))
    assert [after for *_, after in found] == [(60, 90), (6, 14)]
    assert data.read_picture(tmp_path / "out" / "a-restored.png").shape == (60, 90, 3)
    with pytest.raises(recipes.RunError, match="already a file"):
        list(restore(Restorer(run[0].path), files, tmp_path / "out"))
    with pytest.raises(recipes.RunError, match="would both become"):
        list(restore(Restorer(run[0].path), [files[0], files[0]], tmp_path / "new"))
    with pytest.raises(data.DataError, match="no picture"):
        list(restore(Restorer(run[0].path), [tmp_path / "c.png"], tmp_path / "new"))
    for options in ({"scale": 0.0}, {"scale": 99.0}, {"tile": 8}):
        with pytest.raises(ValueError, match="must be"):
            Restorer(run[0].path, **options)


def test_a_run_of_another_kind(tmp_path):
    folder = recipes.RunFolder(tmp_path / "digits")
    folder.begin({"model": "resnet"}, resume=False)
    with pytest.raises(recipes.RunError, match="no run that restores pictures"):
        Restorer(folder.path)
    with pytest.raises(recipes.RunError, match="holds no run"):
        Restorer(tmp_path)

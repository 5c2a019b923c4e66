"""A small VGG trained from nothing, and which net a feature loss looks through."""

import json

import numpy as np
import pytest
from against_torch import host

import minilearn as ml
from minilearn import data, models, nn, recipes, weights
from minilearn.cli import main
from minilearn.recipes import features, vgg


def few(name="photos", classes=3, count=96):
    """Images of one colour each, by class."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, count)
    pixels = np.full((count, 3, 32, 32), 90, np.uint8)
    pixels[np.arange(count), labels] = 200
    return data.Images(pixels, labels, [str(i) for i in range(classes)], name=name)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on a few images, in runs/vgg-photos-001."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vgg, "photo_places", lambda: (few(), few(count=10)))
        settings = recipes.VggSettings("photos", epochs=2, bs=32)
        out = tmp_path_factory.mktemp("runs") / "vgg-photos-001"
        return recipes.pretrain_vgg(settings, out, say=lambda line: None)


# ---------------------------------------------------------------- training


def test_a_run_says_what_it_was(run):
    folder, result = run
    written = json.loads(folder.result_file.read_text())
    assert written["data"] == "photos" and written["epochs"] == 2
    assert written["accuracy"] == result["accuracy"] and len(written["train_loss"]) == 2
    assert {path.stem for path in folder.figures.glob("*.png")} == {"losses", "metrics",
                                                                    "top_losses"}
    assert written["train_loss"][1] < written["train_loss"][0]


def test_the_offline_data():
    train, valid = vgg.photo_places()
    assert train.images.shape[1:] == (3, 32, 32) and train.classes == valid.classes
    assert len(train) == 25 * len(train.classes) and len(valid) == 16 * len(train.classes)
    assert 50 < len(train.classes) < 200
    for part in (train, valid):
        assert (np.bincount(part.labels) == len(part) // len(train.classes)).all()
    rows = {images.tobytes() for images in train.images}
    assert not rows & {images.tobytes() for images in valid.images}


def test_crops_are_labelled_with_their_image():
    pixels = np.arange(2 * 3 * 64 * 64).reshape(2, 3, 64, 64)
    images, labels = vgg.crops(pixels, (0, 16))
    assert images.shape == (8, 3, 32, 32) and labels.tolist() == [0, 1] * 4
    assert (images[3] == pixels[1, :, 0:32, 16:48]).all()


def test_batches_are_normalised_like_torchvision_s():
    train, valid = vgg.loaders(few(), few(count=10), 32)
    x, y = next(iter(valid))
    expected = data.IMAGENET(few(count=10).batch(np.arange(10))[0])
    np.testing.assert_allclose(host(x), expected, rtol=1e-5)
    assert len(train) == 3 and len(y) == 10
    with pytest.raises(recipes.RunError, match="--bs 200 is more than the 96 images"):
        vgg.loaders(few(), few(), 200)


def test_which_data(monkeypatch, tmp_path):
    monkeypatch.setenv("MINILEARN_DATA", str(tmp_path))
    monkeypatch.setattr(vgg, "photo_places", lambda: (few(), few()))
    said = []
    assert vgg.labelled("auto", said.append)[0].name == "photos"
    assert "no CIFAR-10 here" in said[0]
    with pytest.raises(data.MissingDataError, match="CIFAR-10"):
        vgg.labelled("cifar10", said.append)
    with pytest.raises(recipes.RunError, match="unknown data 'mnist'"):
        vgg.labelled("mnist", said.append)
    monkeypatch.setattr(data, "cifar10", lambda: (few("cifar10"), few("cifar10")))
    assert vgg.labelled("auto", said.append)[0].name == "cifar10" and "found in" in said[-1]


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"bs": 1}, {"lr": -1.0}])
def test_settings_that_make_no_sense(wrong):
    with pytest.raises(recipes.RunError, match="epochs must be at least 1"):
        recipes.VggSettings(**wrong).filled("photos")


def test_quick_is_a_quarter():
    assert recipes.VggSettings(quick=True).filled("cifar10").epochs == 3


# ---------------------------------------------------------------- which net


def saved(folder, name, depth=16, batch_norm=False):
    """Write weights of a VGG's convolutions under torchvision's names; return the convolutions."""
    ml.manual_seed(4)
    with nn.init.skipped():
        stack = models.vgg.feature_stack(depth, batch_norm)
    stack[0].weight.data = stack[0].weight.data + 0.5
    state = {f"features.{key}": value for key, value in stack.state_dict().items()}
    (folder / "weights").mkdir(exist_ok=True)
    weights.save(state | {"classifier.0.bias": ml.zeros(3)}, folder / "weights" / name)
    return stack


def load(**options):
    said = []
    return recipes.load_features(**options, say=said.append), said[0]


def test_the_best_that_is_here_is_taken(run, tmp_path, monkeypatch):
    monkeypatch.setenv("MINILEARN_DATA", str(tmp_path))
    runs = run[0].path.parent
    with pytest.raises(recipes.RunError, match="pretrain vgg"):
        load(runs=tmp_path)
    found, said = load(runs=runs)
    assert "small VGG" in said and "three photographs only" in said and "vgg-photos-001" in said
    assert found.before is None and f"{run[1]['accuracy']:.3f}" in found.about
    saved(tmp_path, "vgg19-dcbb9e9d.safetensors", 19)
    assert "vgg19 trained on ImageNet" in load(runs=runs)[1]
    stack = saved(tmp_path, "vgg16-397923af.pth")
    saved(tmp_path, "vgg16_bn_notes.safetensors")  # of no known name
    found, said = load(runs=runs)
    assert said == "Features: vgg16 trained on ImageNet (vgg16-397923af.pth)."
    assert np.array_equal(host(found.layers[0].weight), host(stack[0].weight))
    assert not any(p.requires_grad for p in found.layers.parameters())
    assert not found.layers.training
    assert load(source=runs / "vgg-photos-001")[1].startswith("Features: a small VGG")


def test_a_run_s_features_are_those_it_learnt(run):
    found, _ = load(source=run[0].path)
    state = ml.train.read_checkpoint(run[0].checkpoint)["model"]
    assert np.array_equal(host(found.layers[0].weight), host(state["features.0.weight"]))
    loss = models.FeatureLoss(found.layers)
    assert loss(ml.rand(1, 3, 32, 32), ml.rand(1, 3, 32, 32)).item() > 0


def test_files_that_do_not_fit(tmp_path):
    saved(tmp_path, "vgg16_bn-1.safetensors")  # without batch norm
    with pytest.raises(RuntimeError) as caught:
        load(source=tmp_path / "weights" / "vgg16_bn-1.safetensors")
    assert "missing: 1.running_mean" in str(caught.value)
    with pytest.raises(recipes.RunError, match="the name does not say which net"):
        load(source=tmp_path / "net.pth")
    with pytest.raises(FileNotFoundError):
        load(source=tmp_path / "vgg16.pth")
    with pytest.raises(recipes.RunError, match="holds no run"):
        load(source=tmp_path)


@pytest.mark.parametrize("name, kind", [
    ("vgg16_bn-6c64b313.pth", "vgg16_bn"), ("vgg16.safetensors", "vgg16"),
    ("vgg19_normalised_to_conv3_1.npz", "vgg19_normalised"), ("vgg19.npz", None),
    ("vgg16_bn_old.pth", None), ("vgg19_normalised.pth", None),
])
def test_names_of_files(name, kind, tmp_path):
    assert features.kind_of(tmp_path / name) == kind


@pytest.mark.data
def test_the_normalised_vgg_19():
    found, said = load()
    assert "VGG-19 up to relu3_1, normalised" in said
    pixels = np.full((1, 3, 8, 8), 0.25, "float32")
    before = found.before(ml.tensor(data.IMAGENET(pixels)))
    np.testing.assert_allclose(host(before), pixels, atol=1e-6)
    assert isinstance(found, recipes.Features)


# ---------------------------------------------------------------- the command


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(vgg, "photo_places", lambda: (few(), few(count=10)))
    assert main(["pretrain", "vgg", "--data", "photos", "--epochs", "1", "--bs", "48"]) == 0
    printed = capsys.readouterr().out
    assert "runs/vgg-photos-001" in printed and "Final accuracy" in printed
    assert main(["pretrain", "vgg", "--data", "photos", "--resume"]) == 1
    assert "--resume needs --out" in capsys.readouterr().err
    again = ["pretrain", "vgg", "--data", "photos", "--epochs", "1", "--bs", "48", "--resume"]
    assert main([*again, "--out", "runs/vgg-photos-001"]) == 0
    assert "finished already" in capsys.readouterr().out

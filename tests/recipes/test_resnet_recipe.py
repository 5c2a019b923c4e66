"""A whole run in small: folder, result, resuming, predicting."""

import json

import numpy as np
import pytest
from PIL import Image

from minilearn import data, recipes
from minilearn.recipes.digit_image import read_digit
from minilearn.train import Callback

SMALL = {"data": "digits", "model": "basic", "epochs": 2, "bs": 64}


def settings(**changes):
    return recipes.ResnetSettings(**SMALL | changes)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return recipes.train_resnet(settings(), tmp_path_factory.mktemp("runs") / "one")


def test_the_folder_holds_everything(run):
    folder, result = run
    written = json.loads(folder.result_file.read_text())
    assert written["accuracy"] == result["accuracy"] == result["history"][-1]["accuracy"]
    assert written["params"] == 12_126 and written["seed"] == 1 and written["data"] == "digits"
    assert written["device"] == "numpy" and "numpy" in written["versions"]
    assert len(written["train_loss"]) == 2 and written["seconds"] > 0
    assert folder.history.read_text().startswith("epoch,train_loss,valid_loss,accuracy,seconds\n1,")
    names = {path.stem for path in folder.figures.glob("*.png")}
    assert names == {"augmentations", "batch", "losses", "metrics", "schedule", "confusion",
                     "top_losses"}


def test_the_same_seed_gives_the_same_run_and_another_does_not(run, tmp_path):
    again = recipes.train_resnet(settings(), tmp_path / "again")[1]
    other = recipes.train_resnet(settings(seed=2), tmp_path / "other")[1]
    assert again["train_loss"] == run[1]["train_loss"] != other["train_loss"]


def test_a_used_folder_is_refused(run):
    with pytest.raises(recipes.RunError, match="already has results.*--resume.*--out"):
        recipes.train_resnet(settings(), run[0].path)


def test_resuming_a_finished_run_changes_nothing(run):
    said = []
    assert recipes.train_resnet(settings(), run[0].path, True, say=said.append)[1] == json.loads(
        run[0].result_file.read_text())
    assert any("finished already" in line for line in said)


def test_resuming_with_other_settings_is_refused(run):
    with pytest.raises(recipes.RunError, match="epochs: 2 then, 3 now"):
        recipes.train_resnet(settings(epochs=3), run[0].path, resume=True)


def test_nothing_to_resume(tmp_path):
    with pytest.raises(recipes.RunError, match="holds no run"):
        recipes.train_resnet(settings(), tmp_path / "empty", resume=True)


def test_interrupted_and_resumed_equals_uninterrupted(run, tmp_path):
    class Stop(Callback):
        def after_backward(self, learn):
            if learn.iteration == 30:  # in the second of two epochs of 22 batches
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recipes.train_resnet(settings(), tmp_path / "two", callbacks=[Stop()])
    assert (tmp_path / "two" / "history.csv").exists()
    result = recipes.train_resnet(settings(), tmp_path / "two", resume=True)[1]
    assert result["train_loss"] == run[1]["train_loss"]
    assert result["accuracy"] == run[1]["accuracy"]


def test_settings_that_make_no_sense():
    for wrong, said in [({"model": "vgg"}, "there are basic, refactor, resnet"),
                        ({"epochs": 0}, "epochs must be"), ({"lr": -1.0}, "lr above 0")]:
        with pytest.raises(recipes.RunError, match=said):
            settings(**wrong).filled("digits")


def test_fresh_folders_count_up(tmp_path):
    first = recipes.RunFolder.fresh("net", tmp_path)
    first.path.mkdir()
    (tmp_path / "net-007").mkdir()
    assert first.path.name == "net-001"
    assert recipes.RunFolder.fresh("net", tmp_path).path.name == "net-008"


def test_a_saved_model_predicts_as_it_did(run):
    model, normalize, kept = recipes.load_run(run[0].path)
    assert kept["model"] == "basic" and not model.training
    valid = data.digits()[1]
    images, labels = valid.batch(np.arange(len(valid)))
    from minilearn import tensor
    right = model(tensor(normalize(images))).argmax(-1).numpy() == labels
    assert right.mean() == pytest.approx(run[1]["accuracy"], abs=1e-6)


def test_a_damaged_settings_file(tmp_path):
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(recipes.RunError, match="cannot be read"):
        recipes.load_run(tmp_path)


# ---------------------------------------------------------------- pictures of digits


def stroke(shape, box, ink, paper):
    picture = np.full(shape, paper, np.uint8)
    top, left, bottom, right = box
    picture[top:bottom, left:right] = ink
    return picture


def test_an_image_of_mnist_size_is_taken_as_it_is(tmp_path):
    picture = stroke((28, 28), (4, 10, 24, 14), 255, 0)
    Image.fromarray(picture).save(tmp_path / "one.png")
    assert np.array_equal(read_digit(tmp_path / "one.png")[0], picture)


def test_dark_ink_on_paper_is_inverted_framed_and_centred(tmp_path):
    Image.fromarray(stroke((300, 200), (20, 30, 120, 50), 10, 250)).save(tmp_path / "one.png")
    digit = read_digit(tmp_path / "one.png")
    assert digit.shape == (1, 28, 28) and digit.dtype == np.uint8
    rows, columns = np.nonzero(digit[0] > 100)
    assert rows.max() - rows.min() + 1 == 20 and columns.max() - columns.min() + 1 == 4
    assert rows.mean() == pytest.approx(13.5, abs=0.6)
    assert columns.mean() == pytest.approx(13.5, abs=0.6)


def test_transparent_paper_counts_as_white(tmp_path):
    ink = np.zeros((60, 60, 4), np.uint8)
    ink[10:50, 25:35, 3] = 255  # black ink, transparent elsewhere
    Image.fromarray(ink, "RGBA").save(tmp_path / "one.png")
    assert (read_digit(tmp_path / "one.png") > 200).sum() > 40


def test_pictures_that_cannot_be_read(tmp_path):
    (tmp_path / "text.png").write_text("not an image")
    Image.fromarray(np.full((50, 50), 255, np.uint8)).save(tmp_path / "blank.png")
    for name, said in [("text.png", "not an image"), ("absent.png", "there is no image"),
                       ("blank.png", "shows no ink")]:
        with pytest.raises(recipes.RunError, match=said):
            read_digit(tmp_path / name)

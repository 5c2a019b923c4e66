"""Segmentation in small: the run, the data it can take, with and without skips."""

import json

import numpy as np
import pytest

import minilearn as ml
from minilearn import data, recipes
from minilearn.recipes import segment
from tests.data.pictures.samples import noise, saved

SMALL = {"data": "shapes", "size": 32, "epochs": 1, "bs": 8, "quick": True}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(segment, "SHAPES", 96)
    monkeypatch.setattr(segment, "WIDTHS", (4, 8))


def train(out, resume=False, **changes):
    return recipes.train_segment(recipes.SegmentSettings(**SMALL | changes), out, resume,
                                 say=lambda line: None)


@pytest.fixture
def run(tmp_path):
    return train(tmp_path / "run")


def test_the_folder_holds_everything(run):
    folder, result = run
    written = json.loads(folder.result_file.read_text())
    assert written["mean_iou"] == result["mean_iou"] <= 1 and result["iou"] <= result["dice"]
    assert written["classes"] == list(data.SHAPE_CLASSES) and written["skips"]
    assert {path.stem for path in folder.figures.glob("*.png")} == {"epoch-01", "losses", "metrics"}


def test_the_iou_of_all_pixels_together():
    class Known:
        """Two pictures; of class 1 a half is found, class 2 is never there."""

        def outputs(self):
            for labels, target in (([0, 1], [1, 1]), ([0, 0], [0, 0])):
                scores = np.eye(3, dtype="float32")[labels].T[None, :, None]
                yield ml.tensor(scores), ml.tensor(np.array([[target]]))

    found = segment.class_ious(Known(), ["a", "b", "c"])
    assert found["class_iou"] == {"a": pytest.approx(2 / 3), "b": 0.5}
    assert found["mean_iou"] == pytest.approx(7 / 12)


def test_without_skips_there_are_fewer_weights(run, tmp_path):
    without = train(tmp_path / "without", skips=False)[1]
    assert without["params"] < run[1]["params"] and not without["skips"]
    with pytest.raises(recipes.RunError, match="skips: True then, False now"):
        train(run[0].path, resume=True, skips=False)


def test_a_folder_of_one_s_own(tmp_path):
    for i in range(10):
        mask = noise(40, 40, i)[..., 0] % 3
        for kind, picture in (("images", noise(40, 40, i)), ("masks", mask)):
            path = tmp_path / "mine" / kind / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(saved(picture))
    result = train(tmp_path / "run", data=str(tmp_path / "mine"), bs=4)[1]
    assert result["classes"] == ["class 0", "class 1", "class 2"]
    with pytest.raises(data.DataError, match="nowhere"):
        train(tmp_path / "other", data=str(tmp_path / "nowhere"))


@pytest.mark.parametrize("wrong, why", [
    ({"size": 8}, "size must be at least 32"), ({"bs": 1}, "bs 1"), ({"lr": -1.0}, "lr above 0"),
    ({"bs": 64}, "--bs 64 is more than the 22 pictures"), ({"encoder": "x"}, "unknown encoder 'x'"),
])
def test_settings_that_make_no_sense(wrong, why, tmp_path):
    with pytest.raises(recipes.RunError, match=why):
        train(tmp_path / "run", **wrong)


def test_masks_and_scores_are_shown_in_the_same_colours():
    labels = np.array([[[0, 2], [1, 1]]])
    scores = np.stack([(labels == c).astype("float32") for c in range(3)], 1)
    assert (segment.shown(labels) == segment.shown(ml.tensor(scores))).all()

"""Damaging a folder into another: all of it, or nothing."""

import numpy as np
import pytest

from minilearn.data import MissingDataError, degradation, prepare, read_picture
from minilearn.data.pictures.folder import Pictures
from minilearn.recipes.degrade import degrade_folder
from minilearn.recipes.folder import RunError
from tests.data.pictures.samples import folder_of, noise, saved, smooth

DAMAGE = degradation(size=16, quality=None, number=True)


@pytest.fixture
def some(tmp_path):
    """A folder with pictures, two of which would get the same name, and a broken one."""
    return folder_of(
        tmp_path / "in", a_jpg=saved(smooth(30, 30), "JPEG"), a_png=saved(smooth(20, 40)),
        deep__b_png=saved(smooth(17, 17)), cut_jpg=saved(noise(40, 40), "JPEG")[:900],
        empty_png=b"")


def test_the_folder_holds_what_prepare_would_make(some, tmp_path):
    (tmp_path / "out").mkdir()  # an empty one is fine
    written, skipped = degrade_folder(some, tmp_path / "out", DAMAGE, seed=3)
    assert [path.relative_to(tmp_path / "out").as_posix() for path in written] == [
        "a.png", "a-2.png", "deep/b.png"]
    assert [name for name, _ in skipped] == ["empty.png", "cut.png"]
    pairs = prepare(Pictures(some), DAMAGE, seed=3)
    for path, (low, _) in zip(written, pairs, strict=True):
        np.testing.assert_array_equal(read_picture(path), low)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out"]


def test_paths_of_a_list_stay_inside(some, tmp_path):
    names = [str(some / "a.png"), "../in/a.jpg", "deep/b.png"]
    (some / "list.txt").write_text("\n".join(names))
    written, _ = degrade_folder(some / "list.txt", tmp_path / "out", DAMAGE)
    assert [path.relative_to(tmp_path / "out").as_posix() for path in written] == [
        "a.png", "a-2.png", "deep/b.png"]


def test_a_taken_folder_stays_as_it_is(some, tmp_path):
    with pytest.raises(RunError, match="already holds something; choose a new folder with --out"):
        degrade_folder(some, some, DAMAGE)
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError, match="already holds something"):
        degrade_folder(some, tmp_path / "file", DAMAGE)
    with pytest.raises(RunError, match="cannot write .*choose another folder"):
        degrade_folder(some, tmp_path / "file" / "out", DAMAGE)


def test_without_pictures_there_is_no_folder(some, tmp_path):
    with pytest.raises(MissingDataError, match="no file or folder"):
        degrade_folder(tmp_path / "none", tmp_path / "out", DAMAGE)
    only = folder_of(tmp_path / "only", cut_jpg=saved(noise(40, 40), "JPEG")[:900])
    with pytest.raises(RunError, match="no picture of .*only could be read"):
        degrade_folder(only, tmp_path / "out", DAMAGE)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "only"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_half_of_the_work_is_not_left_behind(some, tmp_path, monkeypatch, error):
    real, calls = __import__("os").fsync, []

    def fails_at_the_second(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise error
        real(descriptor)

    monkeypatch.setattr("os.fsync", fails_at_the_second)
    expected = RunError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as caught:
        degrade_folder(some, tmp_path / "out", DAMAGE)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
    if expected is RunError:
        assert "out" in str(caught.value) and "No space left" in str(caught.value)

"""Preparing pairs: repeatable, in any order and number of processes, kept for the next time."""

import errno
import json
import os
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilearn.data import (
    DataError,
    MissingDataError,
    Pictures,
    Prepared,
    box_mask,
    degradation,
    prepare,
)
from minilearn.data.pictures.preparation import damaged, in_parallel
from tests.data.pictures.samples import folder_of, noise, saved, smooth

CRAPPY = degradation(size=24, quality=None, number=True)


def some(count=5):
    """Pictures in memory."""
    names = [f"{i}.png" for i in range(count)]
    return Pictures.of([smooth(40 + i, 50) for i in range(count)], names)


def same(one, other):
    """Whether two prepared sets hold the same."""
    return one.names == other.names and one.boxes == other.boxes and all(
        np.array_equal(a, b) and np.array_equal(x, y)
        for (a, x), (b, y) in zip(one, other, strict=True))


def test_inputs_are_damaged_and_targets_are_the_originals():
    pictures = some()
    pairs = prepare(pictures, CRAPPY)
    assert isinstance(pairs, Prepared) and len(pairs) == 5 and pairs.skipped == []
    for i, (low, picture) in enumerate(pairs):
        assert picture is pictures[i] and low.shape == (24, 50 * 24 // (40 + i), 3)
    assert repr(pairs).startswith("Prepared(5 of Pictures(pictures, degraded: 5)")


@given(st.permutations(range(5)), st.integers(0, 99))
def test_the_damage_follows_from_the_seed_and_the_name_alone(order, seed):
    whole = prepare(some(), CRAPPY, seed=seed)
    part = prepare(some().select(order[:3]), CRAPPY, seed=seed)
    assert same(part, whole.select(order[:3]))
    assert not same(whole, prepare(some(), CRAPPY, seed=seed + 1))


def test_each_picture_gets_its_own_damage():
    pairs = prepare(Pictures.of([smooth(40, 50)] * 6, [f"{i}.png" for i in range(6)]), CRAPPY)
    assert len({low.tobytes() for low, _ in pairs}) == 6


def test_boxes_become_masks():
    pairs = prepare(some(), degradation(size=24, quality=None, holes=2))
    third = pairs.with_boxes()
    for i, (low, picture, mask) in enumerate(third):
        assert len(pairs.boxes[i]) == 2
        np.testing.assert_array_equal(mask, box_mask(pairs.boxes[i], picture.shape[:2]))
        assert 0 < mask.mean() < 0.2 and low.shape[0] == 24


def test_the_broken_are_left_out(tmp_path):
    cut = saved(noise(40, 40), "JPEG")[:900]
    folder_of(tmp_path, a_png=saved(noise(30, 30)), b_jpg=cut, c_png=b"", d_png=saved(noise(9, 9)))
    pairs = prepare(Pictures(tmp_path), CRAPPY)
    assert pairs.names == ["a.png", "d.png"] and len(pairs.boxes) == 2
    assert [name for name, _ in pairs.skipped] == ["c.png", "b.jpg"]
    folder_of(tmp_path / "only", b_jpg=cut)
    with pytest.raises(MissingDataError, match="no picture of only can be read: b.jpg: "):
        prepare(Pictures(tmp_path / "only"), CRAPPY)


def test_processes_do_the_same(tmp_path):
    files = {f"p{i}_png": saved(smooth(40, 50 + i)) for i in range(6)}
    pictures = Pictures(folder_of(tmp_path, **files))
    seen = []
    pairs = prepare(pictures, CRAPPY, workers=2, progress=lambda *what: seen.append(what))
    assert same(pairs, prepare(pictures, CRAPPY))
    assert seen == [(tmp_path.name, n, 6) for n in range(1, 7)]


def test_workers_give_way():
    before = os.nice(0)
    niceness, *_ = in_parallel(os.nice, [0, 0], workers=1)
    assert niceness >= min(19, before + 10) and os.nice(0) == before
    with pytest.raises(ValueError, match="workers must be 0 or more"):
        list(in_parallel(abs, [1], workers=-1))


def test_an_error_in_a_worker_reaches_the_user():
    with pytest.raises(TypeError, match="bad operand"):
        list(in_parallel(abs, [1, "x"], workers=1))


def test_one_picture_by_hand():
    source = some().sources[1]
    picture, boxes = damaged(source, degrade=CRAPPY, seed=3)
    pairs = prepare(some(), CRAPPY, seed=3)
    np.testing.assert_array_equal(pairs[1][0], picture)
    assert boxes == pairs.boxes[1]


# ---------------------------------------------------------------- the cache


def test_what_is_kept_is_what_was_prepared(tmp_path, monkeypatch):
    first = prepare(some(), CRAPPY, cache=tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    monkeypatch.setattr("minilearn.data.pictures.preparation.in_parallel", None)  # not called again
    assert same(prepare(some(), CRAPPY, cache=tmp_path / "cache"), first)
    assert kept.suffix == ".zip" and zipfile.is_zipfile(kept)


@pytest.mark.parametrize("change", [
    {"seed": 7}, {"degrade": degradation(size=25, quality=None, number=True)},
    {"pictures": some(4)},
    {"pictures": Pictures.of([smooth(41 + i, 50) for i in range(5)], some().names)},
])
def test_anything_else_is_prepared_anew(tmp_path, change):
    asked = {"pictures": some(), "degrade": CRAPPY, "seed": 1}
    prepare(**asked, cache=tmp_path)
    prepare(**asked, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    pairs = prepare(**asked | change, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert same(pairs, prepare(**asked | change))


def test_a_changed_file_is_prepared_anew(tmp_path):
    folder = folder_of(tmp_path / "in", a_png=saved(smooth(30, 30)))
    before = prepare(Pictures(folder), CRAPPY, cache=tmp_path / "cache")
    folder_of(folder, a_png=saved(noise(31, 31)))
    after = prepare(Pictures(folder), CRAPPY, cache=tmp_path / "cache")
    assert not same(before, after) and same(after, prepare(Pictures(folder), CRAPPY))


def test_the_broken_are_kept_in_mind(tmp_path):
    cut = saved(noise(40, 40), "JPEG")[:900]
    folder = folder_of(tmp_path / "in", a_png=saved(noise(30, 30)), b_jpg=cut)
    first = prepare(Pictures(folder), CRAPPY, cache=tmp_path / "cache")
    again = prepare(Pictures(folder), CRAPPY, cache=tmp_path / "cache")
    assert same(first, again) and first.skipped == again.skipped != []


def test_a_damaged_cache_is_made_anew(tmp_path):
    first = prepare(some(), CRAPPY, cache=tmp_path)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    for content in (b"", whole[:-50], whole[:200] + b"x" * 50 + whole[250:]):
        kept.write_bytes(content)
        assert same(prepare(some(), CRAPPY, cache=tmp_path), first)
        assert kept.read_bytes() != content
    with zipfile.ZipFile(kept) as archive:
        assert len(json.loads(archive.read("boxes.json"))) == 5


def test_a_full_disk_leaves_no_cache(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DataError, match="cannot write .*No space left"):
        prepare(some(), CRAPPY, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []

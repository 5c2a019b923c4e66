"""Finding pictures: folders, zips, lists; what is left out, and why."""

import os
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilearn.data import (
    DamagedDataError,
    DataLoader,
    Masks,
    MissingDataError,
    Pictures,
    split_pictures,
)
from minilearn.data.pictures import folder as folder_module
from minilearn.data.pictures.sources import find, is_picture_name, reasons
from minilearn.errors import ShapeError
from tests.data.pictures.samples import folder_of, noise, rng, saved, zip_of

CUT = saved(noise(40, 40), "JPEG")[:900]  # its beginning is whole


@pytest.fixture
def some(tmp_path):
    """A folder with three pictures, and much that is none."""
    return folder_of(
        tmp_path / "some", b_png=saved(noise(4, 5, 1)), a_JPG=saved(noise(8, 8), "JPEG"),
        deep__down__c_png=saved(noise(2, 9, 2)), notes_txt=b"words", DS_Store=b"\0",
        __MACOSX__a_png=b"\0", deep__x_py=b"print()")


def test_a_folder_in_the_order_of_its_names(some):
    (some / "._b.png").write_bytes(b"\0")
    pictures = Pictures(some)
    assert pictures.names == ["a.JPG", "b.png", "deep/down/c.png"]
    assert (len(pictures), pictures.name, pictures.skipped) == (3, "some", [])
    np.testing.assert_array_equal(pictures[1], noise(4, 5, 1))
    np.testing.assert_array_equal(pictures[-1], noise(2, 9, 2))
    assert repr(pictures) == "Pictures(some: 3)"


def test_a_zip_holds_the_same(some, tmp_path):
    files = {p.relative_to(some).as_posix(): p.read_bytes() for p in some.rglob("*") if p.is_file()}
    packed = Pictures(zip_of(tmp_path / "some.zip", files))
    unpacked = Pictures(some)
    assert packed.names == unpacked.names
    for ours, theirs in zip(packed, unpacked, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_list_of_paths_and_one_in_a_file(some):
    names = ["deep/down/c.png", "b.png"]  # its own order counts
    (some / "list.txt").write_text("# my pictures\n\n" + "\n".join([*names, "gone.png"]) + "\n")
    from_file = Pictures(some / "list.txt")
    assert from_file.names == names
    assert from_file.skipped == [("gone.png", "there is no such file")]
    from_list = Pictures([some / name for name in names])
    np.testing.assert_array_equal(from_list[1], from_file[1])
    assert len(Pictures(some / "b.png")) == 1


def test_pictures_in_memory():
    pictures = Pictures.of([noise(3, 4)] * 2, ["one", "two"], name="two of them")
    assert pictures.names == ["one", "two"] and pictures[0] is pictures[1]
    assert pictures[0].flags.writeable
    with pytest.raises(ShapeError, match=r"Pictures.of: .*\(3, 4\)"):
        Pictures.of([np.zeros((3, 4), np.uint8)])
    with pytest.raises(TypeError, match="Masks.of: .*float64"):
        Masks.of([np.zeros((3, 4))])
    with pytest.raises(ShapeError, match=r"Masks.of: .*\(3, 4, 3\)"):
        Masks.of([noise(3, 4)])


def test_the_broken_are_left_out_and_listed(some):
    folder_of(some, empty_png=b"", text_jpg=b"hello", tiny_png=saved(noise(1, 9)), cut_jpg=CUT)
    pictures = Pictures(some, smallest=2)
    assert [name for name, _ in pictures.skipped] == ["empty.png", "text.jpg", "tiny.png"]
    assert "no known kind" in pictures.skipped[0][1]
    assert pictures.skipped[2][1] == "it has 1 x 9 pixels, the shorter side must have 2"
    assert repr(pictures) == "Pictures(some: 4, 3 left out)"
    with pytest.raises(DamagedDataError, match="cut.jpg cannot be read as a picture"):
        pictures[pictures.names.index("cut.jpg")]


def test_check_finds_what_is_cut_short(some):
    folder_of(some, cut_jpg=CUT)
    assert "cut.jpg" in Pictures(some).names
    checked = Pictures(some, check=True)
    assert "cut.jpg" not in checked.names and checked.skipped[0][0] == "cut.jpg"


def test_entries_of_a_zip_that_are_not_to_be_trusted(tmp_path, monkeypatch):
    good = saved(noise(3, 3))
    names = ["../out.png", "/etc/x.png", "a/../../b.png", "C:/x.png", "ok.png"]
    path = zip_of(tmp_path / "bad.zip", dict.fromkeys(names, good))
    pictures = Pictures(path)
    assert pictures.names == ["ok.png"]
    assert {why for _, why in pictures.skipped} == {"its path leads out of the zip"}
    content = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.rindex(signature) + place] |= 1  # says that the last one is encrypted
    (tmp_path / "locked.zip").write_bytes(content)
    with pytest.raises(MissingDataError, match="it is encrypted|leads out"):
        Pictures(tmp_path / "locked.zip")
    assert ("ok.png", "it is encrypted") in find(tmp_path / "locked.zip")[1]
    monkeypatch.setattr("minilearn.data.pictures.sources.LARGEST", 10)
    assert find(path)[1][-1] == ("ok.png", "it unpacks to 0 MB")


def test_a_damaged_entry_is_told_by_name(tmp_path):
    files = {"a.png": saved(noise(30, 30)), "b.png": saved(noise(2, 2))}
    path = zip_of(tmp_path / "some.zip", files)
    content = bytearray(path.read_bytes())
    content[800:810] = b"0123456789"  # inside the first: its CRC no longer agrees
    path.write_bytes(content)
    pictures = Pictures(path)
    assert pictures.names == ["b.png"]
    assert "a.png in" in pictures.skipped[0][1] and "pack the zip anew" in pictures.skipped[0][1]
    (tmp_path / "no.zip").write_bytes(b"PK no")
    with pytest.raises(DamagedDataError, match="no.zip is no whole zip"):
        Pictures(tmp_path / "no.zip")


def test_where_there_is_nothing(tmp_path):
    with pytest.raises(MissingDataError, match="there is no file or folder .*nowhere"):
        Pictures(tmp_path / "nowhere")
    with pytest.raises(MissingDataError, match=r"there is no picture in .*ends in \.jpg"):
        Pictures(tmp_path)
    folder_of(tmp_path, a_png=b"", b_png=b"", c_png=b"", d_png=b"")
    with pytest.raises(MissingDataError, match="can be used: a.png: .*; ... and 1 more"):
        Pictures(tmp_path)
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DamagedDataError, match="no list of paths"):
        Pictures(tmp_path / "list.txt")


def test_names_of_pictures():
    yes = ["a.jpg", "A.JPEG", "b/c.TIF", "../x.png", "./y.webp"]
    no = ["a.txt", ".a.jpg", ".git/a.jpg", "__MACOSX/a.jpg", "jpg", "a.jpg.part"]
    assert all(map(is_picture_name, yes)) and not any(map(is_picture_name, no))


def test_reasons_are_few():
    assert list(reasons([(str(i), "why") for i in range(5)], 2)) == ["0: why", "1: why",
                                                                     "... and 3 more"]


# ---------------------------------------------------------------- reading again


def test_decoded_pictures_are_kept_while_there_is_room(some, monkeypatch):
    monkeypatch.setattr(folder_module, "KEPT", 4 * 5 * 3 + 2 * 9 * 3)  # the second and the third
    pictures = Pictures(some)
    first, second = pictures[0], pictures[1]
    assert pictures[1] is second and pictures[0] is not first
    with pytest.raises(ValueError, match="read-only"):
        second[0] = 0
    assert pickle.loads(pickle.dumps(pictures))._kept == {}
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(pictures))[1], second)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_zip_is_opened_anew_in_another_process(tmp_path):
    path = zip_of(tmp_path / "a.zip", {f"{i}.png": saved(noise(9, 9, i)) for i in range(4)})
    pictures = Pictures(path)
    assert pictures[0].shape == (9, 9, 3)
    from minilearn.data.pictures.sources import _archive

    here = _archive(path, os.getpid())
    assert _archive(path, os.getpid()) is here
    assert _archive(path, os.getpid() + 1) is not here


# ---------------------------------------------------------------- parts


def test_select_and_the_loader():
    pictures = Pictures.of([noise(4, 4, i) for i in range(5)])
    assert pictures.select([3, 1]).names == ["3", "1"]
    (batch,) = next(iter(DataLoader(pictures.select([3, 1]), 2)))
    np.testing.assert_array_equal(batch[1].numpy(), noise(4, 4, 1))


@given(st.integers(2, 50), st.floats(0.01, 0.99), st.integers(0, 99))
def test_a_split_leaves_nothing_out(count, share, seed):
    pictures = Pictures.of([noise(1, 1)] * count)
    train, valid = split_pictures(pictures, share, seed)
    assert sorted(train.names + valid.names) == sorted(pictures.names)
    assert len(train) >= 1 and len(valid) == min(max(1, int(share * count)), count - 1)
    again = split_pictures(pictures, share, seed)
    assert (train.names, valid.names) == (again[0].names, again[1].names)


def test_what_cannot_be_split():
    for count, share in ((1, 0.5), (5, 0), (5, 1)):
        with pytest.raises(ValueError, match="cannot split"):
            split_pictures(Pictures.of([noise(1, 1)] * count), share)


def test_masks(tmp_path):
    numbers = rng().integers(1, 4, (5, 6), dtype=np.uint8)
    folder_of(tmp_path, a_png=saved(numbers), rgb_png=saved(noise(5, 6)))
    np.testing.assert_array_equal(Masks(tmp_path)[0], numbers)
    np.testing.assert_array_equal(Masks(tmp_path, first=1)[0], numbers - 1)
    assert [name for name, _ in Masks(tmp_path, check=True).skipped] == ["rgb.png"]


def test_a_zip_replaced_by_another_is_read_anew(tmp_path):
    path = zip_of(tmp_path / "a.zip", {"x.png": saved(noise(2, 2))})
    assert Pictures(path)[0].shape == (2, 2, 3)
    zip_of(path, {"x.png": saved(noise(3, 3))})
    assert Pictures(path)[0].shape == (3, 3, 3)


"""Only plain files with expected names are taken; everything else is named and left alone."""

import os
import stat
import sys
import zipfile

import pytest

from minilearn.grading.teach.intake import LARGEST, MOST_ENTRIES, Taken, take_in

NAMES = ("01_autograd.py", "03_convolution.py")
posix = pytest.mark.skipif(os.name != "posix", reason="links and pipes")


def folder(place, **files):
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = place / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return place


def test_expected_files_are_copied_and_others_listed(tmp_path):
    content = "\ufeffx = 1\r\n# gr\u00fc\u00dfe\r\n\ty = 2".encode()
    place = folder(tmp_path / "ada", **{"03_convolution.py": content, "conftest.py": b"",
                                        "numpy.py": b"", "a.pth": b"", "lessons__x.py": b""})
    assert take_in(place, NAMES) == Taken({"03_convolution.py": content}, {}, [
        "a.pth", "conftest.py", "lessons", "numpy.py"], {})


def test_the_course_files_are_expected_by_default(tmp_path):
    place = folder(tmp_path / "ada", **{"05_resnet.py": b"", "06_x.py": b""})
    assert list(take_in(place).files) == ["05_resnet.py"]


def test_names_that_are_near_are_reported_and_not_guessed(tmp_path):
    place = folder(tmp_path / "ada", **{"03_convolution (1).py": b"", "01_Autograd.py": b""})
    taken = take_in(place, NAMES)
    assert taken.files == {} and taken.near == {"01_autograd.py": "01_Autograd.py",
                                                "03_convolution.py": "03_convolution (1).py"}


def test_one_folder_round_the_files_is_stripped(tmp_path):
    folder(tmp_path / "ada" / "work" / "deep", **{"03_convolution.py": b"x"})
    folder(tmp_path / "ada" / "__MACOSX")
    assert take_in(tmp_path / "ada", NAMES).files == {"03_convolution.py": b"x"}
    folder(tmp_path / "ada" / "other")
    assert take_in(tmp_path / "ada", NAMES).files == {}


@posix
def test_what_is_no_plain_file_is_refused_without_waiting(tmp_path):
    target = tmp_path / "solutions.py"
    target.write_bytes(b"secret = 1")
    for number, (make, reason) in enumerate([
        (lambda p: os.symlink(target, p), "link"), (lambda p: os.link(target, p), "second name"),
        (os.mkfifo, "not a plain file"), (os.mkdir, "not a plain file"),
        (lambda p: os.symlink("nowhere", p), "link"),
        (lambda p: p.write_bytes(b" " * (LARGEST + 1)), "larger than 1 MiB"),
        (lambda p: p.write_bytes(b"x = '\xff'"), "not UTF-8"),
        (lambda p: p.write_bytes("x = 1".encode("utf-16")), "not UTF-8"),
    ]):
        place = folder(tmp_path / str(number))
        make(place / "03_convolution.py")
        taken = take_in(place, NAMES)
        assert taken.files == {} and list(taken.unreadable) == ["03_convolution.py"]
        assert reason in taken.unreadable["03_convolution.py"]


@posix
def test_a_linked_folder_is_not_entered(tmp_path):
    folder(tmp_path / "solutions", **{"03_convolution.py": b"secret"})
    place = folder(tmp_path / "ada")
    os.symlink(tmp_path / "solutions", place / "work")
    assert take_in(place, NAMES) == Taken(ignored=["work"])


def test_names_are_made_printable(tmp_path):
    place = folder(tmp_path / "ada")
    if sys.platform == "win32":
        pytest.skip("no such names")
    (place / "a\x1b[31m\nb").write_bytes(b"")
    assert take_in(place, NAMES).ignored == ["a?[31m?b"]


def test_what_is_not_there_is_told(tmp_path):
    taken = take_in(tmp_path / "nobody.zip", NAMES)
    assert "No such file" in taken.unreadable["01_autograd.py"] and taken.files == {}


# ---------------------------------------------------------------- zips


def zipped(path, *entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def test_a_zip_is_read_without_its_top_folder(tmp_path):
    path = zipped(tmp_path / "ada.zip", ("work/03_convolution.py", b"x"), ("work/", b""),
                  ("work/conftest.py", b""), ("__MACOSX/work/._03_convolution.py", b"junk"),
                  ("work/sub/01_autograd.py", b"not here"))
    taken = take_in(path, NAMES)
    assert taken.files == {"03_convolution.py": b"x"}
    assert taken.ignored == ["conftest.py", "sub/01_autograd.py"]


def link():
    entry = zipfile.ZipInfo("03_convolution.py")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize("entries, reason", [
    ([("../03_convolution.py", b"x")], "leads out"), ([("/03_convolution.py", b"x")], "leads out"),
    ([("a/../../03_convolution.py", b"x")], "leads out"), ([("C:/x.py", b"x")], "leads out"),
    ([("a\\..\\x.py", b"x")], "leads out"), ([(link(), "/etc/passwd")], "link"),
    ([("x.bin", bytes(25 * 2**20))], "grows too much"),
    ([("x.bin", bytes(5 * 2**20))], "grows too much"),
    ([(f"{i}", b"") for i in range(MOST_ENTRIES + 1)], "entries"),
])
def test_a_zip_that_could_do_harm_is_refused_whole(tmp_path, entries, reason):
    path = zipped(tmp_path / "eve.zip", *entries, ("01_autograd.py", b"x"))
    taken = take_in(path, NAMES)
    assert taken.files == {} and set(taken.unreadable) == set(NAMES)
    assert all(reason in why for why in taken.unreadable.values())


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(tmp_path):
    path = zipped(tmp_path / "eve.zip", ("01_autograd.py", b"1"), ("01_autograd.py", b"2"))
    assert "twice" in take_in(path, NAMES).unreadable["01_autograd.py"]


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 99])
def test_what_is_no_zip_is_told(tmp_path, content):
    path = tmp_path / "ada.zip"
    path.write_bytes(content)
    assert "damaged" in take_in(path, NAMES).unreadable["01_autograd.py"]


def test_a_damaged_or_encrypted_entry_is_told(tmp_path):
    path = zipped(tmp_path / "ada.zip", ("01_autograd.py", b"x = 1\n" * 50),
                  ("03_convolution.py", b"y"))
    content = bytearray(path.read_bytes())
    start = content.index(b"01_autograd.py") + len("01_autograd.py")
    content[start:start + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    taken = take_in(path, NAMES)
    assert "damaged" in taken.unreadable["01_autograd.py"]
    assert taken.files == {"03_convolution.py": b"y"}
    for place in (6, content.index(b"PK\x01\x02") + 8):
        content[place] |= 1
    path.write_bytes(content)
    assert "encrypted" in take_in(path, NAMES).unreadable["01_autograd.py"]


def test_a_large_zip_or_entry_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", ("01_autograd.py", os.urandom(LARGEST + 1)))
    assert "larger than 1 MiB" in take_in(path, NAMES).unreadable["01_autograd.py"]
    path.write_bytes(bytes(20 * 2**20 + 1))
    assert "larger than 20 MiB" in take_in(path, NAMES).unreadable["01_autograd.py"]

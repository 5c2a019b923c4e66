"""The sets of pictures: offline ones, those laid out as their makers do, and the real ones."""

import io
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilearn.data import (
    SHAPE_CLASSES,
    DamagedDataError,
    DataError,
    DownloadError,
    MissingDataError,
    Pairs,
    benchmark,
    bsds,
    cifar10,
    load_pictures,
    pets,
    pets_masks,
    photos,
    picture_sources,
    shapes,
)
from minilearn.data.pictures import cifar_files, pets_files
from minilearn.data.pictures.archives import members, unpack
from minilearn.data.pictures.photo_files import tiles
from tests.data.pictures.samples import folder_of, noise, rng, saved, zip_of

CLASSES = cifar_files.CLASSES


@pytest.fixture
def home(monkeypatch, tmp_path):
    """A MINILEARN_DATA with nothing in it, and mirrors that are nowhere."""
    monkeypatch.setenv("MINILEARN_DATA", str(tmp_path))
    for module in (pets_files, cifar_files):
        monkeypatch.setattr(module, "MIRRORS", ("http://127.0.0.1:9/",))
    return tmp_path


def tar_of(path, files):
    """Write a .tar.gz of {name: bytes}."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


# ---------------------------------------------------------------- photos


def test_photos_need_no_download_and_share_no_pixel():
    train, valid = photos()
    assert len(train) == 100 and len(valid) == 10 and train.name == "photos"
    assert all(tile.shape == (128, 128, 3) for tile in [*train, *valid])
    assert {name.split("-")[0] for name in valid.names} == {"china", "flower", "grace_hopper"}
    assert len(set(train.names)) == 100
    assert len(photos(64)[0]) > 100 and photos(64)[1][0].shape == (64, 64, 3)
    with pytest.raises(ValueError, match="side=200 is not between 16 and 150"):
        photos(200)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(1, 12))
def test_tiles(height, width, side, step):
    picture = noise(height, width)
    found = dict(tiles(picture, side, step, "t"))
    down, right = (max(0, whole - side + step) // step for whole in (height, width))
    assert len(found) == down * right
    for name, tile in found.items():
        _, top, left = name.split("-")
        np.testing.assert_array_equal(
            tile, picture[int(top) : int(top) + side, int(left) : int(left) + side])


# ---------------------------------------------------------------- shapes


def test_shapes_are_generated_item_by_item():
    few, more = shapes(count=3, size=32, seed=5), shapes(count=5, size=32, seed=5)
    for i in range(3):
        np.testing.assert_array_equal(few[i][0], more[i][0])
        np.testing.assert_array_equal(few[i][1], more[i][1])
    assert (few[0][0] != shapes(count=1, size=32, seed=6)[0][0]).any()
    with pytest.raises(ValueError, match="size=8 below 16"):
        shapes(size=8)


def test_every_class_occurs_and_is_where_the_picture_changes():
    pairs = shapes(count=60)
    counts = np.bincount(np.concatenate([mask.ravel() for _, mask in pairs]), minlength=6)
    assert len(counts) == len(SHAPE_CLASSES) == 6
    assert 0.6 < counts[0] / counts.sum() < 0.95 and (counts[1:] / counts.sum() > 0.005).all()
    steps = [[], []]
    for picture, mask in pairs:
        change = abs(np.diff(picture.astype(float), axis=1)).sum(2)
        edge = np.diff(mask.astype(int), axis=1) != 0
        steps[0].append(change[~edge].mean())
        steps[1].append(change[edge].mean())
    assert np.mean(steps[1]) > 2 * np.mean(steps[0])


def test_the_rings_have_a_hole():
    from minilearn.data.pictures.drawn_shapes import _cover

    for seed in range(10):
        areas = {kind: _cover(kind, 64, rng(seed)).sum() for kind in SHAPE_CLASSES[1:]}
        assert areas["ring"] < 0.6 * areas["disc"] and areas["cross"] < areas["square"]
        assert areas["triangle"] < areas["square"] < areas["disc"]


# ---------------------------------------------------------------- BSDS, benchmarks


def test_bsds_from_zips_and_from_folders(home):
    with pytest.raises(MissingDataError, match="neither train.zip nor the folder train is in"):
        bsds()
    (home / "bsds").mkdir()
    zip_of(home / "bsds" / "train.zip", {"train/1.jpg": saved(noise(4, 4), "JPEG")})
    folder_of(home / "bsds", val__2_png=saved(noise(5, 5)))
    folder_of(home / "bsds" / "BSR" / "BSDS500" / "data" / "images", test__3_png=saved(noise(6, 6)))
    train, valid, test = bsds()
    assert [part.name for part in (train, valid, test)] == ["bsds-train", "bsds-val", "bsds-test"]
    assert (train.names, valid[0].shape, test[0].shape) == (["train/1.jpg"], (5, 5, 3), (6, 6, 3))


def test_benchmarks_and_their_published_small_pictures(home):
    (home / "sr").mkdir()
    files = {"set5/HR/a.png": saved(noise(10, 13)), "set5/LR_x3/a.png": saved(noise(3, 4))}
    zip_of(home / "sr" / "set5.zip", files)
    assert benchmark("set5").names == ["set5/HR/a.png"]
    pairs = benchmark("set5", 3)
    assert isinstance(pairs, Pairs)
    np.testing.assert_array_equal(pairs[0][0], noise(3, 4))
    np.testing.assert_array_equal(pairs[0][1], noise(10, 13)[:9, :12])
    with pytest.raises(MissingDataError, match="set5 has no picture in a folder LR_x2"):
        benchmark("set5", 2)
    with pytest.raises(MissingDataError, match="neither set14.zip nor set14"):
        benchmark("set14")
    for name, scale in (("urban", None), ("set5", 5)):
        with pytest.raises(ValueError, match="there are set5 and set14"):
            benchmark(name, scale)


# ---------------------------------------------------------------- Pets


def pets_files_of(count=3):
    """What the two archives hold."""
    names = ["Abyssinian_1", "american_bulldog_10", "Abyssinian_2"][:count]
    return ({f"images/{n}.jpg": saved(noise(8, 6), "JPEG") for n in names}
            | {"images/x.mat": b"0", "../out.jpg": b"0"},
            {f"annotations/trimaps/{n}.png": saved(np.full((8, 6), 1 + i, np.uint8))
             for i, n in enumerate(names)}
            | {"annotations/trimaps/._a.png": b"0", "annotations/list.txt": b"text"})


def test_pets_from_their_archives(home):
    pictures, masks = pets_files_of()
    tar_of(home / "pets" / "images.tar.gz", pictures)
    tar_of(home / "pets" / "annotations.tar.gz", masks)
    data = pets()
    assert data.classes == ("Abyssinian", "american_bulldog")
    assert data.labels.tolist() == [0, 0, 1]
    assert sorted(p.name for p in (home / "pets" / "images").iterdir()) == sorted(
        name.split("/")[1] for name in pictures if name.startswith("images/A") or "bull" in name)
    pairs = pets_masks()
    assert len(pairs) == 3 and sorted(int(mask.max()) for _, mask in pairs) == [0, 1, 2]
    assert not list(home.glob("*.jpg")) and not list(home.glob("pets/.*"))


def test_a_part_of_pets_in_a_zip(home):
    (home / "pets").mkdir()
    zip_of(home / "pets" / "mini.zip", {"images/pug_3.jpg": saved(noise(8, 6), "JPEG")})
    assert pets().classes == ("pug",)
    with pytest.raises(MissingDataError, match="neither annotations nor annotations.tar.gz"):
        pets_masks()
    here = {source.name: (source.present, source.images) for source in picture_sources()}
    assert here["pets"] == (True, 1)


@pytest.mark.parametrize("get, words", [
    (pets, "neither images nor images.tar.gz"), (cifar10, "cifar-10-binary.tar.gz is not in")])
def test_what_is_not_here_is_told_and_not_downloaded_in_vain(home, get, words):
    with pytest.raises(MissingDataError, match=words):
        get()
    with pytest.raises(DownloadError, match="could not be downloaded"):
        get(download=True)
    assert [p for p in home.rglob("*") if p.is_file()] == []


def test_a_broken_archive_unpacks_to_nothing(home, monkeypatch):
    path = tar_of(home / "pets" / "images.tar.gz", {"images/a_1.jpg": rng().bytes(100_000)})
    whole = path.read_bytes()
    path.write_bytes(whole[:50_000])
    with pytest.raises(DamagedDataError, match="images.tar.gz cannot be unpacked"):
        pets()
    assert [p.name for p in (home / "pets").iterdir()] == ["images.tar.gz"]
    path.write_bytes(whole)

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(DataError, match="cannot unpack .*No space left on device; make room"):
        unpack(path, lambda name: True, home / "pets" / "images")
    assert [p.name for p in (home / "pets").iterdir()] == ["images.tar.gz"]
    assert dict(members(path, lambda name: "nothing" in name)) == {}


# ---------------------------------------------------------------- CIFAR-10


def test_cifar_from_folders_of_classes(home):
    for part, count in (("train", 3), ("test", 1)):
        files = {f"{part}/{c}/{i}.png": saved(noise(32, 32, i)) for c in CLASSES[:2]
                 for i in range(count)}
        (home / "cifar10").mkdir(exist_ok=True)
        zip_of(home / "cifar10" / f"{part}.zip", files)
    train, test = cifar10()
    assert train.images.shape == (6, 3, 32, 32) and test.labels.tolist() == [0, 1]
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1] and train.classes == CLASSES
    np.testing.assert_array_equal(train.images[2], noise(32, 32, 2).transpose(2, 0, 1))
    zip_of(home / "cifar10" / "test.zip", {"test/whale/1.png": saved(noise(32, 32))})
    with pytest.raises(DamagedDataError, match="'whale' is no class of CIFAR-10"):
        cifar10()
    zip_of(home / "cifar10" / "test.zip", {"test/ship/1.png": saved(noise(30, 32))})
    with pytest.raises(DamagedDataError, match=r"ship/1.png has the shape \(30, 32, 3\)"):
        cifar10()


def test_cifar_from_the_original_archive(home):
    pixels = rng().integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    records = [bytes([label]) + image.tobytes() for label, image in zip((3, 9, 0, 1), pixels,
                                                                       strict=True)]
    path = home / "cifar10" / cifar_files.ARCHIVE
    folder = "cifar-10-batches-bin/"
    tar_of(path, {folder + "data_batch_2.bin": records[1], folder + "data_batch_1.bin": records[0],
                  folder + "test_batch.bin": records[2] + records[3], folder + "readme": b"0"})
    train, test = cifar10()
    assert train.labels.tolist() == [3, 9] and test.labels.tolist() == [0, 1]
    np.testing.assert_array_equal(train.images, pixels[:2])
    np.testing.assert_array_equal(test.images, pixels[2:])
    tar_of(path, {"test_batch.bin": records[0][:-1], "data_batch_1.bin": records[0]})
    with pytest.raises(DamagedDataError, match="3072 bytes are not whole records of 3073"):
        cifar10()
    tar_of(path, {"readme": b"0"})
    with pytest.raises(DamagedDataError, match="no data_batch and test_batch"):
        cifar10()


# ---------------------------------------------------------------- by name


def test_auto_takes_what_is_here_and_says_so(home):
    said = []
    assert load_pictures(say=said.append)[0].name == "photos"
    assert len(said) == 1 and "neither bsds nor pets in" in said[0]
    (home / "pets").mkdir()
    zip_of(home / "pets" / "mini.zip", {f"pug_{i}.png": saved(noise(8, 6)) for i in range(20)})
    train, valid = load_pictures(say=said.append)
    assert (train.name, len(train), len(valid)) == ("pets", 18, 2)
    assert said[1] == f"Data: pets, found in {home / 'pets'}."
    folder_of(home / "bsds", train__1_png=saved(noise(9, 9)), val__2_png=saved(noise(5, 5)),
              test__3_png=saved(noise(3, 3)))
    train, valid = load_pictures(say=said.append)
    assert (train.name, valid.name, len(said)) == ("bsds-train", "bsds-val", 3)


def test_any_folder_will_do_and_what_is_left_out_is_said(tmp_path):
    folder_of(tmp_path, empty_png=b"", **{f"p{i}_png": saved(noise(4, 4)) for i in range(5)})
    said = []
    train, valid = load_pictures(tmp_path, say=said.append)
    assert len(train) == 4 and len(valid) == 1
    assert said[0].startswith(f"Left out of {tmp_path.name}, 1 in all")
    assert said[1].startswith("  empty.png: ")
    with pytest.raises(MissingDataError, match="no file or folder"):
        load_pictures(tmp_path / "none")


def test_the_list_of_what_there_is(home):
    sources = {source.name: source for source in picture_sources()}
    assert [name for name, source in sources.items() if source.present] == ["photos"]
    assert sources["cifar10"].images == 60000 and "minilearn data get" in sources["cifar10"].how


# ---------------------------------------------------------------- the real ones


@pytest.mark.data
def test_the_real_photographs():
    parts = bsds()
    assert [len(part) for part in parts] == [200, 100, 200]
    assert all(sorted(picture.shape[:2]) == [321, 481] for picture in parts[1])
    assert [len(benchmark(name)) for name in ("set5", "set14")] == [5, 14]
    for name, scale in (("set5", 4), ("set14", 3)):
        for small, full in benchmark(name, scale):
            assert full.shape == (small.shape[0] * scale, small.shape[1] * scale, 3)


@pytest.mark.data
def test_the_real_pets():
    data = pets()
    assert len(data) == 693 and len(data.classes) == 32
    counts = dict(zip(data.classes, np.bincount(data.labels).tolist(), strict=True))
    assert counts["Abyssinian"] == counts["Bengal"] == counts["american_bulldog"] == 200


@pytest.mark.data
@pytest.mark.slow
def test_the_real_cifar():
    train, test = cifar10()
    assert train.images.shape[1:] == test.images.shape[1:] == (3, 32, 32)
    assert set(np.bincount(test.labels)) == {1000}
    mean = test.images.mean((0, 2, 3)) / 255
    np.testing.assert_allclose(mean, [0.494, 0.485, 0.450], atol=0.003)

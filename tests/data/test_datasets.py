"""Data sets by name: the offline digits, MNIST, and the choice between them."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as torch_F
from sklearn.datasets import load_digits  # here, as importing it sets environment variables

from minilearn import data
from minilearn.data import (
    DamagedDataError,
    DownloadError,
    MissingDataError,
    available,
    data_home,
    datasets,
    digits,
    load,
    mnist,
    mnist_files,
)
from minilearn.data.datasets import every_fifth, resize
from minilearn.data.problems import needed


@pytest.fixture
def empty_home(monkeypatch, tmp_path):
    """A MINILEARN_DATA with nothing in it, and mirrors that are nowhere."""
    monkeypatch.setenv("MINILEARN_DATA", str(tmp_path))
    monkeypatch.setattr(mnist_files, "MIRRORS", ("http://127.0.0.1:9/one/", "nowhere://two/"))
    return tmp_path


@pytest.fixture
def real_mnist():
    """The folder of the real files, skipped where they are not."""
    folder = data_home() / "mnist"
    if not folder.is_dir():
        pytest.skip(f"no MNIST in {folder}")
    return folder


# ---------------------------------------------------------------- digits


def test_digits_are_1797_images_like_those_of_mnist():
    train, valid = digits()
    assert (len(train), len(valid)) == (1442, 355)
    assert train.images.shape[1:] == valid.images.shape[1:] == (1, 28, 28)
    assert train.classes == tuple("0123456789")
    everything = np.concatenate([train.images, valid.images])
    assert everything.max() == 255
    border = everything.copy()
    border[..., 4:24, 4:24] = 0
    assert not border.any()


def test_digits_keep_the_shares_of_the_classes():
    train, valid = digits()
    share = np.bincount(valid.labels) / (np.bincount(train.labels) + np.bincount(valid.labels))
    assert share.min() > 0.19
    assert share.max() <= 0.2
    assert valid.labels[:10].tolist() == digits()[1].labels[:10].tolist()


def test_digits_are_the_original_ones_enlarged():
    bunch = load_digits()
    train, valid = digits()
    held_out = every_fifth(bunch.target)
    for part, chosen in ((train, ~held_out), (valid, held_out)):
        assert (part.labels == bunch.target[chosen]).all()
        ink = part.images.mean((1, 2, 3)) * 28 * 28 / 400
        np.testing.assert_allclose(ink, bunch.images[chosen].mean((1, 2)) * 255 / 16, rtol=0.1)


@pytest.mark.parametrize("side, size", [(8, 20), (8, 24), (3, 7), (5, 5), (1, 4)])
def test_resize_is_torchs_bilinear_interpolation(side, size):
    images = np.random.default_rng(0).standard_normal((2, side, side))
    theirs = torch_F.interpolate(torch.tensor(images)[None], size=(size, size), mode="bilinear",
                                 align_corners=False)[0]
    np.testing.assert_allclose(resize(images, size), theirs.numpy(), atol=1e-12)


def test_a_missing_package_is_named_with_its_command():
    with pytest.raises(ModuleNotFoundError, match="x needs .* nopackage,.*: pip install nopackage"):
        needed("no_such_module", "nopackage", "x")


# ---------------------------------------------------------------- load, available


def test_auto_takes_the_digits_and_says_why(empty_home):
    said = []
    train, _ = load("auto", say=said.append)
    assert train.name == "digits"
    assert said == [f"Data: scikit-learn's digits, as MNIST is not in {empty_home / 'mnist'} "
                    "(see: minilearn data list)."]


def test_auto_says_that_mnist_is_there_only_in_part(empty_home):
    (empty_home / "mnist").mkdir()
    (empty_home / "mnist" / "train-labels-idx1-ubyte.gz").write_bytes(b"x")
    said = []
    assert load(say=said.append)[0].name == "digits"
    assert "only a part of MNIST is" in said[0]
    assert "train-images-idx3-ubyte, t10k-images" in available()[1].how
    assert "train-labels" not in available()[1].how


def test_load_by_name_says_nothing(empty_home, capsys):
    assert load("digits")[0].name == "digits"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name, words", [("minst", "did you mean 'mnist'"),
                                         ("cifar", "known are auto, digits, mnist$")])
def test_an_unknown_name_lists_the_known_ones(name, words):
    with pytest.raises(ValueError, match=words):
        load(name)


def test_available_says_what_is_where_and_how_to_get_the_rest(empty_home):
    offline, download = available()
    assert offline.present
    assert offline.images == 1797
    assert not download.present
    assert download.where == str(empty_home / "mnist")
    assert "--data mnist" in download.how


# ---------------------------------------------------------------- MNIST without its files


def test_missing_mnist_says_which_file_where_and_what_to_do(empty_home):
    with pytest.raises(MissingDataError) as caught:
        mnist()
    for words in ("train-images-idx3-ubyte.gz", str(empty_home / "mnist"), "MINILEARN_DATA",
                  "download=True", "digits()"):
        assert words in str(caught.value)


def test_mnist_that_cannot_be_downloaded_names_both_mirrors(empty_home):
    with pytest.raises(DownloadError) as caught:
        load("mnist")
    for words in ("train-images-idx3-ubyte.gz (9.9 MB)", "http://127.0.0.1:9/one/train-images",
                  "nowhere://two/train-images", "unknown url type"):
        assert words in str(caught.value)


def test_a_file_with_other_content_is_refused(empty_home):
    folder = empty_home / "mnist"
    folder.mkdir()
    for file in mnist_files.missing_files(folder):
        header = bytes([0, 0, 8, 1, 0, 0, 0, 1])
        (folder / (file.name + ".gz")).write_bytes(gzip.compress(header + b"\0"))
    with pytest.raises(DamagedDataError, match="train-images.*corrupted"):
        load(say=lambda line: None)  # it is there, so it is not passed over in silence


# ---------------------------------------------------------------- the real MNIST

TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.data
def test_mnist_is_the_published_one(real_mnist):
    train, test = mnist()
    assert train.images.shape == (60000, 1, 28, 28)
    assert test.images.shape == (10000, 1, 28, 28)
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.bincount(train.labels).tolist() == TRAIN_COUNTS
    assert np.bincount(test.labels).tolist() == TEST_COUNTS
    assert abs(train.images.mean() / 255 - 0.1307) < 1e-4
    assert train.name == "mnist"


@pytest.mark.data
def test_auto_takes_mnist_where_it_is(real_mnist):
    said = []
    assert len(load(say=said.append)[0]) == 60000
    assert said == [f"Data: MNIST, found in {real_mnist}."]
    assert available()[1].present


@pytest.mark.data
def test_unpacked_files_will_do(real_mnist, tmp_path):
    for path in real_mnist.iterdir():
        (tmp_path / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    assert [len(part) for part in mnist(tmp_path)] == [60000, 10000]


@pytest.mark.data
def test_a_truncated_real_file_is_refused(real_mnist, tmp_path):
    for path in real_mnist.iterdir():
        shutil.copyfile(path, tmp_path / path.name)
    images = next(Path(tmp_path).glob("t10k-images*"))
    images.write_bytes(images.read_bytes()[:-1000])
    with pytest.raises(DamagedDataError, match="t10k-images.*truncated"):
        mnist(tmp_path)


def test_the_names_are_those_that_load_knows():
    assert [source.name for source in available()] == list(datasets.NAMES)


def test_available_lists_sources():
    assert all(isinstance(source, data.Source) for source in data.available())

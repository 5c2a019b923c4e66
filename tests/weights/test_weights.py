"""Weight files: what goes out comes back, torch's are read, damaged and hostile ones refused."""

import io
import json
import os
import pickle
import struct
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from against_torch import host
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors import torch as safetensors_torch

import minilearn as ml
from minilearn import nn, weights, xp

ROOT = Path(__file__).parents[2]
KINDS = ["float64", "float32", "int64", "int32", "int16", "int8", "uint8", "bool"]
SUFFIXES = [".safetensors", ".pth", ".pt"]
WRITTEN = settings(suppress_health_check=[HealthCheck.function_scoped_fixture,
                                          HealthCheck.too_slow], max_examples=25)

names = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="._"),
                min_size=1, max_size=8).filter(lambda name: name != "__metadata__")
values = st.sampled_from(KINDS).flatmap(lambda kind: arrays(
    kind, array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)))
states = st.dictionaries(names, st.tuples(values, st.booleans()).map(
    lambda pair: pair[0].T if pair[1] else pair[0]), max_size=4)


def same(got, want):
    """Assert the same bits under the same names."""
    assert set(got) == set(want)
    for name, array in want.items():
        mine, its = host(got[name]), host(array)
        assert mine.dtype == its.dtype and mine.shape == its.shape, name
        assert mine.tobytes() == its.tobytes(), name


def small():
    rng = np.random.default_rng(0)
    return {"a.weight": rng.standard_normal((3, 4)).astype("float32"), "a.bias": np.arange(3.0),
            "count": np.array(7)}


def in_torch(state):
    return OrderedDict((name, torch.from_numpy(np.array(value))) for name, value in state.items())


def torch_bytes(value, **options):
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def npz_bytes(**named):
    buffer = io.BytesIO()
    np.savez(buffer, **named)
    return buffer.getvalue()


# ---------------------------------------------------------------- what goes out comes back


@pytest.mark.parametrize("suffix", SUFFIXES)
@WRITTEN
@given(state=states)
def test_round_trip(suffix, tmp_path, state):
    """Every dtype and shape, transposed views and empty arrays included."""
    path = tmp_path / f"w{suffix}"
    weights.save({name: ml.tensor(value) for name, value in state.items()}, path)
    loaded = weights.load(path)
    assert all(type(value) is ml.Tensor and not value.requires_grad for value in loaded.values())
    same(loaded, state)


@WRITTEN
@given(state=states)
def test_torch_reads_what_we_write(tmp_path, state):
    weights.save(state, tmp_path / "w.pth")
    same(torch.load(tmp_path / "w.pth", weights_only=True), state)
    weights.save(state, tmp_path / "w.safetensors")
    same(safetensors_torch.load_file(tmp_path / "w.safetensors"), state)


@WRITTEN
@given(state=states, zipped=st.booleans())
def test_we_read_what_torch_writes(tmp_path, state, zipped):
    """In the format of today, in that of torch before 1.6, and in safetensors."""
    theirs = in_torch(state)
    torch.save(theirs, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    same(weights.load(tmp_path / "w.pth"), state)
    whole = {name: value.contiguous() for name, value in theirs.items()}
    safetensors_torch.save_file(whole, tmp_path / "w.safetensors")
    same(weights.load(tmp_path / "w.safetensors"), state)


@WRITTEN
@given(state=states, compressed=st.booleans())
def test_we_read_what_numpy_writes(tmp_path, state, compressed):
    state = {name: value for name, value in state.items() if name != "file"}  # savez's own
    (np.savez_compressed if compressed else np.savez)(tmp_path / "w.npz", **state)
    same(weights.load(str(tmp_path / "w.npz")), state)


def test_parameters_views_and_suffixes_in_capitals(tmp_path):
    """Parameters come back as plain tensors; a view of a large array is saved alone."""
    big = torch.nn.Parameter(torch.arange(1e5))
    torch.save({"p": big, "view": big.detach()[3:5]}, tmp_path / "w.PTH")
    loaded = weights.load(tmp_path / "w.PTH")
    assert not loaded["p"].requires_grad and loaded["view"].tolist() == [3, 4]
    weights.save({"view": loaded["view"]}, tmp_path / "v.safetensors")
    assert (tmp_path / "v.safetensors").stat().st_size < 200


def test_a_module_is_its_state_dict(tmp_path):
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    net(ml.randn(2, 1, 5, 5))
    for suffix in SUFFIXES:
        weights.save(net, tmp_path / "deep" / "er" / f"net{suffix}")
        same(weights.load(tmp_path / "deep" / "er" / f"net{suffix}"), net.state_dict())


def test_big_endian_arrays_become_native(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.arange(3, dtype=">f4"), b=np.arange(3, dtype=">i8"))
    same(weights.load(tmp_path / "w.npz"),
         {"a": np.arange(3, dtype="float32"), "b": np.arange(3)})


HALVES = torch.tensor([0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, float("inf"), -float("inf")])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_float32(dtype, tmp_path):
    """Without loss: every value of the half formats is a float32."""
    half = {"h": HALVES.to(dtype), "nan": torch.tensor(float("nan"), dtype=dtype)}
    torch.save(half, tmp_path / "w.pth")
    safetensors_torch.save_file(half, tmp_path / "w.safetensors")
    files = ["w.pth", "w.safetensors"]
    if dtype == torch.float16:
        np.savez(tmp_path / "w.npz", **{name: value.numpy() for name, value in half.items()})
        files.append("w.npz")
    for file in files:
        loaded = weights.load(tmp_path / file)
        same({"h": loaded["h"]}, {"h": half["h"].float()})
        assert loaded["nan"].dtype == "float32" and np.isnan(loaded["nan"].item())
    layer = nn.Linear(8, 1, bias=False)
    weights.load_into(layer, {"weight": half["h"][None]})  # torch's own, without a file
    same({"w": layer.weight}, {"w": half["h"][None].float()})
    if dtype == torch.bfloat16:  # which NumPy does not have
        layer.load_state_dict({"weight": half["h"][None].neg()})
        same({"w": layer.weight}, {"w": half["h"][None].neg().float()})


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_interrupted_save_leaves_the_old_file(suffix, tmp_path, monkeypatch):
    path = tmp_path / f"w{suffix}"
    weights.save(small(), path)

    def cut(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(KeyboardInterrupt):
        weights.save({"other": np.ones(3)}, path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    same(weights.load(path), small())


# ---------------------------------------------------------------- damaged files

FILES = {
    ".safetensors": lambda: safetensors_torch.save(dict(in_torch(small()))),
    ".pth": lambda: torch_bytes(in_torch(small())),
    "old.pth": lambda: torch_bytes(in_torch(small()), _use_new_zipfile_serialization=False),
    ".npz": lambda: npz_bytes(**small()),
}


def refused(path, match=None, **options):
    with pytest.raises(ValueError, match=match) as caught:
        weights.load(path, **options)
    assert str(caught.value).startswith(f"load: {path}")
    return str(caught.value)


@pytest.mark.parametrize("suffix", FILES)
@WRITTEN
@given(data=st.data())
def test_a_truncated_file_is_refused(suffix, tmp_path, data):
    whole = FILES[suffix]()
    length = data.draw(st.integers(1, len(whole) - 1))
    path = tmp_path / f"w{suffix}"
    path.write_bytes(whole[:length])
    refused(path, "damaged.*download it again")


@pytest.mark.parametrize("suffix", [".pth", ".npz"])
@WRITTEN
@given(data=st.data())
def test_a_flipped_bit_is_noticed_by_the_checksums(suffix, tmp_path, data):
    """Anywhere in the values: torch itself does not look."""
    whole, values = bytearray(FILES[suffix]()), small()["a.weight"].tobytes()
    start = bytes(whole).index(values)
    at = data.draw(st.integers(start, start + len(values) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / f"w{suffix}"
    path.write_bytes(whole)
    refused(path, "damaged .the checksum of")


@pytest.mark.parametrize("suffix", SUFFIXES + [".npz"])
@WRITTEN
@given(junk=st.binary(min_size=1, max_size=60) | st.sampled_from(
    [b"<!DOCTYPE html><html>404</html>", b"version https://git-lfs.github.com/spec/v1\n", bytes(99),
     b"PK\3\4" + bytes(40), b"\x80\x02}q\x00.", b"\x89PNG\r\n\x1a\n"]))
def test_other_content_is_refused(suffix, tmp_path, junk):
    path = tmp_path / f"w{suffix}"
    path.write_bytes(junk)
    try:
        assert weights.load(path) == {}  # an empty dictionary is one of the possible contents
    except ValueError as error:
        assert str(error).startswith(f"load: {path}")


def test_a_header_that_lies_is_refused(tmp_path):
    header = json.dumps({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 8]}}).encode()
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    refused(tmp_path / "w.safetensors", "not a safetensors file, or is damaged")


@pytest.mark.parametrize("suffix", SUFFIXES + [".npz"])
def test_missing_and_empty_files_and_folders(suffix, tmp_path):
    path = tmp_path / f"w{suffix}"
    with pytest.raises(FileNotFoundError, match="does not exist"):
        weights.load(path)
    path.write_bytes(b"")
    refused(path, r"is empty \(0 bytes\)")
    path.unlink()
    path.mkdir()
    with pytest.raises(FileNotFoundError, match="is a folder"):
        weights.load(path)


@pytest.mark.parametrize("name", ["w.h5", "w", "w.pkl", "w.npy", ".pth"])
def test_other_suffixes_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match="expected one of .safetensors, .pth, .pt, .npz"):
        weights.load(tmp_path / name)
    with pytest.raises(ValueError, match="expected one of .safetensors, .pth, .pt$"):
        weights.save({}, tmp_path / name)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- files that would run code


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def trapped(trap):
    pickles = {f"protocol {n}": pickle.dumps({"a": trap}, n) for n in range(6)}
    return pickles | {
        "torch": torch_bytes({"a": torch.ones(2), "b": trap}),
        "old torch": torch_bytes({"a": trap}, _use_new_zipfile_serialization=False),
    }


@pytest.mark.parametrize("kind", trapped(Trap("x")))
def test_a_pickle_that_would_run_code_is_refused(kind, tmp_path):
    sprung = tmp_path / "sprung"
    path = tmp_path / "w.pth"
    path.write_bytes(trapped(Trap(sprung))[kind])
    message = refused(path, "would run code")
    assert f"{os.mkdir.__module__}.mkdir" in message and "state_dict()" in message
    assert not sprung.exists()
    pickle.loads(trapped(Trap(sprung))["protocol 2"])  # the trap is a real one
    assert sprung.exists()


def test_a_pickle_inside_npz_is_refused(tmp_path):
    sprung = tmp_path / "sprung"
    np.savez(tmp_path / "w.npz", a=np.array([Trap(sprung)], dtype=object))
    refused(tmp_path / "w.npz", "holds Python objects.*refused")
    (tmp_path / "v.npz").write_bytes(pickle.dumps(Trap(sprung)))
    refused(tmp_path / "v.npz")
    assert not sprung.exists()


def test_a_whole_module_is_refused_by_name(tmp_path):
    """`torch.save(model, path)` is a pickle of classes: those could be anything."""
    torch.save(torch.nn.Linear(2, 2), tmp_path / "w.pth")
    refused(tmp_path / "w.pth", "torch.nn.modules.linear.Linear.*state_dict")


def test_the_environment_cannot_switch_it_off(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    (tmp_path / "w.pth").write_bytes(trapped(Trap(tmp_path / "sprung"))["torch"])
    refused(tmp_path / "w.pth", "would run code")
    assert not (tmp_path / "sprung").exists()


# ---------------------------------------------------------------- what is no array


def test_all_entries_that_are_no_arrays_are_listed(tmp_path):
    torch.save({"good": torch.ones(2), "complex": torch.ones(2, dtype=torch.complex64),
                "eight": torch.ones(2).to(torch.float8_e4m3fn), "epoch": 3, 5: torch.ones(1),
                "sparse": torch.eye(2).to_sparse()}, tmp_path / "w.pth")
    message = refused(tmp_path / "w.pth", "not arrays of real numbers")
    for part in ("'complex' is an array of complex64", "'eight' is Tensor of torch.float8_e4m3fn",
                 "'epoch' is int", "5 is a name of type int", "'sparse' is Tensor"):
        assert part in message
    assert "'good'" not in message
    np.savez(tmp_path / "w.npz", text=np.array(["x"]), wide=np.ones(2, "uint16"))
    message = refused(tmp_path / "w.npz")
    assert "'text' is an array of <U1" in message and "'wide' is an array of uint16" in message
    safetensors_torch.save_file({"eight": torch.ones(2).to(torch.float8_e5m2)},
                                tmp_path / "w.safetensors")
    refused(tmp_path / "w.safetensors", r"'eight' \(F8_E5M2\)")


def test_a_training_checkpoint_names_its_entries(tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"epoch": 3, "state_dict": in_torch(small())}, path)
    assert "key='state_dict'" in refused(path, "'epoch' is int")
    same(weights.load(path, key="state_dict"), small())
    refused(path, "no entry 'model'; it holds epoch, state_dict", key="model")
    refused(path, "holds one int", key="epoch")
    torch.save(torch.ones(3), path)
    refused(path, "holds one Tensor, not arrays by name")
    refused(path, "holds one Tensor, not arrays by name", key="a")
    np.savez(tmp_path / "w.npz", a=np.ones(2))
    refused(tmp_path / "w.npz", "leave out key='a'", key="a")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_cannot_be_saved_leaves_no_file(suffix, tmp_path):
    path = tmp_path / f"w{suffix}"
    listed = "'a' is list\n    'b' is an array of complex128\n    3 is a name of type int"
    with pytest.raises(ValueError, match=listed):
        weights.save({"a": [1.0], "b": np.ones(2, complex), 3: np.ones(1)}, path)
    with pytest.raises(TypeError, match="expected arrays by name, got list"):
        weights.save([np.ones(2)], path)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- into a module


def net():
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))


def twin():
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3),
                               torch.nn.Linear(3, 2))


@pytest.mark.parametrize("wrap", [lambda s, path: s, lambda s, path: in_file(s, path / "w.pth"),
                                  lambda s, path: str(in_file(s, path / "w.safetensors"))])
def test_load_into(wrap, tmp_path):
    theirs, ours = twin().state_dict(), net()
    report = weights.load_into(ours, wrap(theirs, tmp_path))
    assert report == ([], [])
    same(ours.state_dict(), theirs)
    assert all(p.requires_grad for p in ours.parameters())


def in_file(state, path):
    weights.save(state, path)
    return path


def test_values_take_the_dtype_of_the_module(tmp_path):
    theirs = twin().state_dict()
    ours = net().double()
    weights.load_into(ours, theirs)
    assert ours[0].weight.dtype == "float64" and ours[1].num_batches_tracked.dtype == "int64"
    assert np.array_equal(host(ours[0].weight), theirs["0.weight"].double().numpy())


def test_a_file_entry_goes_into_a_module(tmp_path):
    theirs, ours = twin(), net()
    torch.save({"epoch": 1, "state_dict": theirs.state_dict()}, tmp_path / "w.pth")
    assert weights.load_into(ours, tmp_path / "w.pth", key="state_dict") == ([], [])
    same(ours.state_dict(), theirs.state_dict())


def test_a_module_does_not_share_memory_with_its_source():
    state = small() | {"a.weight": np.ones((2, 3), "float32"), "a.bias": np.ones(2, "float32")}
    del state["count"]
    ours = nn.Sequential()
    ours.add_module("a", nn.Linear(3, 2))
    weights.load_into(ours, state)
    state["a.weight"][:] = 5
    assert (host(ours.get_parameter("a.weight")) == 1).all()


def test_everything_that_does_not_fit_is_listed_and_nothing_loaded(tmp_path):
    state = twin().state_dict()
    state["0.weights"] = state.pop("0.weight")
    state["2.weight"] = torch.ones(2, 4)
    state["2.bias"] = torch.ones(7)
    path = in_file(state, tmp_path / "w.pth")
    ours = net()
    before = {name: host(value).copy() for name, value in ours.state_dict().items()}
    for source in (path, state):
        with pytest.raises(RuntimeError) as caught:
            weights.load_into(ours, source)
        for part in ("missing: 0.weight", "unexpected: 0.weights", "2.weight is (2, 4)",
                     "2.bias is (7,), the model has (2,)"):
            assert part in str(caught.value)
        assert (str(path) in str(caught.value)) == (source is path)
        with pytest.raises(RuntimeError, match="2.weight") as caught:
            weights.load_into(ours, source, strict=False)
        assert "missing" not in str(caught.value)
    same(ours.state_dict(), before)


def test_not_strict_returns_the_names():
    state = twin().state_dict()
    state["extra"] = state.pop("2.bias")
    report = weights.load_into(net(), state, strict=False)
    assert report.missing_keys == ["2.bias"] and report.unexpected_keys == ["extra"]


def test_names_of_data_parallel(tmp_path):
    theirs = twin()
    torch.save(torch.nn.DataParallel(theirs).state_dict(), tmp_path / "w.pth")
    assert next(iter(weights.load(tmp_path / "w.pth"))) == "module.0.weight"
    ours = net()
    assert weights.load_into(ours, tmp_path / "w.pth") == ([], [])
    same(ours.state_dict(), theirs.state_dict())


def test_data_parallel_is_only_guessed_where_it_fits():
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = nn.Linear(2, 1)

    ours = Wrapped()
    state = {"module.weight": torch.ones(1, 2), "module.bias": torch.ones(1)}
    assert weights.load_into(ours, state) == ([], [])
    with pytest.raises(RuntimeError, match="unexpected: module.weight"):
        weights.load_into(nn.Linear(2, 1), state | {"bias": torch.ones(1)})


def test_a_prefix_takes_a_part():
    theirs = torch.nn.ModuleDict({"features": twin(), "head": torch.nn.Linear(2, 9)})
    ours = net()
    assert weights.load_into(ours, theirs.state_dict(), prefix="features.") == ([], [])
    same(ours.state_dict(), theirs["features"].state_dict())
    with pytest.raises(ValueError, match="no name begins with 'body.'.*features.0.weight"):
        weights.load_into(ours, theirs.state_dict(), prefix="body.")
    with pytest.raises(ValueError, match="no name begins"):
        weights.load_into(ours, {}, prefix="body.")


def test_wrong_sources():
    for source in ([1, 2], None, 3, twin()):
        with pytest.raises(TypeError, match="expected arrays by name"):
            weights.load_into(net(), source)
    with pytest.raises(ValueError, match="load_into: not arrays.*\n.*'0.bias' is float"):
        weights.load_into(net(), {"0.bias": 1.0})
    with pytest.raises(TypeError, match="hand over source\\['state_dict'\\]"):
        weights.load_into(net(), {"state_dict": twin().state_dict()}, key="state_dict")
    with pytest.raises(TypeError, match="unexpected keyword"):
        weights.load_into(net(), {}, assign=True)


# ---------------------------------------------------------------- other libraries, no torch


@pytest.mark.parametrize("library", ["array_api_strict", "torch:cpu"])
def test_on_other_libraries(library, tmp_path):
    before = xp.library()
    path = in_file(twin().state_dict(), tmp_path / "w.pth")
    want = {name: host(value) for name, value in weights.load(path).items()}
    try:
        xp.use(library)
        ours = net()
        weights.load_into(ours, path)
        assert all(isinstance(p.data, xp.ARRAY) for p in ours.parameters())
        for suffix in SUFFIXES:
            weights.save(ours, tmp_path / f"v{suffix}")
            same(weights.load(tmp_path / f"v{suffix}"), want)
    finally:
        xp.use(before)


def test_without_torch(tmp_path):
    """safetensors and npz need no torch; .pth says what to install."""
    torch.save(in_torch(small()), tmp_path / "w.pth")
    np.savez(tmp_path / "w.npz", **small())
    code = """
import sys
sys.modules["torch"] = None  # as if it were not installed
from minilearn import weights
weights.save(weights.load("w.npz"), "w.safetensors")
print(sorted(weights.load("w.safetensors")))
for action in (lambda: weights.load("w.pth"), lambda: weights.save({}, "v.pth")):
    try:
        action()
    except ModuleNotFoundError as error:
        print(error)
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, text=True,
                          capture_output=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "['a.bias', 'a.weight', 'count']"
    assert len(lines) == 3 and all("pip install 'minilearn[learn]'" in line for line in lines[1:])
    assert not (tmp_path / "v.pth").exists()

"""The IDX reader, on files made here and then damaged."""

import gzip
import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minilearn.data import DamagedDataError, DataError, MissingDataError, read_idx
from minilearn.data.idx import parse_idx

CODES = {"u1": 8, "i1": 9, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array):
    """Write an array in the IDX format."""
    code = CODES[array.dtype.str[1:]]
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def whole(tmp_path):
    """A whole packed file with 3 x 4 x 5 numbers."""
    path = tmp_path / "some-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.arange(60, dtype=np.uint8).reshape(3, 4, 5))))
    return path


@given(st.sampled_from(sorted(CODES)).flatmap(
    lambda kind: hnp.arrays(kind, hnp.array_shapes(max_dims=4, max_side=4))))
def test_what_was_written_is_read(array):
    out = parse_idx(idx_bytes(array))
    assert out.dtype.kind == array.dtype.kind
    np.testing.assert_array_equal(out, array)


def test_packed_and_unpacked_are_read_alike_whatever_they_are_called(whole, tmp_path):
    raw = tmp_path / "raw.gz"
    raw.write_bytes(gzip.decompress(whole.read_bytes()))
    digest = hashlib.sha256(raw.read_bytes()).hexdigest()
    np.testing.assert_array_equal(read_idx(whole, digest), read_idx(raw, digest))
    whole.write_bytes(gzip.compress(raw.read_bytes(), compresslevel=1))  # packed anew
    assert read_idx(whole, digest).shape == (3, 4, 5)


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "nothing.gz"
    with pytest.raises(MissingDataError) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)
    assert isinstance(caught.value, FileNotFoundError)
    assert isinstance(caught.value, DataError)


@given(st.data())
def test_no_part_of_a_file_is_taken_for_the_whole(data):
    content = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    end = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(ValueError, match="truncated|no IDX file"):
        parse_idx(content[:end])


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.99])
def test_a_truncated_gz_says_which_file_and_what_to_do(whole, keep):
    packed = whole.read_bytes()
    whole.write_bytes(packed[: int(len(packed) * keep)])
    with pytest.raises(DamagedDataError, match="truncated.*delete it and get it again") as caught:
        read_idx(whole)
    assert str(whole) in str(caught.value)


def test_a_flipped_bit_is_seen(whole):
    packed = bytearray(whole.read_bytes())
    for place in range(12, len(packed), 7):
        damaged = packed.copy()
        damaged[place] ^= 4
        whole.write_bytes(damaged)
        with pytest.raises(DamagedDataError):
            read_idx(whole)


@pytest.mark.parametrize("change, words", [
    (lambda b: b"<html>" + b, "no IDX file: it begins with 3c 68 74 6d"),
    (lambda b: b"", "begins with nothing"),
    (lambda b: b"\0\0\x07" + b[3:], "no IDX file"),
    (lambda b: b[:10], "its header has 10 bytes, expected 16"),
    (lambda b: b[:-1], r"truncated: 75 bytes, expected 76 for shape \(3, 4, 5\)"),
    (lambda b: b + b"\0", "too long: 77 bytes, expected 76"),
])
def test_the_message_says_what_was_expected(whole, change, words):
    whole.write_bytes(change(gzip.decompress(whole.read_bytes())))
    with pytest.raises(DamagedDataError, match=words) as caught:
        read_idx(whole)
    assert str(whole) in str(caught.value)
    assert "delete it and get it again" in str(caught.value)


def test_other_content_of_the_right_form_is_told_by_its_hash(whole):
    with pytest.raises(DamagedDataError, match=r"corrupted: the SHA-256 .* should be 000000000000"):
        read_idx(whole, "0" * 64)

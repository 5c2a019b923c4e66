"""Values survive the journey; bytes that are no frame are refused, and nothing large is made."""

import json
import struct
from itertools import count

import numpy as np
import pytest

from minilearn.grading.isolation.protocol import (
    REPLY,
    BadValue,
    Frames,
    ProtocolError,
    Size,
    decode,
    encode,
)


def travel(value):
    return decode(encode({}, value))[1]


def frame(content, body=b""):
    header = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<II", len(header), len(body)) + header + body


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "?", "u1", ">f8"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_arrays_come_back_equal_and_writable(dtype, shape):
    array = (np.arange(np.prod(shape, dtype=int)) % 3).reshape(shape).astype(dtype)
    back = travel(array)
    assert type(back) is np.ndarray and back.shape == shape
    assert back.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(back, array)
    assert back.flags.writeable and back.flags.aligned and back.flags.owndata


def test_views_of_any_order_come_back():
    array = np.arange(24.0).reshape(2, 3, 4)
    for view in (array.T, array[::-1, :, ::2], np.broadcast_to(array[0], (5, 3, 4))):
        np.testing.assert_array_equal(travel(view), view)


@pytest.mark.parametrize("value", [
    None, True, 0, -7, 2**70, 1.5, float("inf"), "", "ä\n\x00", [], (), {}, [1, (2.0, None)],
    {"a": [], "tuple": (1,), "array": {"dict": 3}}, ((),), [[[]]],
])
def test_plain_values_come_back_with_their_types(value):
    back = travel(value)
    assert back == value and repr(back) == repr(value)


def test_nan_and_negative_zero_come_back():
    back = travel((float("nan"), -0.0))
    assert np.isnan(back[0]) and str(back[1]) == "-0.0"


@pytest.mark.parametrize("scalar, plain", [
    (np.float64(3.0), 3.0), (np.float32(0.5), 0.5), (np.int64(4), 4), (np.bool_(True), True),
])
def test_scalars_of_numpy_become_numbers(scalar, plain):
    back = travel([scalar])[0]
    assert back == plain and type(back) is type(plain)


def test_arrays_in_structures_keep_their_places():
    value = {"b": np.ones(2), "a": [np.zeros((1, 1), "f4"), (np.array(7),)]}
    back = travel(value)
    assert list(back) == ["b", "a"] and back["a"][1][0] == 7
    assert back["a"][0].shape == (1, 1)


class Sub(np.ndarray):
    pass


cyclic: list = []
cyclic.append(cyclic)


@pytest.mark.parametrize("value, what", ids=count(), argvalues=[
    (np.ones(1).view(Sub), "Sub, a subclass of ndarray"), (np.array([None]), "object array"),
    (np.ones(2, complex), "array of complex128"), (object(), "object"), ({1: 2}, "keys"),
    (np.float64, "type"), ({1, 2}, "set"), (cyclic, "deeply"), ([10**5000], "digits"),
    (b"x", "bytes"), (np.longdouble(1), "longdouble"), (np.ma.ones(2), "subclass of ndarray"),
])
def test_what_does_not_travel_is_called_by_its_name(value, what):
    with pytest.raises(BadValue, match=what):
        encode({}, value)


def test_results_have_a_largest_size():
    encode({}, np.zeros(2**17), REPLY)
    with pytest.raises(BadValue, match=r"shape \(131073,\)"):
        encode({}, np.zeros(2**17 + 1), REPLY)
    with pytest.raises(BadValue, match="too long"):
        encode({}, [0.25] * 2**16, REPLY)


ARRAY = [{}, {"array": ["f8", [2]]}]


@pytest.mark.parametrize("data", ids=count(), argvalues=[
    frame(b"{"), frame(b"\xff\xfe"), frame({}), frame([]), frame([{}]), frame([[], 1]),
    frame([{}, {"array": ["f8", [2]], "tuple": []}]), frame([{}, {}]), frame([{}, {"x": 1}]),
    frame(ARRAY), frame(ARRAY, bytes(15)), frame(ARRAY, bytes(17)), frame([{}, 1], b"x"),
    frame([{}, {"array": ["O8", [1]]}], bytes(8)), frame([{}, {"array": ["f8", [-1]]}]),
    frame([{}, {"array": ["f8", [True]]}], bytes(8)), frame([{}, {"array": ["f8", 1]}], bytes(8)),
    frame([{}, {"array": ["f8", [2**40] * 9]}]), frame([{}, {"array": ["f8", [2**62, 0]]}]),
    frame([{}, {"array": ["f8", [2**40, 0, 2**40, 2**40]]}]), frame([{}, {"array": [["f8"], []]}]),
    frame([{}, {"array": 7}]), frame([{}, {"tuple": {}}]), frame([{}, {"dict": []}]),
    frame(b"[{}, " + b"[" * 100_000 + b"]" * 100_000 + b"]"), frame(b"[{}, " + b"9" * 9999 + b"]"),
])
def test_broken_frames_are_refused(data):
    frames = Frames()
    frames.feed(data)
    with pytest.raises(ProtocolError):
        frames.take()


def test_a_frame_may_arrive_in_pieces():
    data, frames = encode({"id": 3}, np.arange(5.0)) + encode({"id": 4}), Frames()
    taken = []
    for byte in data:
        frames.feed(bytes([byte]))
        while (one := frames.take()) is not None:
            taken.append(one[0]["id"])
    assert taken == [3, 4] and not frames.bytes


def test_a_frame_that_claims_to_be_huge_is_refused_at_once():
    frames = Frames(Size(100, 100))
    frames.feed(struct.pack("<II", 10, 101))
    with pytest.raises(ProtocolError, match="larger"):
        frames.missing()


def test_a_byte_of_two_is_a_plain_true():
    assert decode(frame([{}, {"array": ["b1", [2]]}], b"\x02\x00"))[1].tolist() == [True, False]
    assert decode(frame([{}, {"array": ["b1", [1]]}], b"\x02"))[1].view("u1")[0] == 1

from __future__ import annotations

import pytest

from dragonfly.broker.errors import ProtocolError
from dragonfly.broker.frames import BodyFrames, FrameReader, content_frames, decode_method, header_frame
from tests.broker.spoken import BODY, HEADER, HEARTBEAT, METHOD, START_OK, TUNE_OK, frame

STREAM = START_OK + TUNE_OK + HEARTBEAT + frame(BODY, 7, b"abc") + frame(BODY, 1, b"")
FRAMES = [(METHOD, 0, START_OK[7:-1]), (METHOD, 0, TUNE_OK[7:-1]), (8, 0, b""), (BODY, 7, b"abc"), (BODY, 1, b"")]


@pytest.mark.parametrize("size", [1, 2, 7, 8, 13, 1000])
def test_frames_are_found_however_the_stream_is_cut(size: int) -> None:
    reader = FrameReader(4096)
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert [found for piece in pieces for found in reader.feed(piece)] == FRAMES


def test_the_largest_frame_is_taken_and_one_byte_more_is_not() -> None:
    assert len(list(FrameReader(4096).feed(frame(BODY, 1, b"x" * 4088)))) == 1
    with pytest.raises(ProtocolError, match="the largest frame has 4096"):
        list(FrameReader(4096).feed(frame(BODY, 1, b"x" * 4089)[:8]))


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_frame_that_comes_in_small_pieces_is_put_together_once(size: int) -> None:
    reader = FrameReader(131_072)
    data = frame(BODY, 1, b"x" * 100_000)
    kept: set[int] = set()
    for start in range(0, len(data) - size, size):
        assert list(reader.feed(data[start : start + size])) == []
        kept.add(id(reader.unfinished))
        assert len(reader.unfinished) == start + size
    assert len(kept) == 1
    assert list(reader.feed(data[len(reader.unfinished) :])) == [(BODY, 1, b"x" * 100_000)]
    assert not reader.unfinished


def test_a_frame_that_does_not_end_where_it_says_is_refused() -> None:
    found = []
    with pytest.raises(ProtocolError, match="invalid_frame_end_marker 0"):
        found.extend(FrameReader(4096).feed(TUNE_OK[:-1] + b"\x00"))
    assert not found


@pytest.mark.parametrize(
    ("index", "arguments"),
    [
        (0x0032000A, b""),
        (0x0032000A, b"\x00\x00\x05ab"),
        (0x0032000A, b"\x00\x00\x01q\x00\x00\x00\x00\x09\x01kI"),
        (0x0032000A, b"\x00\x00\x01q\x00\x00\x00\x00\x03\x01kZ"),
        (0x0032000A, b"\x00\x00\x01q\x00\x00\x00\x00\x0b\x01kT" + b"\xff" * 8),
        (0x0032000A, b"\x00\x00\x01q\x00\x00\x00\x00\x0b\x01kd\x7f\xf0\x00\x00\x00\x00\x00\x00"),
        (0x0032000A, b"\x00\x00\x01q\x00\x00\x00\x60\x00" + b"\x00F\x00\x00\x60\x00" * 4000),
        (0x003C0050, b"\x00\x00"),
    ],
)
def test_arguments_that_cannot_be_decoded_are_a_frame_error(index: int, arguments: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_method(index, arguments)
    assert caught.value.code == 501
    assert caught.value.method == (index >> 16, index & 0xFFFF)


@pytest.mark.parametrize("size", [0, 1, 4087, 4088, 4089, 8176, 8177, 20_000])
def test_a_body_is_cut_into_frames_that_fit(size: int) -> None:
    body = bytes(number % 251 for number in range(size))
    found = list(FrameReader(4096).feed(b"".join(content_frames(5, b"header", body, 4096))))
    assert found[0] == (HEADER, 5, b"header")
    assert all(kind == BODY and channel == 5 and piece for kind, channel, piece in found[1:])
    assert b"".join(piece for _, _, piece in found[1:]) == body
    assert len(found) == 1 + -(-size // 4088)


@pytest.mark.parametrize("size", [1, 4087, 4088, 4089, 8176, 8177, 20_000])
def test_a_body_that_is_cut_later_has_the_same_frames(size: int) -> None:
    body = bytes(number % 251 for number in range(size))
    frames, cut = BodyFrames(5, body, 4096), [header_frame(5, b"header")]
    while frames:
        before, pieces = len(frames), frames.cut()
        assert before - len(frames) == sum(map(len, pieces))
        cut += pieces
    assert b"".join(cut) == b"".join(content_frames(5, b"header", body, 4096))

"""Event files: of tensorboardX, made by hand, and damaged ones."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

import pytest
from tensorboardX import SummaryWriter

from cml.errors import UsageError
from cml.trackers import tensorboard

if TYPE_CHECKING:
    from pathlib import Path


def crc32c(data: bytes) -> int:
    """Castagnoli's checksum, bit by bit (RFC 3720)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(event: bytes) -> bytes:
    length = struct.pack("<Q", len(event))
    return length + masked(length) + event + masked(event)


def field(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes, shorter than 128."""
    return bytes([number << 3 | 2, len(content)]) + content


def plain(tag: str, value: float) -> bytes:
    """An event with a summary (5) of one value (1): tag (1) and simple_value (2)."""
    inner = field(1, tag.encode()) + b"\x15" + struct.pack("<f", value)
    return framed(field(5, field(1, inner)))


def tensor(tag: str, value: float) -> bytes:
    """The same as TensorFlow 2 writes it: tensor (8) of dtype (1) float and float_val (5)."""
    inner = field(1, tag.encode()) + field(8, b"\x08\x01" + field(5, struct.pack("<f", value)))
    return framed(field(5, field(1, inner)))


def test_a_number_is_the_one_that_was_logged(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1.host").write_bytes(plain("loss", 0.7) + tensor("loss", 0.1))
    assert tensorboard.scalars(tensorboard.files(tmp_path)) == {"loss": [0.7, 0.1]}


def test_all_values_of_all_runs_are_read_in_their_order(tmp_path: Path) -> None:
    for run, values in (("a", (3.0, 2.0)), ("b", (1.0,))):
        with SummaryWriter(str(tmp_path / run)) as writer:
            for step, value in enumerate(values):
                writer.add_scalar("loss", value, step)
    assert tensorboard.scalars(tensorboard.files(tmp_path)) == {"loss": [3.0, 2.0, 1.0]}


def test_scalars_are_read_plain_and_as_tensors(tmp_path: Path) -> None:
    file = tmp_path / "events.out.tfevents.1.host"
    file.write_bytes(plain("a/b:c", 0.5) + tensor("a/b:c", 0.25) + plain("other", math.nan))
    found = tensorboard.scalars(tensorboard.files(tmp_path))
    assert found["a/b:c"] == [0.5, 0.25]
    assert math.isnan(found["other"][0])


@pytest.mark.parametrize("cut", [-1, -3, 30, 5])
def test_a_file_that_ends_too_early_is_no_shorter_run(tmp_path: Path, cut: int) -> None:
    whole = plain("loss", 0.5) + plain("loss", 0.9)
    (tmp_path / "events.out.tfevents.1.host").write_bytes(whole[:cut])
    with pytest.raises(UsageError, match="is damaged"):
        tensorboard.scalars(tensorboard.files(tmp_path))


@pytest.mark.parametrize("at", [0, 9, 14, 20])
def test_a_changed_byte_is_noticed(tmp_path: Path, at: int) -> None:
    content = bytearray(plain("loss", 0.5))
    content[at] ^= 1
    (tmp_path / "events.out.tfevents.1.host").write_bytes(content)
    with pytest.raises(UsageError, match="is damaged"):
        tensorboard.scalars(tensorboard.files(tmp_path))


def test_what_is_no_event_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1.host").write_bytes(framed(b"\xff\xff\xff"))
    with pytest.raises(UsageError, match="is damaged"):
        tensorboard.scalars(tensorboard.files(tmp_path))


def test_caches_and_bundles_are_not_looked_into(tmp_path: Path) -> None:
    for folder in (".git", ".dvc/cache", ".cml"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "events.out.tfevents.1.host").write_bytes(plain("loss", 0.5))
    assert tensorboard.scalars(tensorboard.files(tmp_path)) == {}

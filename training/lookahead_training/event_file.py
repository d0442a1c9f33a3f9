"""TensorBoard's event files, scalars only: a page of code instead of a package that pulls thirty others.

A record is its length, the length's checksum, the bytes and their checksum (TFRecord); the bytes are a protocol buffer of which
three fields are needed: time, step, and a list of names with numbers.
"""

import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path


def _table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)  # Castagnoli's, mirrored
        table.append(byte)
    return table


TABLE = _table()


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def checksum(data: bytes) -> bytes:
    """Masked, as TFRecord wants it: a checksum of data that holds checksums would be weak."""
    crc = crc32c(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes) -> bytes:
    """A field that holds bytes: text or another message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


class EventFile:
    """Appends scalars to a new file in `folder`, which `tensorboard --logdir` reads."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns() // 1_000_000:014d}.{os.getpid()}"
        self.file = (folder / name).open("wb")
        self._write(field(3, b"brain.Event:2"))  # file_version

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Event.step = 2; Event.summary = 5; Summary.value = 1; Value.tag = 1, Value.simple_value = 2."""
        summary = b"".join(
            field(1, field(1, tag.encode()) + b"\x15" + struct.pack("<f", value))
            for tag, value in values.items()
        )
        self._write(b"\x10" + varint(step) + field(5, summary))

    def close(self) -> None:
        self.file.close()

    def _write(self, event: bytes) -> None:
        event = b"\x09" + struct.pack("<d", time.time()) + event  # Event.wall_time = 1
        length = struct.pack("<Q", len(event))
        self.file.write(length + checksum(length) + event + checksum(event))
        self.file.flush()

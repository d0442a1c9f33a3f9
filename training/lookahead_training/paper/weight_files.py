"""Weights as others publish them: safetensors, one file or many, and PyTorch's own. Read tensor by tensor, so that 16 GB need not fit."""

import json
import pickle
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4"}


class Safetensors(Mapping[str, np.ndarray]):
    """The tensors of a file, or of all files of a folder, by name; each is read when it is asked for, bfloat16 as float32."""

    def __init__(self, path: Path):
        """Raises ValueError where a file is none, or two hold the same name."""
        files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
        if not files:
            raise ValueError(f"{path} holds no *.safetensors.")
        self.places: dict[str, tuple[Path, str, tuple[int, ...], int]] = {}
        for file in files:
            with file.open("rb") as stream:
                (length,) = struct.unpack("<Q", stream.read(8))
                if length > min(100_000_000, file.stat().st_size):
                    raise ValueError(f"{file} is no safetensors file: its header would be longer.")
                header = json.loads(stream.read(length))
            for name, entry in header.items():
                if name == "__metadata__":
                    continue
                if name in self.places:
                    raise ValueError(f"{name} stands in {file} and in {self.places[name][0]}.")
                start = 8 + length + entry["data_offsets"][0]
                self.places[name] = file, entry["dtype"], tuple(entry["shape"]), start

    def __getitem__(self, name: str) -> np.ndarray:
        file, kind, shape, start = self.places[name]
        if kind not in TYPES:
            raise ValueError(f"{name} is of type {kind}; known are {', '.join(TYPES)}.")
        count = int(np.prod(shape, dtype=np.int64))
        values = np.fromfile(file, TYPES[kind], count, offset=start).reshape(shape)
        if kind == "BF16":  # the upper half of a float32
            return (values.astype(np.uint32) << 16).view(np.float32)
        return values

    def shape(self, name: str) -> tuple[int, ...]:
        """Without reading it."""
        return self.places[name][2]

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


def load_checkpoint(path: Path) -> Mapping:
    """A .safetensors file, or a .pt or .pth of tensors alone.

    Raises ValueError where it is neither: a pickle that would run code is refused.
    """
    if path.suffix == ".safetensors":
        tensors: dict[str, Tensor] = {
            name: torch.from_numpy(value) for name, value in Safetensors(path).items()
        }
        return tensors
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    # The last ones come of files that are no pickle at all, read as if they were one.
    except (pickle.UnpicklingError, EOFError, RuntimeError, LookupError, TypeError) as error:
        why = " ".join(repr(error).split())[:120]
        raise ValueError(f"{path} holds more or less than tensors: {why}") from error
    if isinstance(checkpoint, Mapping):
        return checkpoint
    raise ValueError(f"{path} holds a {type(checkpoint).__name__}, no tensors by name.")

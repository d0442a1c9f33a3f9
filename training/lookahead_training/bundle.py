"""All networks of one bundle together, and where a run keeps them between its steps."""

import hashlib
from pathlib import Path

import torch
from torch import nn

from .config import DIM, LANGUAGE_DIM, LOOKS_BEFORE, TRACK_ATTRIBUTES
from .data import PLACE
from .models.backbone import Backbone, BackboneShape
from .models.fusion import Fusion
from .models.heads import EventHead, ObjectHead
from .models.llama import Llama
from .models.segmenter import SegmenterDecoder, SegmenterEncoder


class Networks(nn.Module):
    def __init__(
        self,
        classes: int,
        labels: int,
        vocabulary: int,
        attributes: list[str],
        shape: BackboneShape | None = None,
        llama: Llama | None = None,
    ):
        """@param attributes: what can be seen of a thing; `facing` goes from -1 to 1, all others from 0
        @param llama: one with weights already (paper/gguf_files.py); else the yard's own, new
        """
        super().__init__()
        self.backbone = Backbone(DIM, shape)
        self.segmenter_encoder = SegmenterEncoder()
        self.segmenter_decoder = SegmenterDecoder()
        self.object_head = ObjectHead(DIM, classes, len(attributes), LOOKS_BEFORE)
        if "facing" in attributes:
            self.object_head.low[attributes.index("facing")] = -1
        self.event_head = EventHead(DIM, labels, classes, len(TRACK_ATTRIBUTES), len(PLACE))
        self.fusion = Fusion(DIM, LANGUAGE_DIM if llama is None else llama.dim)
        self.llama = llama or Llama(vocabulary, LANGUAGE_DIM)

    def save(self, run: Path, *parts: str) -> None:
        for part in parts:
            torch.save(getattr(self, part).state_dict(), run / f"{part}.pt")

    def load(self, run: Path, *parts: str) -> None:
        for part in parts:
            getattr(self, part).load_state_dict(torch.load(run / f"{part}.pt"))


def fingerprint(module: nn.Module) -> str:
    """SHA-256 of all weights: equal before and after a stage that must not touch them."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()


def round_to_fp16(module: nn.Module) -> None:
    """Weights as the bundle stores them, so that what is measured here is what ships."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(parameter.half().float())

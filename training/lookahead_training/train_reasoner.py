"""The reasoner in the paper's two stages, on cached tokens.

Stage 1, alignment: backbone and language model are frozen (their hashes are compared before and after); only the fusion core learns, to
make the language model describe what was seen. Stage 2, instruction: fusion core and LoRA on every linear layer learn to forecast.
The label's target is the share of eight re-simulated futures in which it came first, so the loss is a proper score of the whole
distribution, not of one outcome.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .bundle import Networks, fingerprint
from .config import Config
from .data import Split, Window
from .loop import short_floats, train
from .lora import add_lora, merge_lora
from .text import Text, read_prefix, text_loss
from .windows import FUSION_INPUTS, ClipTokens, collate


def prefix_of(networks: Networks, batch: dict[str, Tensor]) -> Tensor:
    return networks.fusion(*(batch[name] for name in FUSION_INPUTS)).float()


def forecast_loss(scores: Tensor, windows: list[Window]) -> Tensor:
    """Cross-entropy against the futures' shares, in nats a window."""
    futures = torch.from_numpy(np.stack([w.futures for w in windows]))
    return -(futures * scores.log_softmax(-1)).sum(-1).mean()


class Reading:
    """One batch of windows, drawn and read by fusion core and language model; both stages go on from here."""

    def __init__(
        self,
        networks: Networks,
        split: Split,
        cls: np.ndarray,
        clips: list[ClipTokens],
        config: Config,
        batch: int,
        random: np.random.Generator,
    ):
        numbers = random.integers(len(split.windows), size=batch)
        self.windows = [split.windows[i] for i in numbers]
        tokens = collate(self.windows, cls, clips, random, config.object_drop, config.mask_jitter)
        self.past = read_prefix(networks.llama, prefix_of(networks, tokens))
        self.descriptions = [split.clips[w.clip]["description"] for w in self.windows]


def train_alignment(
    networks: Networks,
    text: Text,
    split: Split,
    cls: np.ndarray,
    clips: list[ClipTokens],
    config: Config,
    log: Path,
) -> float:
    random = np.random.default_rng(config.seed + 5)
    frozen = [networks.backbone, networks.llama]
    for module in frozen:
        module.eval().requires_grad_(False)
    before = [fingerprint(module) for module in frozen]
    networks.fusion.train()
    stage = config.alignment
    prompt = len(text.prompts["explain"])

    written = max(1, int(stage.batch * config.text_share))

    def losses(_: int) -> dict[str, Tensor]:
        with short_floats():
            read = Reading(networks, split, cls, clips, config, stage.batch, random)
            told = [text.explanation(line) for line in read.descriptions[:written]]
            some = read.past[:, :, :written]
            return {
                "describe": text_loss(networks.llama, some, told, [prompt] * written),
                "next": forecast_loss(text.trie.scores(networks.llama, read.past), read.windows),
            }

    loss = train("alignment", stage, config, networks.fusion.parameters(), losses, log)
    for module, was in zip(frozen, before, strict=True):
        if fingerprint(module) != was:
            raise RuntimeError(f"Stage 1 changed {type(module).__name__}, which is frozen.")
        module.requires_grad_(True)
    return loss


def train_instruction(
    networks: Networks,
    text: Text,
    split: Split,
    cls: np.ndarray,
    clips: list[ClipTokens],
    config: Config,
    log: Path,
    check: "tuple[Split, np.ndarray, list[ClipTokens]] | None" = None,
) -> float:
    random = np.random.default_rng(config.seed + 6)
    networks.llama.train().requires_grad_(False)
    networks.fusion.train()
    torch.manual_seed(config.seed)
    adapters = add_lora(networks.llama, config.lora_rank, config.lora_alpha)
    stage = config.instruction
    written = max(1, int(stage.batch * config.text_share))
    explain = len(text.prompts["explain"])
    forecast = len(text.prompts["forecast"])

    def losses(_: int) -> dict[str, Tensor]:
        with short_floats():
            read = Reading(networks, split, cls, clips, config, stage.batch, random)
            out = {"next": forecast_loss(text.trie.scores(networks.llama, read.past), read.windows)}
            # A few windows of the batch also learn to say why, and to tell what was seen.
            some = read.past[:, :, :written]
            told, skip = [], []
            for window in read.windows[:written]:
                label, why = window.reasons[random.integers(len(window.reasons))]
                told.append(text.justification(label, why))
                skip.append(forecast + len(text.labels[label]))
            out["justify"] = 0.3 * text_loss(networks.llama, some, told, skip)
            told = [text.explanation(line) for line in read.descriptions[:written]]
            out["explain"] = 0.3 * text_loss(networks.llama, some, told, [explain] * written)
            return out

    def measure() -> dict[str, float]:
        assert check is not None
        scores = score_windows(networks, text, *check)
        return {"validation": float(forecast_loss(scores, check[0].windows))}

    learning = [*networks.fusion.parameters(), *adapters]
    loss = train("instruction", stage, config, learning, losses, log, measure if check else None)
    merge_lora(networks.llama)
    networks.llama.requires_grad_(True)
    return loss


def score_windows(
    networks: Networks, text: Text, split: Split, cls: np.ndarray, clips: list[ClipTokens]
) -> Tensor:
    """Log-likelihoods of all labels for every window of a split, [windows,K]."""
    rows = []
    with torch.no_grad():
        for start in range(0, len(split.windows), 64):
            batch = collate(split.windows[start : start + 64], cls, clips)
            past = read_prefix(networks.llama, prefix_of(networks, batch))
            rows.append(text.trie.scores(networks.llama, past))
    return torch.cat(rows)

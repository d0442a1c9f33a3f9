"""The language model alone: the yard's sentences, and the shapes of the sequences it will be asked for."""

from pathlib import Path

import numpy as np
from torch import Tensor

from .bundle import Networks
from .config import PROMPTS, Config
from .data import Split
from .loop import short_floats, train
from .text import Text, text_loss


def tokenizer_texts(split: Split) -> list[str]:
    """What the tokenizer is trained on; labels weigh so much that each is a few tokens."""
    labels = [" " + label["text"] for label in split.labels] * 200
    reasons = [" " + text for w in split.windows for _, text in w.reasons]
    return [*split.texts, *labels, *reasons, *list(PROMPTS.values()) * 200]


def train_language(
    networks: Networks, text: Text, split: Split, config: Config, log: Path
) -> float:
    """Next-token prediction without any picture: half plain sentences, half forecasts and explanations."""
    random = np.random.default_rng(config.seed + 4)
    llama = networks.llama.train()
    plain = [text.ids(" " + line) + [text.end] for line in split.texts]
    reasons = [text.justification(label, why) for w in split.windows for label, why in w.reasons]
    seen = [text.explanation(clip["description"]) for clip in split.clips]

    def losses(_: int) -> dict[str, Tensor]:
        third = config.language.batch // 3 + 1
        rows = [
            source[random.integers(len(source))]
            for source in (plain, reasons, seen)
            if source
            for _ in range(third)
        ]
        rows = [row[: config.text_tokens_max] for row in rows]
        with short_floats():
            return {"text": text_loss(llama, llama.empty_past(len(rows)), rows, [1] * len(rows))}

    return train("language", config.language, config, llama.parameters(), losses, log)

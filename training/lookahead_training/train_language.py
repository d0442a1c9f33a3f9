"""The language model alone: the yard's sentences, and the shapes of the sequences it will be asked for."""

from pathlib import Path

import numpy as np
from torch import Tensor

from .config import PROMPTS, Config
from .loop import short_floats, train
from .models.llama import Llama
from .text import Text, text_loss
from .words import Words


def tokenizer_texts(lines: list[str], words: Words, labels: list[dict]) -> list[str]:
    """What the tokenizer is trained on; labels weigh so much that each is a few tokens.

    @param lines: texts.jsonl of the training scenes
    """
    named = [f" {label['text']}{end}" for label in labels for end in ("", " .", ":")] * 200
    reasons = [" " + text for window in words.reasons for _, text in window]
    return [*lines, *named, *reasons, *list(PROMPTS.values()) * 200]


def train_language(
    llama: Llama, text: Text, lines: list[str], words: Words, config: Config, log: Path
) -> float:
    """Next-token prediction without any picture: sentences, justified forecasts, causes, questions, captions."""
    llama.train()
    plain = [text.ids(" " + line) + [text.end] for line in lines]
    clips = np.arange(len(words.captions))
    quarter = config.language.batch // 4

    def losses(step: int) -> dict[str, Tensor]:
        random = np.random.default_rng([config.seed, 4, step])

        def some(count: int) -> np.ndarray:
            return random.choice(clips, count)

        rows = [plain[i] for i in random.integers(len(plain), size=2 * quarter)] if plain else []
        for clip in some(quarter):
            label, why = words.reasons[clip][random.integers(len(words.reasons[clip]))]
            rows.append(text.justification(label, why))
        for clip in some(quarter):
            for why in words.whys[clip][-3:]:
                cause = why.causes[random.integers(len(why.causes))] if why.causes else None
                rows.append(text.why(why.log, why.event, cause)[0])
        for clip in some(quarter // 2):
            question, answer = words.asked[clip][random.integers(len(words.asked[clip]))]
            log_of = words.whys[clip][0].log if words.whys[clip] else []
            rows.append(text.answer(log_of, question, answer)[0])
        rows += [text.description(words.captions[clip]) for clip in some(quarter // 2)]
        rows = [row[: config.text_tokens_max] for row in rows]
        with short_floats():
            return {"text": text_loss(llama, llama.empty_past(len(rows)), rows, [1] * len(rows))}

    return train("language", config.language, config, llama.parameters(), losses, log)

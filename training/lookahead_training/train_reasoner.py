"""The reasoner in the paper's two stages, on windows that the frozen object encoder has read.

Stage 1, alignment: backbone, object encoder and language model are frozen (their hashes are compared before and after); only the queries
learn, to make the language model describe what is seen; the loss is on the text alone. Stage 2, instruction: queries and LoRA on every
linear layer learn both of the paper's tasks, prediction and causal explanation. The target of a forecast is the share of eight re-simulated
futures in which a label came first, so the loss is a proper score of the whole distribution, not of one outcome.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .bundle import fingerprint
from .config import Config, Stage
from .loop import short_floats, train
from .lora import add_lora, merge_lora
from .models.llama import Llama
from .text import Text, read_prefix, text_loss
from .watched import Sights
from .words import Words

JUSTIFY, CAUSE, ASK, DESCRIBE = 10, 12, 8, 4  # windows of a batch that also learn such a text
CAUSES_EACH = 3  # events of a window that are asked about


@dataclass(frozen=True)
class Course:
    """What a run of both stages learns from: watched windows with their words, and simulator windows that have none."""

    watched: Sights
    words: Words
    simulated: Sights
    validation: Sights
    # Ablations: whether causal texts are learned, and whether a target is one future or the share of eight.
    causal: bool = True
    sampled: bool = False


def forecast_loss(scores: Tensor, futures: Tensor) -> Tensor:
    """scores [B,K] log-likelihoods, futures [B,K] shares -> nats"""
    return -(futures * scores.log_softmax(-1)).sum(-1).mean()


def prefix_of(fusion: nn.Module, sights: Sights, picked: np.ndarray | slice) -> Tensor:
    return fusion(*sights.inputs(picked)).float()


def told(llama: Llama, past: Tensor, sequences: list[tuple[list[int], int]]) -> Tensor:
    """The loss of some texts, each after the prefix of its own row. @param sequences: token ids, and how many of them are prompt"""
    texts, skip = zip(*sequences, strict=True)
    return text_loss(llama, past, list(texts), list(skip))


def captions(
    text: Text, words: Words, clips: np.ndarray, tokens_max: int
) -> list[tuple[list[int], int]]:
    skip = len(text.prompts["describe"])
    return [(text.description(words.captions[c])[:tokens_max], skip) for c in clips]


def train_alignment(
    fusion: nn.Module,
    llama: Llama,
    text: Text,
    course: Course,
    stage: Stage,
    config: Config,
    log: Path,
    frozen: list[nn.Module],
) -> float:
    """@param frozen: what must not change beside the language model"""
    frozen = [*frozen, llama]
    for module in frozen:
        module.eval().requires_grad_(False)
    before = [fingerprint(module) for module in frozen]
    fusion.train()
    sights = course.watched

    def losses(step: int) -> dict[str, Tensor]:
        random = np.random.default_rng([config.seed, 5, step])
        picked = random.integers(len(sights), size=stage.batch)
        with short_floats():
            past = read_prefix(llama, prefix_of(fusion, sights, picked))
            texts = captions(text, course.words, sights.clip[picked], config.text_tokens_max)
            return {"describe": told(llama, past, texts)}

    loss = train("alignment", stage, config, fusion.parameters(), losses, log)
    for module, was in zip(frozen, before, strict=True):
        if fingerprint(module) != was:
            raise RuntimeError(f"Stage 1 changed {type(module).__name__}, which is frozen.")
    return loss


def train_instruction(
    fusion: nn.Module,
    llama: Llama,
    text: Text,
    course: Course,
    stage: Stage,
    config: Config,
    log: Path,
) -> float:
    """LoRA is merged at the end."""
    llama.train().requires_grad_(False)
    fusion.train()
    torch.manual_seed(config.seed)
    adapters = add_lora(llama, config.lora_rank, config.lora_alpha)
    of_simulator = int(stage.batch * config.simulated_share)

    def losses(step: int) -> dict[str, Tensor]:
        random = np.random.default_rng([config.seed, 6, step])
        draws = [
            (course.watched, stage.batch - of_simulator),
            (course.simulated, of_simulator),
        ]
        out: dict[str, Tensor] = {}
        with short_floats():
            for sights, count in draws:
                if count == 0:
                    continue
                picked = random.integers(len(sights), size=count)
                past = read_prefix(llama, prefix_of(fusion, sights, picked))
                futures = sights.futures[picked]
                if course.sampled:
                    futures = one_future(futures, random)
                loss = forecast_loss(text.trie.scores(llama, past), futures)
                out["next"] = out.get("next", 0) + loss * (count / stage.batch)
                # Texts are learned long before chances: every other step is enough for them.
                if sights is course.watched and step % 2 == 0:
                    clips = sights.clip[picked]
                    out |= text_losses(llama, text, course, past, clips, config, random)
        return out

    def check() -> dict[str, float]:
        scores = score_windows(fusion, llama, text, course.validation)
        return {"validation": float(forecast_loss(scores, course.validation.futures))}

    learning = [*fusion.parameters(), *adapters]
    loss = train("instruction", stage, config, learning, losses, log, check)
    merge_lora(llama)
    llama.requires_grad_(True)
    return loss


def text_losses(
    llama: Llama,
    text: Text,
    course: Course,
    past: Tensor,
    clips: np.ndarray,
    config: Config,
    random: np.random.Generator,
) -> dict[str, Tensor]:
    """Justifications, causes, answers and captions, each of some windows of the batch."""
    words, longest = course.words, config.text_tokens_max
    forecast = len(text.prompts["forecast"])
    out: dict[str, Tensor] = {}

    def learn(name: str, weight: float, rows: list[int], texts: list[tuple[list[int], int]]):
        texts = [(ids[:longest], skip) for ids, skip in texts]
        usable = [at for at, (ids, skip) in enumerate(texts) if skip < len(ids)]
        if usable:
            some = past[:, :, [rows[at] for at in usable]]
            out[name] = weight * told(llama, some, [texts[at] for at in usable])

    if course.causal:
        rows, texts = [], []
        for row, clip in enumerate(clips[:JUSTIFY]):
            label, why = pick(words.reasons[clip], random)
            rows.append(row)
            texts.append((text.justification(label, why), forecast + len(text.labels[label])))
        learn("justify", 0.3, rows, texts)
        rows, texts = [], []
        for row, clip in enumerate(clips[:CAUSE]):
            whys = words.whys[clip]
            for at in random.permutation(len(whys))[:CAUSES_EACH]:
                why = whys[at]
                cause = pick(why.causes, random) if why.causes else None
                rows.append(row)
                texts.append(text.why(why.log, why.event, cause))
        learn("cause", 0.5, rows, texts)
    rows, texts = [], []
    for row, clip in enumerate(clips[-ASK:], len(clips) - len(clips[-ASK:])):
        question, answer = pick(words.asked[clip], random)
        whys = words.whys[clip]
        rows.append(row)
        texts.append(text.answer(whys[0].log if whys else [], question, answer))
    learn("ask", 0.2, rows, texts)
    texts = captions(text, words, clips[:DESCRIBE], longest)
    learn("describe", 0.1, list(range(len(texts))), texts)
    return out


def pick(items: list, random: np.random.Generator):
    return items[random.integers(len(items))]


def one_future(futures: Tensor, random: np.random.Generator) -> Tensor:
    """Instead of shares a single outcome, as a camera would give it."""
    draws = [random.choice(len(row), p=row / row.sum()) for row in futures.double().numpy()]
    return torch.eye(futures.shape[1])[draws]


def score_windows(fusion: nn.Module, llama: Llama, text: Text, sights: Sights) -> Tensor:
    """Log-likelihoods of all labels, [N,K]."""
    rows = []
    with torch.no_grad():
        for start in range(0, len(sights), 64):
            here = slice(start, start + 64)
            rows.append(
                text.trie.scores(llama, read_prefix(llama, prefix_of(fusion, sights, here)))
            )
    return torch.cat(rows)

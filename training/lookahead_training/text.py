"""The tokenizer, the prompts, and the labels as a trie, so that all of them are scored in one pass."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor

from .config import END_OF_TEXT, PROMPTS, QUERIES
from .models.llama import NEVER, Llama


def train_tokenizer(texts: list[str], vocabulary: int) -> Tokenizer:
    """Byte-level BPE: every byte is a token, so no text is out of reach."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


class Text:
    """Token ids of everything that the sequences of docs/bundle.md are made of."""

    def __init__(self, tokenizer: Tokenizer, labels: list[dict], end: int | None = None):
        """@param end: the id that ends a text, where it is another than `<eot>`'s"""
        self.tokenizer = tokenizer
        self.end = tokenizer.token_to_id(END_OF_TEXT) if end is None else end
        self.prompts = {name: self.ids(text) for name, text in PROMPTS.items()}
        self.texts = [label["text"] for label in labels]
        self.labels = [self.ids(" " + text) for text in self.texts]
        self.statements = [self.ids(f" {text} .") for text in self.texts]
        self.trie = LabelTrie(self.prompts["forecast"], self.labels, self.end)

    @classmethod
    def load(cls, path: Path, labels: list[dict]) -> "Text":
        return cls(Tokenizer.from_file(str(path)), labels)

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def justification(self, label: int, reason: str) -> list[int]:
        forecast = self.prompts["forecast"] + self.labels[label]
        return forecast + self.prompts["justify"] + self.ids(" " + reason) + [self.end]

    def description(self, caption: str) -> list[int]:
        return self.prompts["describe"] + self.ids(" " + caption) + [self.end]

    def log(self, labels: list[int]) -> list[int]:
        """What the program writes of the events that were recognised."""
        told = [id for label in labels for id in self.statements[label]]
        return self.prompts["events"] + told

    def why(self, log: list[int], event: int, cause: int | None) -> tuple[list[int], int]:
        """@returns the sequence, and how much of it is prompt; the answer is one of `statements`, that of `nothing` for no cause"""
        asked = self.ids(f" {self.texts[log[event]]}:")
        prompt = self.log(log) + self.prompts["cause"] + asked
        return prompt + self.statements[0 if cause is None else log[cause]], len(prompt)

    def answer(self, log: list[int], question: str, answer: str) -> tuple[list[int], int]:
        """@returns the sequence, and how much of it is prompt"""
        asked = self.prompts["ask"] + self.ids(" " + question) + self.prompts["answer"]
        prompt = self.log(log) + asked
        return prompt + self.ids(" " + answer) + [self.end], len(prompt)


class LabelTrie:
    """Labels share their beginnings; each shared token is computed once. A node attends to its ancestors only."""

    def __init__(self, prompt: list[int], labels: list[list[int]], end: int):
        nodes: dict[tuple[int, ...], int] = {}
        for label in labels:
            for length in range(1, len(label) + 1):
                nodes.setdefault(tuple(label[:length]), len(nodes))
        count = len(prompt) + len(nodes)
        sees = torch.zeros(count, count)
        sees[: len(prompt), : len(prompt)] = torch.ones(len(prompt), len(prompt)).tril()
        positions = list(range(len(prompt)))
        edges: list[tuple[int, int]] = []  # (position whose logits speak, the token they speak of)
        edge_of: dict[tuple[int, ...], int] = {}
        for path, index in nodes.items():
            row = len(prompt) + index
            sees[row, : len(prompt)] = 1
            for length in range(1, len(path) + 1):
                sees[row, len(prompt) + nodes[path[:length]]] = 1
            positions.append(len(prompt) + len(path) - 1)
            source = len(prompt) + nodes[path[:-1]] if len(path) > 1 else len(prompt) - 1
            edge_of[path] = len(edges)
            edges.append((source, path[-1]))
        incidence = torch.zeros(len(labels), len(edges) + len(labels))
        for k, label in enumerate(labels):
            for length in range(1, len(label) + 1):
                incidence[k, edge_of[tuple(label[:length])]] = 1
            incidence[k, len(edges)] = 1
            edges.append((len(prompt) + nodes[tuple(label)], end))
        self.tokens = torch.tensor(prompt + [path[-1] for path in nodes])  # [S]
        self.positions = torch.tensor(positions) + QUERIES  # [S]
        seen = torch.cat([torch.ones(count, QUERIES), sees], 1)
        self.bias = ((1.0 - seen) * NEVER)[None, None]  # [1,1,S,32+S]
        self.sources = torch.tensor([source for source, _ in edges])
        self.targets = torch.tensor([token for _, token in edges])
        self.incidence = incidence  # [K,edges]

    def scores(self, llama: Llama, past: Tensor) -> Tensor:
        """The prefix's keys and values -> log-likelihood of each label and its end of text [B,K]."""
        batch = past.shape[2]
        embeds = llama.embed(self.tokens).expand(batch, -1, -1)
        positions = self.positions.expand(batch, -1)
        logits, _ = llama.run(embeds, positions, self.bias, past)  # [B,S,V]
        log = logits.float().log_softmax(-1)[:, self.sources, self.targets]  # [B,edges]
        return log @ self.incidence.T


def read_prefix(llama: Llama, prefix: Tensor) -> Tensor:
    """prefix [B,32,E] -> keys and values of all layers; every branch of the text goes on from here."""
    batch, length = prefix.shape[:2]
    positions = torch.arange(length).expand(batch, -1)
    mask = torch.ones(batch, length, dtype=torch.long)
    return llama(prefix, positions, mask, llama.empty_past(batch))[1]


def text_loss(llama: Llama, past: Tensor, sequences: list[list[int]], skip: list[int]) -> Tensor:
    """Mean cross-entropy of the tokens of each sequence after its first `skip`; past may hold no prefix."""
    length = max(map(len, sequences))
    tokens = torch.zeros(len(sequences), length, dtype=torch.long)
    weight = torch.zeros(len(sequences), length - 1)
    for row, (sequence, start) in enumerate(zip(sequences, skip, strict=True)):
        tokens[row, : len(sequence)] = torch.tensor(sequence)
        weight[row, start - 1 : len(sequence) - 1] = 1  # position i speaks of token i + 1
    past_length = past.shape[4]
    positions = (torch.arange(length - 1) + QUERIES).expand(len(sequences), -1)
    mask = torch.ones(len(sequences), past_length + length - 1, dtype=torch.long)
    logits, _ = llama(llama.embed(tokens[:, :-1]), positions, mask, past)
    losses = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), tokens[:, 1:].flatten(), reduction="none"
    )
    return (losses * weight.flatten()).sum() / weight.sum()

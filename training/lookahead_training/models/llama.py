"""A small language model of the Llama architecture (eq. 5): RMSNorm, rotary positions, grouped-query attention, SwiGLU.

It reads `inputs_embeds`, so that the visual prefix stands before the prompt; keys and values of all layers travel as one stacked
tensor, so that the engine can keep, repeat and cut them without knowing the layers.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

NEVER = -1e4


class RMSNorm(nn.Module):
    def __init__(self, dim: int, epsilon: float = 1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.epsilon) * self.weight


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions. x [B,h,S,d]; cos, sin [B,1,S,d/2]."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class LlamaLayer(nn.Module):
    def __init__(self, dim: int, heads: int, kv_heads: int, hidden: int, epsilon: float = 1e-5):
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = heads, kv_heads, dim // heads
        self.norm_attention, self.norm_mlp = RMSNorm(dim, epsilon), RMSNorm(dim, epsilon)
        self.q_proj = nn.Linear(dim, heads * self.head_dim, bias=False)
        self.k_proj = nn.Linear(dim, kv_heads * self.head_dim, bias=False)
        self.v_proj = nn.Linear(dim, kv_heads * self.head_dim, bias=False)
        self.o_proj = nn.Linear(heads * self.head_dim, dim, bias=False)
        self.gate_proj = nn.Linear(dim, hidden, bias=False)
        self.up_proj = nn.Linear(dim, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, dim, bias=False)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, bias: Tensor, past: Tensor
    ) -> tuple[Tensor, Tensor]:
        """x [B,S,E], past [2,B,KV,P,hd], bias [B or 1,1,S,P+S] -> x, present [2,B,KV,P+S,hd]."""
        batch, length = x.shape[0], x.shape[1]
        h = self.norm_attention(x)

        def split(y: Tensor, heads: int) -> Tensor:
            return y.reshape(batch, length, heads, self.head_dim).transpose(1, 2)

        q = rotate(split(self.q_proj(h), self.heads), cos, sin)
        k = torch.cat([past[0], rotate(split(self.k_proj(h), self.kv_heads), cos, sin)], 2)
        v = torch.cat([past[1], split(self.v_proj(h), self.kv_heads)], 2)
        group = self.heads // self.kv_heads  # query heads that share one key-value head
        q = q.reshape(batch, self.kv_heads, group * length, self.head_dim) * self.head_dim**-0.5
        scores = q @ k.transpose(-1, -2)  # [B,KV,group*S,P+S]: nothing is repeated
        shared = batch, self.kv_heads, group, length, -1
        weights = (scores.reshape(*shared) + bias.unsqueeze(1)).softmax(-1)
        mixed = weights.reshape(batch, self.kv_heads, group * length, -1) @ v
        mixed = mixed.reshape(batch, self.heads, length, self.head_dim).transpose(1, 2)
        x = x + self.o_proj(mixed.reshape(batch, length, -1))
        h = self.norm_mlp(x)
        x = x + self.down_proj(silu(self.gate_proj(h)) * self.up_proj(h))
        return x, torch.stack([k, v])


class Llama(nn.Module):
    def __init__(
        self,
        vocabulary: int,
        dim: int = 192,
        layers: int = 4,
        heads: int = 6,
        kv_heads: int = 3,
        hidden: int = 512,
        rope_theta: float = 10000.0,
        epsilon: float = 1e-5,
        tied: bool = False,
    ):
        """@param tied: the embedding table is the output head too, as in SmolLM2"""
        super().__init__()
        self.dim, self.kv_heads, self.head_dim = dim, kv_heads, dim // heads
        self.embed = nn.Embedding(vocabulary, dim)
        nn.init.normal_(self.embed.weight, std=0.05)
        self.layers = nn.ModuleList(
            LlamaLayer(dim, heads, kv_heads, hidden, epsilon) for _ in range(layers)
        )
        self.norm = RMSNorm(dim, epsilon)
        self.lm_head = nn.Linear(dim, vocabulary, bias=False)
        if tied:
            self.lm_head.weight = self.embed.weight
        half = self.head_dim // 2
        self.register_buffer("frequency", rope_theta ** (-torch.arange(half) / half))

    def empty_past(self, batch: int) -> Tensor:
        weight = self.embed.weight
        shape = (len(self.layers), 2, batch, self.kv_heads, 0, self.head_dim)
        return torch.zeros(shape, dtype=weight.dtype, device=weight.device)

    def run(
        self, inputs_embeds: Tensor, position_ids: Tensor, bias: Tensor, past: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As `forward`, with the attention bias [B or 1,1,S,P+S] given; a trie of labels needs its own."""
        angle = position_ids.unsqueeze(-1).to(inputs_embeds.dtype) * self.frequency  # [B,S,hd/2]
        cos, sin = angle.cos().unsqueeze(1), angle.sin().unsqueeze(1)
        x, present = inputs_embeds, []
        for index, layer in enumerate(self.layers):
            x, kv = layer(x, cos, sin, bias, past[index])
            present.append(kv)
        with torch.autocast("cpu", enabled=False):  # a label's score is a sum: each digit counts
            return self.lm_head(self.norm(x.float())), torch.stack(present)

    def forward(
        self,
        inputs_embeds: Tensor,
        position_ids: Tensor,
        attention_mask: Tensor,
        past_key_values: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """[B,S,E], [B,S], [B,P+S] (1 = real), [L,2,B,KV,P,hd] -> logits [B,S,V], present [L,2,B,KV,P+S,hd]."""
        length, total = inputs_embeds.shape[1], attention_mask.shape[1]
        row = torch.arange(length, device=inputs_embeds.device).unsqueeze(1) + (total - length)
        column = torch.arange(total, device=inputs_embeds.device).unsqueeze(0)
        seen = (column <= row).to(inputs_embeds.dtype)  # [S,P+S]
        seen = seen.unsqueeze(0) * attention_mask.unsqueeze(1).to(inputs_embeds.dtype)
        return self.run(
            inputs_embeds, position_ids, ((1.0 - seen) * NEVER).unsqueeze(1), past_key_values
        )

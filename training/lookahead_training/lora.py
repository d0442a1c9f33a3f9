"""Low-rank adaptation: W x + (alpha / r) B A x beside a frozen W; merged before export."""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear


class LoraLinear(nn.Module):
    def __init__(self, base: nn.Linear, rank: int, alpha: float):
        super().__init__()
        self.base = base
        self.base.weight.requires_grad_(False)
        self.a = nn.Parameter(torch.randn(rank, base.in_features) * base.in_features**-0.5)
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))  # starts as no change
        self.scale = alpha / rank

    def forward(self, x: Tensor) -> Tensor:
        # One large product instead of three: the sum of the weights is small beside a batch of tokens.
        return linear(x, self.base.weight + self.scale * (self.b @ self.a), self.base.bias)

    def merged(self) -> nn.Linear:
        self.base.weight.data += self.scale * self.b.data @ self.a.data
        return self.base


def add_lora(module: nn.Module, rank: int, alpha: float) -> list[nn.Parameter]:
    """Wraps every linear layer but the output head; returns what learns."""
    learning: list[nn.Parameter] = []
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Linear) and name != "lm_head":
            wrapped = LoraLinear(child, rank, alpha)
            setattr(module, name, wrapped)
            learning += [wrapped.a, wrapped.b]
        else:
            learning += add_lora(child, rank, alpha)
    return learning


def merge_lora(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, LoraLinear):
            setattr(module, name, child.merged())
        else:
            merge_lora(child)

"""Heads for a bundle whose language model names things: they take what the trained ones take and say that they know nothing.

Every mask is a `thing`, no event is ever recognised, and nothing is told of the place. The engine then runs as with any bundle.
"""

import torch
from torch import Tensor, nn

NEVER = -30.0  # a logit: a chance of 1e-13


class BlankObjectHead(nn.Module):
    def __init__(self, classes: int, attributes: int, looks: int):
        super().__init__()
        self.attributes, self.looks = attributes, looks
        logits = torch.full((classes,), NEVER)
        logits[1] = -NEVER  # the first after background
        self.register_buffer("logits", logits)

    def forward(self, objects: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[n,D], [n,4] -> class_logits [n,classes], attributes [n,A'], looks [n,L-1,2]: things that did not move"""
        none = (
            objects[:, :1] * 0.0 + boxes[:, :1] * 0.0
        )  # [n,1]: what gives the answers their length
        looks = none.unsqueeze(-1).expand(-1, self.looks, 2)
        return none + self.logits, none.expand(-1, self.attributes), looks


class BlankEventHead(nn.Module):
    def __init__(self, labels: int, place: int):
        super().__init__()
        self.register_buffer("never", torch.full((1, labels), NEVER))
        self.register_buffer("place", torch.full((1, place), NEVER))

    def forward(
        self,
        previous_cls: Tensor,
        previous_patches: Tensor,
        cls: Tensor,
        patches: Tensor,
        tracks: Tensor,
        track_attributes: Tensor,
        track_classes: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """As heads.EventHead -> event_logits [1,K], onset [1,K], actor_logits and target_logits [1,K,M+1], place_logits [1,P]"""
        clips = previous_cls.sum() + previous_patches.sum() + cls.sum() + patches.sum()
        none = 0.0 * (clips + tracks.sum() + track_attributes.sum() + track_classes.sum())
        row = torch.cat([tracks[..., 0], tracks[:, :1, 0]], 1) * 0.0  # [1,M+1]
        pointer = row.unsqueeze(1).expand(-1, self.never.shape[1], -1)
        onset = self.never * 0.0 + none
        return self.never + none, onset, pointer, pointer * 1.0, self.place + none

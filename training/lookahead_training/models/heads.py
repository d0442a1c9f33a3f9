"""Small heads on frozen tokens: what a thing is, and which events began."""

import torch
from torch import Tensor, nn

from .layers import Attention, FeedForward


class ObjectHead(nn.Module):
    """What a thing is and shows, and where it was at the looks before the key frame.

    objects [n,D], boxes [n,4] (shares of the camera picture) -> class_logits [n,classes], 0 is background; attributes [n,A];
    looks [n,L-1,2]: the box's centre then, less that of now, in shares of the picture.
    """

    def __init__(self, dim: int, classes: int, attributes: int, looks: int):
        super().__init__()
        self.sizes = [classes, attributes, 2 * looks]
        self.net = FeedForward(dim + 4, 256, sum(self.sizes))
        self.register_buffer("low", torch.zeros(attributes))  # -1 for `facing`

    def logits(self, objects: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `forward`, but attributes as logits of their share of the way from the lowest value to 1."""
        kind, shown, looks = self.net(torch.cat([objects, boxes], -1)).split(self.sizes, -1)
        # One step of the net is a twentieth of the picture, so that a walk and a drive are of size 1.
        return kind, shown, looks.unflatten(-1, (-1, 2)) / 20.0

    def forward(self, objects: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        kind, shown, looks = self.logits(objects, boxes)
        return kind, self.low + (1 - self.low) * shown.sigmoid(), looks


class ClipPairReader(nn.Module):
    """Two clips, one query a label: which events began in the second, and when in it.

    One clip alone hardly shows a beginning, so each place is described by both clips; a learned query for each label then pools
    over the places by cross-attention.
    """

    def __init__(self, dim: int, labels: int, heads: int = 4):
        super().__init__()
        self.place = FeedForward(2 * dim, 2 * dim, dim)
        self.position = nn.Parameter(torch.randn(1, 241, dim) * 0.02)
        self.norm = nn.LayerNorm(dim)
        self.queries = nn.Parameter(torch.randn(1, labels, dim) * 0.1)
        self.read = Attention(dim, heads)
        self.norm_read = nn.LayerNorm(dim)
        self.ff = FeedForward(2 * dim, dim, dim)
        self.weight = nn.Parameter(torch.randn(1, labels, 2, dim) * dim**-0.5)
        self.bias = nn.Parameter(torch.tensor([-4.0, 0.0]).repeat(1, labels, 1))  # events are rare

    def look(
        self, previous_cls: Tensor, previous_patches: Tensor, cls: Tensor, patches: Tensor
    ) -> tuple[Tensor, Tensor]:
        """[B,D], [B,240,D], [B,D], [B,240,D] -> what each label read [B,K,D], the pair as a whole [B,1,D]."""
        before = torch.cat([previous_cls.unsqueeze(1), previous_patches], 1)  # [B,241,D]
        after = torch.cat([cls.unsqueeze(1), patches], 1)
        places = self.norm(self.place(torch.cat([before, after], -1)) + self.position)
        queries = self.queries.expand(cls.shape[0], -1, -1)
        return queries + self.read(queries, places), places[:, :1]

    def say(self, read: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """[B,K,D], [B,1,D] -> event_logits [B,K], onset [B,K] in 0..1."""
        read = self.norm_read(read)
        read = read + self.ff(torch.cat([read, context.expand(-1, read.shape[1], -1)], -1))
        out = (read.unsqueeze(2) * self.weight).sum(-1) + self.bias  # [B,K,2]
        return out[..., 0], out[..., 1].sigmoid()

    def forward(
        self, previous_cls: Tensor, previous_patches: Tensor, cls: Tensor, patches: Tensor
    ) -> tuple[Tensor, Tensor]:
        return self.say(*self.look(previous_cls, previous_patches, cls, patches))


class EventHead(nn.Module):
    """Two clips and the tracks -> events with actor, target and onset, and what the whole place has.

    Each label's query reads the two clips' places and, beside them, the live tracks; who takes part is pointed at among the tracks, or
    is nobody in view.
    """

    def __init__(
        self, dim: int, labels: int, classes: int, track_attributes: int, place: int, heads: int = 4
    ):
        super().__init__()
        self.pair = ClipPairReader(dim, labels, heads)
        self.track = FeedForward(dim + track_attributes + classes, 2 * dim, dim)
        self.norm_track = nn.LayerNorm(dim)
        self.mix = Attention(dim, heads)  # among the tracks: who is near whom
        self.norm_mixed = nn.LayerNorm(dim)
        self.read_tracks = Attention(dim, heads)
        self.nobody = nn.Parameter(torch.randn(1, 1, dim) * 0.1)
        self.actor = nn.Linear(dim, dim)
        self.target = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, 2 * dim)
        self.whole = FeedForward(dim, dim, place)

    def forward(
        self,
        previous_cls: Tensor,
        previous_patches: Tensor,
        cls: Tensor,
        patches: Tensor,
        tracks: Tensor,
        track_attributes: Tensor,
        track_classes: Tensor,
        track_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Clips as in `ClipPairReader`; tracks [B,M,D], [B,M,8], [B,M,classes]; mask [B,M] 1 where there is one (training pads and drops).

        -> event_logits [B,K], onset [B,K], actor_logits [B,K,M+1], target_logits [B,K,M+1] (M: nobody), place_logits [B,P].
        """
        read, context = self.pair.look(previous_cls, previous_patches, cls, patches)
        things = self.norm_track(
            self.track(torch.cat([tracks, track_attributes, track_classes], -1))
        )
        nobody = self.nobody.expand(cls.shape[0], -1, -1)
        things = torch.cat([things, nobody], 1)  # [B,M+1,D]
        if track_mask is None:  # a row of zeros is no track: the chances of one add up to 1
            track_mask = (track_classes.sum(-1) > 0).float()
        there = torch.cat([track_mask, torch.ones_like(track_mask[:, :1])], 1)
        bias = (there - 1)[:, None, None] * 1e4  # [B,1,1,M+1]
        things = self.norm_mixed(things + self.mix(things, things, bias))
        read = read + self.read_tracks(read, things, bias)
        began, onset = self.pair.say(read, context)
        who, whom = self.key(things).chunk(2, -1)
        scale = cls.shape[-1] ** -0.5
        actor = self.actor(read) @ who.transpose(1, 2) * scale  # [B,K,M+1]
        target = self.target(read) @ whom.transpose(1, 2) * scale
        return began, onset, actor + bias[:, 0], target + bias[:, 0], self.whole(cls)

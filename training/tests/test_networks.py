"""The networks by themselves: shapes, cache, trie, adapters."""

import torch
from conftest import LABELS

from lookahead_training.bundle import Networks
from lookahead_training.lora import add_lora, merge_lora
from lookahead_training.models.fusion import Fusion
from lookahead_training.models.llama import Llama
from lookahead_training.text import Text, read_prefix, train_tokenizer


def test_every_network_gives_the_shapes_of_the_bundle_contract() -> None:
    networks = Networks(7, 15, ["known", "facing"])
    clip = torch.randint(0, 255, (2, 8, 96, 160, 3), dtype=torch.uint8)
    cls, patches = networks.backbone(clip)
    assert cls.shape == (2, 128) and patches.shape == (2, 240, 128)
    embeddings, high_res = networks.segmenter_encoder(clip[:1, -1])
    assert embeddings.shape[2:] == (12, 20) and high_res.shape[2:] == (48, 80)
    masks, iou = networks.segmenter_decoder(embeddings, high_res, torch.rand(5, 2) * 90)
    assert masks.shape == (5, 3, 48, 80) and iou.shape == (5, 3)
    kinds, shown, looks = networks.object_head(patches[0, :3], torch.rand(3, 4))
    assert kinds.shape == (3, 7) and shown.shape == (3, 2) and looks.shape == (3, 3, 2)
    assert shown[:, 0].min() >= 0 and shown.abs().max() <= 1
    pair = cls[:1], patches[:1], cls[1:], patches[1:]
    tracks = patches[:1, :5], torch.rand(1, 5, 8), torch.rand(1, 5, 7)
    began, onset, actor, target, place = networks.event_head(*pair, *tracks)
    assert began.shape == onset.shape == (1, 15) and place.shape == (1, 7)
    assert actor.shape == target.shape == (1, 15, 6), "five tracks, and nobody"


def test_points_of_several_pictures_are_decoded_as_those_of_one() -> None:
    networks = Networks(2, 4, ["facing"]).eval()
    images = torch.randint(0, 255, (2, 96, 160, 3), dtype=torch.uint8)
    points = torch.rand(6, 2) * 90
    with torch.no_grad():
        embeddings, high_res = networks.segmenter_encoder(images)
        together, _ = networks.segmenter_decoder(embeddings, high_res, points)
        second, _ = networks.segmenter_decoder(embeddings[1:], high_res[1:], points[3:])
    torch.testing.assert_close(together[3:], second, atol=1e-4, rtol=1e-4)


def test_a_masked_object_changes_nothing() -> None:
    fusion = Fusion(labels=4).eval()
    scene = torch.randn(1, 2, 128), torch.tensor([[1, 0]])
    objects, outlook = torch.randn(1, 3, 128), torch.randn(1, 4).log_softmax(-1)
    with torch.no_grad():
        whole = fusion(*scene, objects, torch.tensor([[1.0, 1.0, 0.0]]), outlook)
        cut = fusion(*scene, objects[:, :2], torch.ones(1, 2), outlook)
    assert whole.shape == (1, 32, 192)
    torch.testing.assert_close(whole, cut, atol=1e-5, rtol=1e-5)


def test_decoding_with_the_cache_equals_the_full_forward() -> None:
    llama = Llama(50, layers=2).eval()
    embeds, positions = torch.randn(2, 9, 192), torch.arange(9).expand(2, -1)
    ones = torch.ones(2, 9, dtype=torch.long)
    with torch.no_grad():
        full, _ = llama(embeds, positions, ones, llama.empty_past(2))
        _, past = llama(embeds[:, :6], positions[:, :6], ones[:, :6], llama.empty_past(2))
        for at in range(6, 9):
            here = slice(at, at + 1)
            logits, past = llama(embeds[:, here], positions[:, here], ones[:, : at + 1], past)
            torch.testing.assert_close(logits[:, 0], full[:, at], atol=1e-4, rtol=1e-4)


def test_the_trie_gives_each_label_the_likelihood_that_it_has_alone() -> None:
    tokenizer = train_tokenizer([" " + label["text"] for label in LABELS], 280)
    text = Text(tokenizer, LABELS)
    llama = Llama(tokenizer.get_vocab_size(), layers=2).eval()
    prefix = torch.randn(2, 32, 192)
    with torch.no_grad():
        scores = text.trie.scores(llama, read_prefix(llama, prefix))
        for k, label in enumerate(text.labels):
            ids = torch.tensor(text.prompts["forecast"] + label + [text.end])
            embeds = torch.cat([prefix, llama.embed(ids).expand(2, -1, -1)], 1)
            length = embeds.shape[1]
            ones = torch.ones(2, length, dtype=torch.long)
            logits, _ = llama(embeds, torch.arange(length).expand(2, -1), ones, llama.empty_past(2))
            start = 32 + len(text.prompts["forecast"])
            log = logits.log_softmax(-1)[:, start - 1 : -1]
            alone = log.gather(2, ids[start - 32 :].expand(2, -1).unsqueeze(-1)).sum((1, 2))
            torch.testing.assert_close(scores[:, k], alone, atol=1e-3, rtol=1e-4)


def test_merged_adapters_equal_unmerged_ones() -> None:
    llama = Llama(50, layers=2).eval()
    learning = add_lora(llama, rank=4, alpha=8)
    with torch.no_grad():
        for parameter in learning:
            parameter.normal_(std=0.1)
        args = torch.randn(1, 5, 192), torch.arange(5)[None], torch.ones(1, 5).long()
        unmerged, _ = llama(*args, llama.empty_past(1))
        merge_lora(llama)
        merged, _ = llama(*args, llama.empty_past(1))
    assert not any("base" in name for name, _ in llama.named_parameters())
    torch.testing.assert_close(merged, unmerged, atol=1e-4, rtol=1e-4)

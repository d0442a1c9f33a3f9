"""VideoMAE, Llama and Q-Former against `transformers`, same random weights, reduced size; released files' names and shapes; the bundle."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from test_sam import SMALL as SMALL_SAM
from test_sam import TOLERANCE, with_random_weights, worst
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

from lookahead_training.export import session
from lookahead_training.models.llama import Llama
from lookahead_training.paper.blank_heads import NEVER
from lookahead_training.paper.build import Sources, build_bundle
from lookahead_training.paper.config import (
    SIZES,
    LlamaConfig,
    QFormerConfig,
    VideoMaeConfig,
    smollm2_135m,
)
from lookahead_training.paper.gguf_files import halves
from lookahead_training.paper.llama_files import load_llama, new_llama, read_llama_config, shapes_of
from lookahead_training.paper.qformer import PaperFusion, QFormer
from lookahead_training.paper.sam import Sam
from lookahead_training.paper.videomae import PaperBackbone, VideoMae, new_videomae
from lookahead_training.paper.weight_files import Safetensors, load_checkpoint

VIDEO = VideoMaeConfig(image_size=32, frames=4, patch=8, dim=24, depth=2, heads=3, hidden=40)
FORMER = QFormerConfig(queries=5, dim=16, blocks=3, heads=2, hidden=24)
LLAMA = LlamaConfig(
    vocabulary=260,
    dim=64,  # onnxruntime's attention wants heads of a multiple of 16
    layers=2,
    heads=4,
    kv_heads=2,
    hidden=48,
    rope_theta=500000.0,
    end_of_text=1,
)


def tensor_names(network: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


# VideoMAE


def released(video: VideoMae, prefix: str = "") -> dict[str, Tensor]:
    """As the first release stores it: a Conv3d for tubelets."""
    c, weights = video.config, tensor_names(video)
    flat = weights["patch_embed.proj.weight"].reshape(-1, c.tubelet, c.patch, c.patch, 3)
    weights["patch_embed.proj.weight"] = flat.permute(0, 4, 1, 2, 3).contiguous()
    return {prefix + name: value for name, value in weights.items()}


def hf_videomae(video: VideoMae):
    """transformers' VideoMAEModel with the same weights."""
    from transformers import VideoMAEConfig, VideoMAEModel

    c = video.config
    theirs = VideoMAEModel(
        VideoMAEConfig(
            image_size=c.image_size,
            patch_size=c.patch,
            num_frames=c.frames,
            tubelet_size=c.tubelet,
            hidden_size=c.dim,
            num_hidden_layers=c.depth,
            num_attention_heads=c.heads,
            intermediate_size=c.hidden,
            use_mean_pooling=video.pooled,
        )
    )
    names: dict[str, Tensor] = {}
    for name, value in released(video).items():
        name = name.replace("patch_embed.proj", "embeddings.patch_embeddings.projection")
        name = name.replace("blocks.", "encoder.layer.").replace(".attn.proj", ".o.dense")
        name = name.replace(".mlp.fc1", ".intermediate.dense").replace(".mlp.fc2", ".output.dense")
        name = name.replace("norm1", "layernorm_before").replace("norm2", "layernorm_after")
        name = re.sub(r"^norm\.", "layernorm.", name.replace(".o.", ".attention.output."))
        at = ".attention.attention."
        if name.endswith("attn.qkv.weight"):
            for part, rows in zip(("query", "key", "value"), value.chunk(3), strict=True):
                names[name.replace(".attn.qkv", f"{at}{part}")] = rows.clone()
        elif name.endswith(("q_bias", "v_bias")):
            part = "query" if name.endswith("q_bias") else "value"
            names[re.sub(r"\.attn\..*", f"{at}{part}.bias", name)] = value
        elif not name.startswith("fc_norm"):
            names[name] = value
    theirs.load_state_dict(names)
    return theirs.eval()


@pytest.mark.parametrize("pooled", [False, True])
@torch.no_grad()
def test_videomae_equals_transformers(pooled: bool) -> None:
    ours = with_random_weights(VideoMae(VIDEO, pooled), std=0.3)
    theirs = hf_videomae(ours)
    clip = torch.randn(2, VIDEO.frames, VIDEO.image_size, VIDEO.image_size, 3)
    answer = theirs(pixel_values=clip.permute(0, 1, 4, 2, 3)).last_hidden_state
    assert worst(ours(clip), answer) < TOLERANCE
    assert worst(ours(clip.flip(1)), answer) > 100 * TOLERANCE  # order of frames is seen

    again = new_videomae(theirs.state_dict(), VIDEO) if not pooled else ours
    assert worst(again(clip), answer) < TOLERANCE


@pytest.mark.parametrize("style", ["fine-tuned", "pre-trained"])
@torch.no_grad()
def test_both_styles_of_videomaes_checkpoints_load(style: str, tmp_path: Path) -> None:
    pooled = style == "fine-tuned"
    ours = with_random_weights(VideoMae(VIDEO, pooled), std=0.3)
    weights = released(ours, "" if pooled else "encoder.")
    if pooled:
        weights |= {"head.weight": torch.zeros(7, VIDEO.dim), "head.bias": torch.zeros(7)}
        checkpoint = {"module": weights}
    else:
        weights |= {"mask_token": torch.zeros(1, 1, 8), "encoder_to_decoder.weight": torch.zeros(8)}
        weights |= {"decoder.blocks.0.norm1.weight": torch.zeros(8)}
        checkpoint = {"model": weights, "epoch": 3}
    torch.save(checkpoint, tmp_path / "vit.pth")
    found = new_videomae(torch.load(tmp_path / "vit.pth"), VIDEO)
    clip = torch.randint(0, 256, (1, VIDEO.frames, 32, 32, 3), dtype=torch.uint8)
    for one, other in zip(PaperBackbone(found)(clip), PaperBackbone(ours)(clip), strict=True):
        assert torch.equal(one, other)
    del weights["blocks.1.attn.q_bias" if pooled else "encoder.blocks.1.attn.q_bias"]
    with pytest.raises(RuntimeError, match=r"blocks\.1\.attn\.q_bias"):
        new_videomae(checkpoint, VIDEO)
    with pytest.raises(ValueError, match="no VideoMAE"):
        new_videomae({"conv1.weight": torch.zeros(1)}, VIDEO)


@torch.no_grad()
def test_z_global_is_the_mean_over_tokens_and_patches_are_of_the_last_tubelet() -> None:
    video = with_random_weights(VideoMae(VIDEO), std=0.3)
    clip = torch.randint(0, 256, (1, VIDEO.frames, 32, 32, 3), dtype=torch.uint8)
    cls, patches = PaperBackbone(video)(clip)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    tokens = video((clip / 255 - mean) / deviation)
    assert cls.shape == (1, 24) and patches.shape == (1, 16, 24)
    assert worst(cls, tokens.mean(1)) < TOLERANCE
    assert worst(patches, tokens[:, 16:]) < TOLERANCE


# Llama


def hf_config(config: LlamaConfig):
    from transformers import LlamaConfig as HfConfig

    return HfConfig(
        vocab_size=config.vocabulary,
        hidden_size=config.dim,
        intermediate_size=config.hidden,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.kv_heads,
        rms_norm_eps=config.epsilon,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        tie_word_embeddings=config.tied,
        max_position_embeddings=64,
        eos_token_id=config.end_of_text,
        bos_token_id=0,
    )


def read(llama: Llama, ids: Tensor) -> Tensor:
    batch, length = ids.shape
    positions = torch.arange(length).expand(batch, -1)
    ones = torch.ones(batch, length, dtype=torch.long)
    return llama(llama.embed(ids), positions, ones, llama.empty_past(batch))[0]


def llama_folder(config: LlamaConfig, folder: Path) -> Path:
    """A folder as `transformers` writes it, with random weights and a byte-level tokenizer."""
    from transformers import LlamaForCausalLM

    theirs = with_random_weights(LlamaForCausalLM(hf_config(config)), std=0.2)
    theirs.save_pretrained(folder, max_shard_size="20KB")
    letters = pre_tokenizers.ByteLevel.alphabet()
    tokenizer = Tokenizer(models.BPE({c: i + 2 for i, c in enumerate(sorted(letters))}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.mark.parametrize("tied", [False, True])
@torch.no_grad()
def test_llama_equals_transformers(tied: bool, tmp_path: Path) -> None:
    from transformers import LlamaForCausalLM

    config = replace(LLAMA, tied=tied, epsilon=1e-3)
    folder = llama_folder(config, tmp_path)
    assert len(list(folder.glob("*.safetensors"))) > 1
    ours, found = load_llama(folder)
    assert found == config
    theirs = LlamaForCausalLM.from_pretrained(folder).eval()
    ids = torch.randint(0, config.vocabulary, (2, 40))
    answer = theirs(input_ids=ids).logits
    assert worst(read(ours, ids), answer) < TOLERANCE
    # What another base of rotation, or another epsilon, would do is seen.
    for change in ({"rope_theta": 1e4}, {"epsilon": 1e-5}):
        other = new_llama(replace(config, **change))
        weights = {n: v for n, v in ours.state_dict().items() if n != "frequency"}
        other.load_state_dict(weights | {"frequency": other.frequency})
        assert worst(read(other.eval(), ids), answer) > 5 * TOLERANCE


def test_bfloat16_is_read_as_it_is(tmp_path: Path) -> None:
    values = {"a": torch.randn(3, 5).bfloat16(), "b": torch.randn(4).half(), "c": torch.arange(3)}
    save_file(values, tmp_path / "x.safetensors")
    found = Safetensors(tmp_path / "x.safetensors")
    assert found.shape("a") == (3, 5) and sorted(found) == ["a", "b", "c"]
    for name, value in values.items():
        assert torch.equal(torch.from_numpy(found[name]).to(value.dtype), value)


class Harmful:
    def __reduce__(self):
        return print, ("run",)


def test_a_file_that_would_run_code_is_refused(tmp_path: Path, capsys) -> None:
    torch.save({"model": Harmful()}, tmp_path / "vit.pth")
    (tmp_path / "text.pth").write_text("no weights")
    (tmp_path / "empty.pth").write_text("")
    torch.save([1], tmp_path / "list.pth")
    for name in ("vit.pth", "text.pth", "empty.pth", "list.pth"):
        with pytest.raises(ValueError, match=name):
            load_checkpoint(tmp_path / name)
    assert capsys.readouterr().out == ""


def test_a_llama_that_ours_is_not_is_refused(tmp_path: Path) -> None:
    folder = llama_folder(LLAMA, tmp_path)
    said = json.loads((folder / "config.json").read_text())
    scaled = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0}
    for change, word in (
        ({"rope_parameters": scaled}, "rope scaling is 'llama3'"),
        ({"model_type": "mistral"}, "model_type is 'mistral'"),
        ({"attention_bias": True}, "attention_bias"),
        ({"head_dim": 8}, "head_dim is 8"),
    ):
        (folder / "config.json").write_text(json.dumps(said | change))
        with pytest.raises(ValueError, match=word):
            read_llama_config(folder)
    (folder / "config.json").write_text(json.dumps(said | {"num_hidden_layers": 3}))
    with pytest.raises(ValueError, match=r"model\.layers\.2\.\S+ is missing"):
        load_llama(folder)
    (folder / "config.json").write_text(json.dumps(said | {"intermediate_size": 50}))
    with pytest.raises(ValueError, match=r"gate_proj\.weight is \[48, 64\]"):
        load_llama(folder)


def test_gguf_keeps_turning_pairs_beside_each_other_and_we_do_not() -> None:
    heads, half, width = 3, 4, 5
    ours = torch.randn(heads * 2 * half, width).numpy()
    # As llama.cpp's converter lays them: (0, half), (1, half + 1), ... of each head.
    order = [h * 2 * half + i + k * half for h in range(heads) for i in range(half) for k in (0, 1)]
    assert np.array_equal(halves(ours[order], heads), ours)
    assert not np.array_equal(ours[order], ours)


# Q-Former


@pytest.mark.parametrize("every", [1, 2])
@torch.no_grad()
def test_the_q_former_equals_blip_2s(every: int) -> None:
    from transformers import Blip2QFormerConfig, Blip2QFormerModel

    config = replace(FORMER, cross_attention_every=every)
    ours = with_random_weights(QFormer(config), std=0.4)
    theirs = Blip2QFormerModel(
        Blip2QFormerConfig(
            hidden_size=config.dim,
            num_hidden_layers=config.blocks,
            num_attention_heads=config.heads,
            intermediate_size=config.hidden,
            cross_attention_frequency=every,
            encoder_hidden_size=config.dim,
            use_qformer_text_input=False,
            layer_norm_eps=config.epsilon,
        )
    )
    parts = {"q": "attention.query", "k": "attention.key", "v": "attention.value"}
    parts |= {"out": "output.dense"}
    names: dict[str, Tensor] = {}
    for name, value in ours.state_dict().items():
        if name == "queries":
            continue
        name = re.sub(r"^norm\.", "layernorm.", name).replace("blocks.", "encoder.layer.")
        for own, their in (("self_attention", "attention"), ("cross_attention", "crossattention")):
            for part, long in parts.items():
                name = name.replace(f".{own}.{part}.", f".{their}.{long}.")
        name = name.replace("norm_self", "attention.output.LayerNorm")
        name = name.replace("norm_cross", "crossattention.output.LayerNorm")
        name = name.replace("norm_ff", "output_query.LayerNorm")
        name = name.replace(".ff.0", ".intermediate_query.dense")
        names[name.replace(".ff.2", ".output_query.dense")] = value
    theirs.load_state_dict(names)
    theirs.eval()

    seen = torch.randn(2, 9, config.dim)
    there = torch.ones(2, 9)
    there[0, 6:] = 0
    answer = theirs(
        query_embeds=ours.queries.expand(2, -1, -1),
        encoder_hidden_states=seen,
        encoder_attention_mask=there,
    ).last_hidden_state
    bias = ((1 - there) * -1e4)[:, None, None]
    assert worst(ours(seen, bias), answer) < TOLERANCE
    assert worst(ours(seen), answer) > 100 * TOLERANCE


@torch.no_grad()
def test_the_fusion_core_sees_each_track_and_what_is_none_not_at_all() -> None:
    fusion = with_random_weights(PaperFusion(FORMER, 24, 32, 8, 12, 3, 2, 2), std=0.3)

    def prefix(**changes: Tensor) -> Tensor:
        torch.manual_seed(1)
        seen = torch.zeros(3, 12)
        seen[0, 2:7], seen[1, 11] = 1, 1
        inputs = {
            "global_": torch.randn(1, 2, 24),
            "global_clip": torch.tensor([[1, 0]]),
            "kind": torch.tensor([1, 2, 0]),
            "box": torch.rand(3, 12, 4) * seen.unsqueeze(-1),
            "seen": seen,
            "shown": torch.rand(3, 12, 2),
            "place": torch.rand(1, 2),
            "pooled": torch.randn(3, 24),
            "track_errors": torch.zeros(1, 4),
        }
        return fusion(**(inputs | changes))

    whole = prefix()
    assert whole.shape == (1, 5, 32)
    torch.manual_seed(1)
    pooled = torch.randn(3, 24)
    torch.manual_seed(1)
    for change in (
        {"kind": torch.tensor([1, 1, 0])},
        {"global_clip": torch.tensor([[2, 0]])},
        {"place": torch.ones(1, 2)},
        {"track_errors": torch.ones(1, 4)},
        {"pooled": pooled},
    ):
        assert worst(prefix(**change), whole) > 1e-3
    assert worst(prefix(kind=torch.tensor([1, 2, 2])), whole) < 1e-6  # the third is no track


def test_a_history_is_told_by_its_last_box_its_way_and_its_age() -> None:
    fusion = PaperFusion(FORMER, 24, 32, 8, 12, 3, 1, 2)
    seen, box, shown = torch.zeros(2, 12), torch.zeros(2, 12, 4), torch.zeros(2, 12, 1)
    for look, left in ((4, 0.1), (8, 0.5)):
        seen[0, look] = 1
        box[0, look] = torch.tensor([left, 0.2, 0.1, 0.2])
        shown[0, look] = left
    told = fusion.history(box, seen, shown)
    expected = [0.5, 0.2, 0.1, 0.2, 1.0, 0.0, 3 / 12, 2 / 12, 0.5]  # 0.4 in 4 looks, unseen for 3
    assert torch.allclose(told[0], torch.tensor(expected), atol=1e-6)
    assert torch.isfinite(told).all()


# Full size: names and shapes; meta tensors take no memory.


def test_the_released_files_have_these_names_and_shapes() -> None:
    size = SIZES["paper"]
    assert size.video and size.fusion
    with torch.device("meta"):
        video = VideoMae(size.video, pooled=True)
        fusion = PaperFusion(size.fusion, 768, size.llama.dim, 8, 32, 2, 1, 1)
    weights = released(video)
    assert weights["patch_embed.proj.weight"].shape == (768, 3, 2, 16, 16)
    assert weights["blocks.11.attn.qkv.weight"].shape == (2304, 768)
    assert weights["blocks.0.attn.q_bias"].shape == (768,)
    assert weights["blocks.0.mlp.fc1.weight"].shape == (3072, 768)
    assert len(weights) == 2 + 12 * 13 + 2
    assert sum(value.numel() for value in weights.values()) == 86_227_200
    assert video.pos_embed.shape == (1, 1568, 768)

    llama = shapes_of(size.llama)
    assert len(llama) == 291  # as model.safetensors.index.json lists
    assert sum(int(np.prod(shape)) for shape in llama.values()) == 8_030_261_248
    assert llama["model.embed_tokens.weight"] == llama["lm_head.weight"] == (128256, 4096)
    assert llama["model.layers.31.self_attn.k_proj.weight"] == (1024, 4096)
    assert llama["model.layers.31.mlp.down_proj.weight"] == (4096, 14336)
    assert llama["model.layers.0.post_attention_layernorm.weight"] == (4096,)

    small = shapes_of(smollm2_135m())
    assert len(small) == 272 and "lm_head.weight" not in small
    assert sum(int(np.prod(shape)) for shape in small.values()) == 134_515_008

    crossing = [block for block in fusion.qformer.blocks if block.cross_attention is not None]
    assert len(crossing) == 8 and fusion.qformer.queries.shape == (1, 32, 768)
    assert fusion.project.weight.shape == (4096, 768)


# The bundle


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict, Sources]:
    pytest.importorskip("lookahead_training.llama_graph")
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("paper")
    sam = with_random_weights(Sam(replace(SMALL_SAM, encoder_depth=1)), std=0.1)
    torch.save(sam.state_dict(), folder / "sam.pth")
    video = with_random_weights(VideoMae(VIDEO), std=0.2)
    torch.save({"model": released(video, "encoder.")}, folder / "vit.pth")
    size = replace(
        SIZES["paper"],
        video=VIDEO,
        fusion=FORMER,
        sam=replace(SMALL_SAM, encoder_depth=1),
        llama=LLAMA,
    )
    fusion = with_random_weights(PaperFusion(FORMER, VIDEO.dim, LLAMA.dim, 8, 32, 2, 1, 1), 0.2)
    save_file(fusion.state_dict(), folder / "fusion.safetensors")
    llm = llama_folder(LLAMA, folder / "llm")
    sources = Sources(folder / "vit.pth", folder / "sam.pth", llm, folder / "fusion.safetensors")
    names = ["nothing", "van enters", "gate opens", "van leaves"]
    labels = [
        {"type": text, "actor": None, "target": None, "text": text, "baseRate": 0.25}
        for text in names
    ]
    return folder / "bundle", build_bundle(size, sources, labels, folder / "bundle"), sources


def test_the_bundle_is_whole(built: tuple[Path, dict, Sources]) -> None:
    out, manifest, sources = built
    assert json.loads((out / "manifest.json").read_text()) == json.loads(json.dumps(manifest))
    keys = {"backbone", "segmenterEncoder", "segmenterDecoder", "objectHead", "eventHead"}
    keys |= {"fusion", "reasoner", "embeddings", "tokenizer", "calibration"}
    assert set(manifest["files"]) == keys
    geometry = manifest["geometry"]
    assert geometry["lookFrames"] == [0, 1, 2, 3] and geometry["keyFrame"] == 3
    assert geometry["maskRows"] % geometry["patchRows"] == 0
    graph = manifest["files"]["fusion"]
    assert [entry["name"] for entry in graph["inputs"]] == [
        *("global", "global_clip", "kind", "box", "seen", "shown", "place", "pooled"),
        "track_errors",
    ]
    assert graph["inputs"][3]["shape"] == ["M", 32, 4]
    assert manifest["quality"] == {} and manifest["domain"]["familiarityMin"] == 1
    table = np.fromfile(out / "embeddings.f32", "<f4").reshape(LLAMA.vocabulary, LLAMA.dim)
    embed = Safetensors(sources.llm)["model.embed_tokens.weight"]
    assert np.abs(table - embed).max() < 1e-3
    with pytest.raises(ValueError, match="should be empty"):
        build_bundle(SIZES["paper"], sources, [], out)
    # A try that fails leaves nothing behind: here, weights of another size.
    with pytest.raises(RuntimeError, match="size mismatch"):
        build_bundle(SIZES["paper"], sources, [], out.with_name("failed"))
    assert not out.with_name("failed").exists()


def test_the_bundles_language_model_is_that_of_the_folder(
    built: tuple[Path, dict, Sources],
) -> None:
    out, manifest, sources = built
    llama, config = load_llama(sources.llm)
    with torch.no_grad():
        for value in llama.parameters():
            value.copy_(value.half().float())
        ids = torch.randint(0, config.vocabulary, (1, 9))
        embeds = llama.embed(ids)
        expected = read(llama, ids)
    reasoner = session(out / "reasoner.onnx")
    feeds = {
        "inputs_embeds": embeds.numpy(),
        "position_ids": np.arange(9)[None],
        "attention_bias": np.triu(np.full((9, 9), -1e4, np.float32), 1)[None, None],
    }
    for entry in manifest["files"]["reasoner"]["inputs"]:
        if entry["name"].startswith("past_key_values"):
            shape = {"B": 1, "C": 16}
            feeds[entry["name"]] = np.zeros(
                [shape.get(axis, axis) for axis in entry["shape"]], np.float32
            )
        elif entry["name"] == "logit_positions":
            feeds["logit_positions"] = np.arange(9)
    (logits,) = reasoner.run(["logits"], feeds)
    assert worst(logits, expected) < 1e-3


def test_the_blank_heads_recognise_nothing(built: tuple[Path, dict, Sources]) -> None:
    out, manifest, _ = built
    random = np.random.default_rng(0)

    def feeds(graph: dict) -> dict[str, np.ndarray]:
        return {
            entry["name"]: random.normal(
                size=[5 if isinstance(axis, str) else axis for axis in entry["shape"]]
            ).astype(np.float32)
            for entry in graph["inputs"]
        }

    logits, _, looks = session(out / "object-head.onnx").run(
        None, feeds(manifest["files"]["objectHead"])
    )
    assert logits.shape == (5, 2) and (logits.argmax(1) == 1).all() and not looks.any()
    began, onset, actor, target, place = session(out / "event-head.onnx").run(
        None, feeds(manifest["files"]["eventHead"])
    )
    assert (began == NEVER).all() and began.shape == onset.shape == (1, 4)
    assert actor.shape == target.shape == (1, 4, 6) and (place == NEVER).all()

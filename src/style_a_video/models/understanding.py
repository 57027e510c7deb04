"""Which of the taught media a sentence is nearest to: what the bundled model makes of a prompt."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import BertModel, BertTokenizerFast

from ..checkpoints import bundled_folder
from ..styles.spec import StyleSpec, plain_sentence
from .reader import Reader

FILE = "phrases.safetensors"
"""In a model's folder: the embeddings of the phrasings that it was taught, with the phrasings as metadata."""
FAR = 0.5
"""A prompt whose cosine to every phrasing is below this is far from all that was taught."""


class Match(NamedTuple):
    """A medium, and the phrasing of it that is nearest to a sentence."""

    medium: str
    phrase: str
    cosine: float


@dataclass(frozen=True)
class PhraseIndex:
    """The phrasings that a model was taught."""

    embeddings: Tensor
    """(N, D) float32, of unit length."""
    phrases: tuple[str, ...]
    media: tuple[str, ...]
    """Of each phrasing."""

    @classmethod
    def read(cls, folder: Path) -> PhraseIndex:
        """Of a model that this project's recipe trained. Raises OSError or KeyError for any other."""
        with safe_open(folder / FILE, framework="pt") as file:
            metadata = file.metadata()
            return cls(
                file.get_tensor("embeddings").float(),
                tuple(json.loads(metadata["phrases"])), tuple(json.loads(metadata["media"])),
            )  # fmt: skip

    def save(self, folder: Path) -> None:
        """Write it to a model's folder, in float16."""
        metadata = {"phrases": json.dumps(self.phrases), "media": json.dumps(self.media)}
        save_file({"embeddings": self.embeddings.half().contiguous()}, folder / FILE, metadata)

    def matches(self, embedding: Tensor) -> list[Match]:
        """Every medium with its nearest phrasing, nearest first, for a sentence embedding (D,)."""
        cosines = (self.embeddings @ F.normalize(embedding.float().cpu(), dim=0)).tolist()
        best: dict[str, Match] = {}
        for medium, phrase, cosine in zip(self.media, self.phrases, cosines, strict=True):
            if medium not in best or cosine > best[medium].cosine:
                best[medium] = Match(medium, phrase, cosine)
        return sorted(best.values(), key=lambda match: -match.cosine)


@torch.no_grad()
def embed_sentence(text_encoder: Any, tokenizer: Any, sentence: str) -> Tensor:
    """The mean of the states of a sentence's tokens, (D,) float32."""
    tokens = tokenizer([sentence], truncation=True, return_tensors="pt").to(text_encoder.device)
    states: Tensor = text_encoder(**tokens)[0][0].float()
    return states.mean(dim=0)


def understood(
    index: PhraseIndex, reader: Reader, text_encoder: Any, tokenizer: Any, prompt: str
) -> tuple[str, list[str]]:
    """The sentence that the UNet gets for a prompt, and lines for a person whose prompt is not understood.

    A prompt that is near to what was taught becomes the plain sentence for what the reader makes of it, or where that
    is not sure, for the medium of the nearest phrasing. Any other prompt stays as it is.
    """
    nearest = index.matches(embed_sentence(text_encoder, tokenizer, prompt))[0]
    if nearest.cosine < FAR:
        return prompt, [
            f"this prompt is far from every style that the model knows; the nearest is {nearest.medium!r} "
            f"({nearest.phrase}), so expect something vague: `style-a-video styles` lists them"
        ]
    spec = reader.read(text_encoder, tokenizer, prompt) or StyleSpec(nearest.medium)
    return plain_sentence(spec), []


def bundled_matches(sentence: str) -> list[Match]:
    """Every medium with its phrasing that is nearest to a sentence, nearest first."""
    encoder, tokenizer, index, _ = _bundled()
    return index.matches(embed_sentence(encoder, tokenizer, sentence))


def bundled_understanding(sentence: str) -> tuple[str, list[str]]:
    """As `understood`, of the bundled model."""
    encoder, tokenizer, index, reader = _bundled()
    return understood(index, reader, encoder, tokenizer, sentence)


@lru_cache(maxsize=1)
def _bundled() -> tuple[BertModel, BertTokenizerFast, PhraseIndex, Reader]:
    folder = bundled_folder()
    encoder = BertModel.from_pretrained(folder / "text_encoder", use_safetensors=True, dtype=torch.float32).eval()
    tokenizer = BertTokenizerFast.from_pretrained(folder / "tokenizer")
    return encoder, tokenizer, PhraseIndex.read(folder), Reader.load(folder)

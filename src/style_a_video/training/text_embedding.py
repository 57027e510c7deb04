"""Before the UNet: what the text adds to its timestep embedding learns to tell every part of a style apart.

Why: the UNet's loss hardly depends on single words, so through it words are learnt late and by heart. A classifier of
specs learns in minutes what sentences mean, and all sentences of one spec are drawn together; the UNet then only has to
learn what to do with a spec, and a new sentence looks to it like those it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..styles.media import STYLE_NAMES
from ..styles.spec import LINES, PALETTES, SCALES, SURFACES, TONES, StyleSpec
from .captions import caption, plain_caption, random_spec
from .pairs import COLUMNS, Pairs

CHOICES: Mapping[str, tuple[str, ...]] = {
    "medium": STYLE_NAMES,
    "palette": tuple(PALETTES),
    "tone": TONES,
    "scale": tuple(SCALES),
    "line": tuple(LINES),
    "surface": SURFACES,
    "second": STYLE_NAMES,
}
"""By the field of StyleSpec, what it can be. It can also be empty."""
DISAGREEMENT = 2.0
"""Weight of the disagreement."""
BATCH = 64
PICTURE_SHARE = 0.35
"""Of the samples that are style pictures in place of sentences."""


class SpecHeads(nn.ModuleDict):
    """Linear classifiers of every part of a spec."""

    def __init__(self, width: int) -> None:
        super().__init__({name: nn.Linear(width, 1 + len(names)) for name, names in CHOICES.items()})

    def losses(self, features: Tensor, specs: Sequence[StyleSpec | None]) -> dict[str, Tensor]:
        """By field, the cross-entropy of features (B, width). A spec that is None has nothing in any field."""
        classes = torch.tensor([classes_of(spec) for spec in specs], device=features.device)
        return {name: F.cross_entropy(self[name](features), classes[:, k]) for k, name in enumerate(CHOICES)}


class SpecClassifier(nn.Module):
    """Tells a spec's parts from what the text adds to the timestep embedding.

    The heads see it behind the nonlinearity through which the UNet's blocks see it.
    """

    def __init__(self, embedding: nn.Module, width: int) -> None:
        super().__init__()
        self.embedding = embedding
        self.heads = SpecHeads(width)


def classes_of(spec: StyleSpec | None) -> list[int]:
    """By field of StyleSpec, 0 where it is empty, else 1 + its place among CHOICES."""
    values = [getattr(spec, name) if spec else "" for name in CHOICES]
    return [1 + CHOICES[name].index(value) if value else 0 for name, value in zip(CHOICES, values, strict=True)]


def classification_loss(
    classifier: SpecClassifier,
    states: Callable[[list[str]], Tensor],
    style_tokens: NDArray[np.float16],
    pairs: Pairs,
) -> Callable[[np.random.Generator], dict[str, Tensor]]:
    """Cross-entropy of every field and disagreement, on captions of random specs or on style pictures with no words.

    The disagreement is the squared distance to the embedding of the spec's plain caption, in units of the variance of
    these.

    Args:
        states: the text encoder's hidden states of sentences.
        style_tokens: of the pairs, (N, columns, tokens, width).
    """
    assert set(CHOICES) == {field.name for field in fields(StyleSpec)}
    no_text = states([""])

    def loss(rng: np.random.Generator) -> dict[str, Tensor]:
        shown = rng.random() < PICTURE_SHARE
        if shown:
            places = [(int(rng.integers(len(style_tokens))), int(rng.integers(COLUMNS))) for _ in range(BATCH)]
            specs = [pairs.spec(*place) for place in places]
            tokens = torch.from_numpy(np.stack([style_tokens[place] for place in places])).to(no_text)
            text = torch.cat([no_text.expand(BATCH, -1, -1), tokens], dim=1)
        else:
            media = rng.integers(-1, len(STYLE_NAMES), BATCH)
            specs = [random_spec(rng, STYLE_NAMES[k]) if k >= 0 else None for k in media]
            text = states([caption(spec, rng) for spec in specs])
        with torch.no_grad():
            plain = classifier.embedding(states([plain_caption(spec) for spec in specs]).float())
        found = classifier.embedding(text.float())
        disagreement = F.mse_loss(found, plain) / plain.var(dim=0).mean()
        return {"disagreement": DISAGREEMENT * disagreement} | classifier.heads.losses(F.silu(found), specs)

    return loss

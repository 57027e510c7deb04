"""The reader of the bundled model: sentences and what they ask for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from ..models.reader import Reader
from ..styles.media import STYLE_NAMES
from ..styles.spec import StyleSpec
from .captions import caption, random_spec, with_typo

BATCH = 128
TYPO_SHARE = 0.5
"""Of the captions, so many get a slip of the finger more than captions have."""


def random_captions(rng: np.random.Generator, count: int) -> tuple[list[str], list[StyleSpec | None]]:
    """Captions of random specs, one in 25 of an untouched photograph, and the specs."""
    media = rng.integers(-1, len(STYLE_NAMES), count)
    specs = [random_spec(rng, STYLE_NAMES[k]) if k >= 0 else None for k in media]
    return [caption(spec, rng) for spec in specs], specs


def reading_loss(
    reader: Reader, states: Callable[[list[str]], tuple[Tensor, Tensor]]
) -> Callable[[np.random.Generator], dict[str, Tensor]]:
    """Cross-entropy of every field on captions of random specs.

    Args:
        states: of sentences, the text encoder's hidden states (N, T, D) and the mask of true tokens (N, T).
    """

    def loss(rng: np.random.Generator) -> dict[str, Tensor]:
        captions, specs = random_captions(rng, BATCH)
        captions = [with_typo(text, rng) if rng.random() < TYPO_SHARE else text for text in captions]
        text, mask = states(captions)
        return reader.heads.losses(reader(text.float(), mask), specs)

    return loss

"""Before the UNet: what the text adds to its timestep embedding learns to tell every part of a style apart.

Why: the UNet's loss hardly depends on single words, so through it words are learnt late. A classifier of specs learns
them in minutes; the UNet then only has to learn what to do with a spec.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..models.reader import SpecHeads
from .pairs import COLUMNS, Pairs
from .reader import random_captions

BATCH = 64
PICTURE_SHARE = 0.35
"""Of the batches that are style pictures in place of sentences."""


class SpecClassifier(nn.Module):
    """Tells a spec's parts from what the text adds to the timestep embedding.

    The heads see it behind the nonlinearity through which the UNet's blocks see it.
    """

    def __init__(self, embedding: nn.Module, width: int) -> None:
        super().__init__()
        self.embedding = embedding
        self.heads = SpecHeads(width)

    def forward(self, states: Tensor) -> Tensor:
        """What the heads see of states (B, tokens, width), (B, width)."""
        return F.silu(self.embedding(states))


def classification_loss(
    classifier: SpecClassifier,
    states: Callable[[list[str]], Tensor],
    style_tokens: NDArray[np.float16],
    pairs: Pairs,
) -> Callable[[np.random.Generator], dict[str, Tensor]]:
    """Cross-entropy of every field on captions of random specs, or on style pictures with no words.

    Args:
        states: the text encoder's hidden states of sentences.
        style_tokens: of the pairs, (N, columns, tokens, width).
    """
    no_text = states([""])

    def loss(rng: np.random.Generator) -> dict[str, Tensor]:
        if rng.random() < PICTURE_SHARE:
            places = [(int(rng.integers(len(style_tokens))), int(rng.integers(COLUMNS))) for _ in range(BATCH)]
            specs = [pairs.spec(*place) for place in places]
            tokens = torch.from_numpy(np.stack([style_tokens[place] for place in places])).to(no_text)
            text = torch.cat([no_text.expand(BATCH, -1, -1), tokens], dim=1)
        else:
            captions, specs = random_captions(rng, BATCH)
            text = states(captions)
        return classifier.heads.losses(classifier(text.float()), specs)

    return loss

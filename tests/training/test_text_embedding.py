"""The text embedding: what its classifier is taught, and that it learns it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.models.embeddings import TextTimeEmbedding

from style_a_video.styles.media import STYLE_NAMES
from style_a_video.styles.spec import StyleSpec
from style_a_video.training.pairs import COLUMNS, Pairs
from style_a_video.training.text_embedding import SpecClassifier, classification_loss


@pytest.mark.slow
@pytest.mark.xdist_group("pairs")
def test_the_medium_is_learnt_from_words_that_tell_it(work: Path) -> None:
    """With an encoder of one token a medium, it must be told within a few steps; and pictures are asked about too."""
    pairs = Pairs.open(work / "pairs")
    torch.manual_seed(0)
    vectors = torch.randn(len(STYLE_NAMES) + 1, 16)

    def states(sentences: list[str]) -> torch.Tensor:
        named = [[k for k, name in enumerate(STYLE_NAMES) if name in text.lower()] for text in sentences]
        return torch.stack([vectors[[found[0] if found else len(STYLE_NAMES)] * 4] for found in named])

    tokens = np.zeros((len(pairs), COLUMNS, 2, 16), np.float16)
    classifier = SpecClassifier(TextTimeEmbedding(16, 16, 4), 16)
    loss = classification_loss(classifier, states, tokens, pairs)
    optimizer = torch.optim.Adam(classifier.parameters(), 1e-2)
    for step in range(150):
        terms = loss(np.random.default_rng(step))
        optimizer.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimizer.step()
    specs = [StyleSpec(name) for name in STYLE_NAMES]
    told = classifier.heads.losses(classifier(states(list(STYLE_NAMES))), specs)
    assert float(told["medium"]) < 0.6 * np.log(len(STYLE_NAMES))

"""The text embedding: what its classifier is taught, and that it learns it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.models.embeddings import TextTimeEmbedding

from style_a_video.styles.media import STYLE_NAMES
from style_a_video.styles.spec import PALETTES, StyleSpec
from style_a_video.training.pairs import COLUMNS, Pairs
from style_a_video.training.text_embedding import (
    CHOICES,
    SpecClassifier,
    SpecHeads,
    classes_of,
    classification_loss,
)  # fmt: skip


def test_classes_name_every_part_of_a_spec() -> None:
    spec = StyleSpec("mosaic", palette=list(PALETTES)[2], second="neon")
    found = dict(zip(CHOICES, classes_of(spec), strict=True))
    assert found["medium"] == 1 + STYLE_NAMES.index("mosaic")
    assert found["second"] == 1 + STYLE_NAMES.index("neon")
    assert found["palette"] == 3
    assert found["tone"] == found["scale"] == found["line"] == found["surface"] == 0
    assert classes_of(None) == [0] * len(CHOICES)


def test_losses_are_cross_entropies() -> None:
    torch.manual_seed(0)
    heads = SpecHeads(6)
    features = torch.randn(3, 6)
    specs = [StyleSpec("comic"), None, StyleSpec("neon", tone="dark")]
    losses = heads.losses(features, specs)
    for k, name in enumerate(CHOICES):
        logits = heads[name](features).detach().double().numpy()
        expected = 0.0
        for row, spec in zip(logits, specs, strict=True):
            expected += (np.log(np.exp(row).sum()) - row[classes_of(spec)[k]]) / 3
        assert float(losses[name]) == pytest.approx(expected, abs=1e-5)


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
    told = classifier.heads.losses(classifier.features(states(list(STYLE_NAMES))), specs)
    assert float(told["medium"]) < 0.6 * np.log(len(STYLE_NAMES))

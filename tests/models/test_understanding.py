"""What the model makes of a sentence, and when it says that it makes nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from style_a_video.models import bundled_folder
from style_a_video.models.reader import Reader
from style_a_video.models.understanding import FAR, PhraseIndex, bundled_matches, embed_sentence, understood
from style_a_video.styles import STYLES
from style_a_video.training.text import PUBLISHED, bundled_text_encoder


def test_an_index_keeps_the_nearest_phrasing_of_every_medium(tmp_path: Path) -> None:
    embeddings = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), dim=1)
    PhraseIndex(embeddings, ("in oils", "an oil", "a sketch"), ("oil", "oil", "pencil")).save(tmp_path)
    found = PhraseIndex.read(tmp_path).matches(torch.tensor([3.0, 2.0]))
    assert [(match.medium, match.phrase) for match in found] == [("oil", "an oil"), ("pencil", "a sketch")]
    assert found[0].cosine == pytest.approx(5 / (2 * 13) ** 0.5, abs=1e-3)
    with pytest.raises(FileNotFoundError):
        PhraseIndex.read(tmp_path / "elsewhere")


def test_the_text_encoder_is_the_published_one() -> None:
    encoder, tokenizer = bundled_text_encoder()
    embedding = torch.nn.functional.normalize(embed_sentence(encoder, tokenizer, PUBLISHED[0]), dim=0)
    assert embedding[:4].tolist() == pytest.approx(PUBLISHED[1], abs=1e-3)  # shipped in half precision


def test_every_canonical_prompt_is_understood() -> None:
    for style in STYLES:
        match = bundled_matches(style.prompt)[0]
        assert match.medium == style.name
        assert match.cosine > FAR


def test_a_far_prompt_is_told_in_one_line_with_the_nearest_style() -> None:
    encoder, tokenizer = bundled_text_encoder()
    index, reader = PhraseIndex.read(bundled_folder()), Reader.load(bundled_folder())
    sentence, lines = understood(index, reader, encoder, tokenizer, "wet watercolours on rough paper")
    assert sentence.startswith("Make it a watercolor")
    assert lines == []
    sentence, (line,) = understood(index, reader, encoder, tokenizer, "qwertz uiop")
    assert sentence == "qwertz uiop"
    assert "far from every style" in line
    assert any(repr(style.name) in line for style in STYLES)
    assert "\n" not in line

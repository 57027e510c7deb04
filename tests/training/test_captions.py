"""Captions say the whole style, keep held-out words apart, and slip now and then."""

from __future__ import annotations

import difflib

import numpy as np
import pytest

from style_a_video.styles import STYLES, StyleSpec
from style_a_video.styles.spec import PALETTES, SCALES, WORDINGS
from style_a_video.training import captions
from style_a_video.training.captions import caption, is_held_out, random_spec, with_adjective, with_typo


@pytest.fixture(autouse=True)
def _no_typos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions, "TYPO_SHARE", 0.0)


def test_captions_use_the_mediums_own_words() -> None:
    rng = np.random.default_rng(0)
    for style in STYLES:
        sentences = [caption(StyleSpec(style.name), rng).lower() for _ in range(150)]
        assert len(set(sentences)) > 80
        known = [phrase.lower().rstrip(".") for phrase in (style.name, *style.names, *style.sentences)]
        assert all(any(phrase in sentence for phrase in known) for sentence in sentences)


def test_captions_say_the_whole_look() -> None:
    spec = StyleSpec(
        "mosaic", palette="candy", tone="misty", scale="huge", line="heavy", surface="wall", second="pencil"
    )
    for k in range(50):
        sentence = caption(spec, np.random.default_rng(k)).lower()
        for kind in ("palette", "tone", "scale", "line", "surface"):
            words = WORDINGS[kind].words[getattr(spec, kind)]
            assert any(word.lower() in sentence for word in words), (sentence, words)
        pencil = next(style for style in STYLES if style.name == "pencil")
        assert any(name.lower() in sentence for name in pencil.names)


def test_held_out_sentences_are_new_and_held_out_combinations_are_not_drawn() -> None:
    rng = np.random.default_rng(1)
    seen = {caption(StyleSpec(style.name), rng).lower() for style in STYLES for _ in range(300)}
    held_out = {caption(StyleSpec(style.name), rng, held_out=True).lower() for style in STYLES for _ in range(20)}
    assert not seen & held_out
    specs = [random_spec(rng, style.name) for style in STYLES for _ in range(200)]
    assert not any(is_held_out(spec) for spec in specs)
    every = [StyleSpec(s.name, palette=p, scale=size) for s in STYLES for p in PALETTES for size in SCALES]
    assert 0.07 < np.mean([is_held_out(spec) for spec in every]) < 0.13


def test_articles_fit_their_adjectives() -> None:
    assert with_adjective("icy", "a mosaic") == "an icy mosaic"
    assert with_adjective("dark", "the Starry Night") == "the dark Starry Night"
    assert with_adjective("pale", "pixel art") == "pale pixel art"


def test_a_typo_is_one_slip_in_one_long_word() -> None:
    sentence = "make it an engraving of old"
    slips = {with_typo(sentence, np.random.default_rng(k)) for k in range(60)}
    assert len(slips) > 5
    for slip in slips - {sentence}:  # two equal letters swapped change nothing
        (word,) = (a for a, b in zip(slip.split(), sentence.split(), strict=True) if a != b)
        assert difflib.SequenceMatcher(None, word, "engraving").ratio() > 0.8
        assert abs(len(word) - len("engraving")) <= 1
    assert with_typo("in ink", np.random.default_rng(0)) == "in ink"

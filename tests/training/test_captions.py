"""Captions say the whole style, in words that are known, and keep held-out ones apart."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from style_a_video.styles.media import STYLE_NAMES, STYLES, named_styles
from style_a_video.styles.spec import LINES, PALETTES, SCALES, SURFACES, TONES, StyleSpec
from style_a_video.styles.vocabulary import unknown_words
from style_a_video.training import clip
from style_a_video.training.captions import caption, corpus, is_held_out, near_spec, random_spec


def test_captions_name_their_medium_and_every_word_is_known() -> None:
    rng = np.random.default_rng(0)
    for style in STYLES:
        sentences = [caption(StyleSpec(style.name), rng) for _ in range(200)]
        assert len(set(sentences)) > 100
        named = [style in named_styles(sentence) for sentence in sentences]
        assert np.mean(named) > 0.95, [text for text, ok in zip(sentences, named, strict=True) if not ok][:5]
    strange = {word for sentence in corpus() for word in unknown_words(sentence)}
    assert not strange


def test_captions_say_the_whole_look() -> None:
    spec = StyleSpec(
        "mosaic", palette="candy", tone="misty", scale="huge", line="heavy", surface="wall", second="pencil"
    )
    for k in range(50):
        sentence = caption(spec, np.random.default_rng(k)).lower()
        for words in (
            PALETTES["candy"].phrases, TONES["misty"], SCALES["huge"][1], LINES["heavy"][1], SURFACES["wall"],
            [phrase for style in STYLES if style.name == "pencil" for phrase in style.phrases],
        ):  # fmt: skip
            assert any(word.lower() in sentence for word in words), (sentence, words)


def test_held_out_sentences_are_new_and_held_out_combinations_are_not_drawn() -> None:
    rng = np.random.default_rng(1)
    seen = {caption(StyleSpec(style.name), rng).lower() for style in STYLES for _ in range(300)}
    held_out = {caption(StyleSpec(style.name), rng, held_out=True).lower() for style in STYLES for _ in range(20)}
    assert not seen & held_out
    assert all(len({caption(StyleSpec(s.name), rng, held_out=True) for _ in range(60)}) >= 5 for s in STYLES)
    specs = [random_spec(rng, style.name) for style in STYLES for _ in range(200)]
    assert not any(is_held_out(spec) for spec in specs)
    every = [StyleSpec(s.name, palette=p, scale=size) for s in STYLES for p in PALETTES for size in SCALES]
    assert 0.07 < np.mean([is_held_out(spec) for spec in every]) < 0.13


def test_tokenizer_knows_captions_and_survives_anything() -> None:
    captions = corpus()
    tokenizer = clip.build_tokenizer(captions)
    assert len(tokenizer.tokenize("Make it an Ukiyo-e painting.")) <= 8
    assert max(len(ids) for ids in tokenizer(captions).input_ids) <= tokenizer.model_max_length
    for text in ("", "zebra", "ÿ ß 漢字 🎨", "a\nb\tc", "😀" * 5):
        ids = tokenizer(text).input_ids
        assert ids[0] == tokenizer.bos_token_id
        # The end token ends, and stands for nothing else: no character is unknown.
        assert ids.count(tokenizer.eos_token_id) == 1


def test_a_near_look_differs_in_one_word_and_is_never_held_out() -> None:
    rng = np.random.default_rng(0)
    for number in range(600):
        spec = random_spec(rng, STYLE_NAMES[number % len(STYLE_NAMES)])
        near = near_spec(rng, spec)
        assert sum(getattr(spec, field.name) != getattr(near, field.name) for field in fields(StyleSpec)) == 1
        assert not is_held_out(near)
        assert near.second != near.medium

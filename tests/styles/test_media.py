"""The phrasings that a contributor can extend: enough of them, none twice, and what is held out is held out."""

from __future__ import annotations

from collections import Counter

import pytest

from style_a_video.styles import STYLE_NAMES, STYLES, Style
from style_a_video.styles.spec import LINES, PALETTES, SCALES, SURFACES, TONES, WORDINGS


def plain(phrase: str) -> str:
    return phrase.lower().rstrip(".?! ")


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_every_medium_has_phrasings_to_learn_from_and_others_to_be_measured_by(style: Style) -> None:
    taught = [plain(phrase) for phrase in (*style.names, *style.sentences)]
    assert len(taught) >= 60
    assert len(style.held_out) == 10
    assert [phrase for phrase, count in Counter(taught).items() if count > 1] == []
    assert not set(taught) & {plain(phrase) for phrase in style.held_out}


def test_no_phrasing_belongs_to_two_media() -> None:
    every = [plain(phrase) for style in STYLES for phrase in (*style.names, *style.sentences, *style.held_out)]
    assert [phrase for phrase, count in Counter(every).items() if count > 1] == []
    assert len(set(STYLE_NAMES)) == len(STYLE_NAMES)


def test_every_modifier_has_words() -> None:
    tables = {"palette": PALETTES, "tone": TONES, "scale": SCALES, "line": LINES, "surface": SURFACES}
    for kind, table in tables.items():
        assert set(WORDINGS[kind].words) == set(table)
        assert all(len(words) >= 3 for words in WORDINGS[kind].words.values())
        assert not set(WORDINGS[kind].templates) & set(WORDINGS[kind].held_out)
    assert all(len(codes) == 5 for codes in PALETTES.values())

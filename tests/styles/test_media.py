"""Prompts name the media that they should."""

from __future__ import annotations

import pytest

from style_a_video.styles.media import STYLES, Style, named_styles
from style_a_video.styles.vocabulary import prompt_warnings


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_the_canonical_prompt_names_the_style_first(style: Style) -> None:
    assert named_styles(style.prompt)[0] == style
    assert named_styles(style.name)[0] == style
    assert prompt_warnings(style.prompt) == []
    assert all(named_styles(f"Make it {phrase}.")[0] == style for phrase in style.held_out)


@pytest.mark.parametrize("prompt", ["Make it blue.", "a cat", "Make it flurb", "boil the soil"])
def test_prompts_that_name_none(prompt: str) -> None:
    assert named_styles(prompt) == []
    assert any("names no style" in line for line in prompt_warnings(prompt))

"""A style in parts: its medium, and palette, tone, scale of marks, lines, surface and second medium that modify it.

The renderers take these as parameters, and captions put them into words (`modifiers.toml`).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from .media import STYLE_NAMES, STYLES, lines_of


@dataclass(frozen=True)
class StyleSpec:
    """A medium and what modifies it. An empty field leaves what is usual in the medium."""

    medium: str
    palette: str = ""
    tone: str = ""
    scale: str = ""
    line: str = ""
    surface: str = ""
    second: str = ""
    """A second medium, mixed in by half."""


@dataclass(frozen=True)
class Wording:
    """How a kind of modifier is put into words."""

    words: dict[str, tuple[str, ...]]
    """By the modifier's name."""
    templates: tuple[str, ...]
    """What the words are set into; empty where they stand by themselves."""
    held_out: tuple[str, ...]
    """Templates that training never sees."""


_ENTRIES = tomllib.loads((files(__package__) / "modifiers.toml").read_text(encoding="utf-8"))
WORDINGS: dict[str, Wording] = {
    kind: Wording(
        {name: tuple(words) for name, words in entry.get("words", {}).items()},
        lines_of(entry["templates"]), lines_of(entry["held_out"]),
    )
    for kind, entry in _ENTRIES.items()
}  # fmt: skip
"""By the field of StyleSpec."""

PALETTES: dict[str, tuple[str, ...]] = {k: tuple(v) for k, v in _ENTRIES["palette"]["colours"].items()}
"""Colours as hexadecimal codes, dark to light."""
TONES: tuple[str, ...] = tuple(WORDINGS["tone"].words)
"""Tone and mood: adjectives, as they stand before the medium."""
SCALES: dict[str, float] = _ENTRIES["scale"]["sizes"]
"""How many times the usual size the marks are."""
LINES: dict[str, float] = _ENTRIES["line"]["sizes"]
"""How many times the usual breadth the lines are."""
SURFACES: tuple[str, ...] = tuple(WORDINGS["surface"].words)

CHOICES: dict[str, tuple[str, ...]] = {
    "medium": STYLE_NAMES,
    "palette": tuple(PALETTES),
    "tone": TONES,
    "scale": tuple(SCALES),
    "line": tuple(LINES),
    "surface": SURFACES,
    "second": STYLE_NAMES,
}
"""By the field of StyleSpec, what it can be. It can also be empty."""


def plain_sentence(spec: StyleSpec) -> str:
    """The shortest sentence for a spec: its medium's prompt, then the first words for every modifier.

    >>> plain_sentence(StyleSpec("mosaic", tone="dark", scale="huge"))
    'Make it a mosaic, dark, with huge marks'
    """
    styles = {style.name: style for style in STYLES}
    parts = [styles[spec.medium].prompt.rstrip(".")]
    for kind, wording in WORDINGS.items():
        value = getattr(spec, kind)
        if kind == "second" and value:
            parts.append(f"half {styles[value].names[0]}")
        elif value:
            words = wording.words[value][0]
            text = wording.templates[0].format(words) if wording.templates else words
            parts.append(text.replace("[mark]", "marks"))
    return ", ".join(parts) if len(parts) > 1 else styles[spec.medium].prompt

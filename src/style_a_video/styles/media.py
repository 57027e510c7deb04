"""The media that the bundled model knows, and how people ask for them (`phrasings.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Style:
    """One medium of the bundled model."""

    name: str
    names: tuple[str, ...]
    """Noun phrases, as they follow "Make it …". The first is the canonical one."""
    sentences: tuple[str, ...]
    """Other ways to ask, which stand by themselves."""
    held_out: tuple[str, ...]
    """Ways to ask that training never reads."""
    mark: str
    """What "fine", "bold" and "huge" are said of."""

    @property
    def prompt(self) -> str:
        """The prompt that asks for this style, e.g. "Make it an Ukiyo-e painting."."""
        return f"Make it {self.names[0]}."


def lines_of(text: str) -> tuple[str, ...]:
    """The lines of a data file's text that are not empty."""
    return tuple(line for line in text.splitlines() if line)


def _read() -> tuple[Style, ...]:
    entries = tomllib.loads((files(__package__) / "phrasings.toml").read_text(encoding="utf-8"))
    return tuple(
        Style(name, lines_of(entry["names"]), lines_of(entry["sentences"]), lines_of(entry["held_out"]), entry["mark"])
        for name, entry in entries.items()
    )


STYLES: tuple[Style, ...] = _read()
STYLE_NAMES = tuple(style.name for style in STYLES)

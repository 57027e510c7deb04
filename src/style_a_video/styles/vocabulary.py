"""Which words of a prompt mean something to a model, and which known words are spelt like the others."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from .media import STYLES, Style, named_styles
from .spec import LINES, PALETTES, SCALES, SURFACES, TONES

COMMON = frozenset(
    """
    a an and any are as at be become becomes but by can change clip clip's color colored colors colour coloured
    colours convert could create crossed do draw drawing drawn effect film footage for frame from give go have how hue
    hues i if image in inspired into is it its keep kind let life like line lines look looks made make makes making
    manner me mine mix mixed more my no of on only onto or our out over paint painted painting palette photo
    photograph photography picture pictures please print real realistic recreate redraw render rendered repaint
    restyle scene shade shades should show showing so some still style styled stylise stylize that the them then these
    this tinted to together tone tones transfer transform turn use using version very video want way were what will
    with without would you your
    """.split()  # noqa: SIM905
)
"""Words that carry no style of their own; nobody is warned of them."""

SUBJECTS = (
    "woman", "man", "face", "cat", "dog", "wolf", "bird", "flower", "house", "temple", "city street", "mountain",
    "landscape",
    "cup of coffee", "car", "motorcycle", "skier", "dancer", "river", "forest", "rocket", "rabbit", "tea pot",
    "stone wall",
    "night sky", "portrait", "child", "horse", "tree", "sea", "boat", "fruit bowl",
)  # fmt: skip
"""Things that pictures show. They are known words, though the content comes from the frame."""


@dataclass(frozen=True)
class Vocabulary:
    """The words that a model was taught."""

    styles: tuple[Style, ...]

    @classmethod
    def read(cls, folder: Path) -> Vocabulary:
        """The vocabulary of a model that this project's recipe trained (`training.json` in its folder).

        Raises OSError, ValueError or KeyError for a folder without such a record.
        """
        record = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        return cls(tuple(style for style in STYLES if style.name in record["styles"]))

    def words(self) -> frozenset[str]:
        """Every word that names a medium or an artist, or that modifies one."""
        texts = [text for style in self.styles for text in _texts_of(style)]
        texts += [text for palette in PALETTES.values() for text in palette.phrases]
        texts += [text for group in (*TONES.values(), *SURFACES.values()) for text in group]
        texts += [text for table in (SCALES, LINES) for _, group in table.values() for text in group]
        return frozenset(word for text in texts for word in words_of(text)) - COMMON


FULL_VOCABULARY = Vocabulary(STYLES)
"""All that the recipe teaches; the bundled model knows it."""


def unknown_words(prompt: str, vocabulary: Vocabulary = FULL_VOCABULARY) -> dict[str, list[str]]:
    """Words of a prompt that mean nothing to the model, each with up to three known words that are spelt like it."""
    meaningful = vocabulary.words()
    known = meaningful | COMMON | {word for subject in SUBJECTS for word in words_of(subject)}
    unknown = [word for word in words_of(prompt) if not _is_known(word, known)]
    # "paintng" is a painting, though that has no style of its own.
    candidates = sorted(meaningful | {word for word in COMMON if len(word) > 4})
    return {word: difflib.get_close_matches(word, candidates, n=3, cutoff=0.7) for word in dict.fromkeys(unknown)}


def prompt_warnings(prompt: str, vocabulary: Vocabulary = FULL_VOCABULARY) -> list[str]:
    """Lines for a person who gives this prompt to a model with this vocabulary; none when every word is understood."""
    lines = []
    if unknown := unknown_words(prompt, vocabulary):
        words = ", ".join(map(repr, unknown))
        verb = "means" if len(unknown) == 1 else "mean"
        nearest = "".join(f"; near to {word!r}: {', '.join(near)}" for word, near in unknown.items() if near)
        lines.append(f"{words} {verb} nothing to this model{nearest}")
    if not any(style in vocabulary.styles for style in named_styles(prompt)):
        names = ", ".join(style.name for style in vocabulary.styles)
        where = "`style-a-video styles` lists them" if vocabulary == FULL_VOCABULARY else names
        lines.append(f"the prompt names no style that this model knows ({where}), so expect something vague")
    return lines


def words_of(text: str) -> list[str]:
    """Lower-case words. Hyphens and apostrophes inside a word belong to it.

    >>> words_of("Make it an Ukiyo-e painting, like O'Keeffe's!")
    ['make', 'it', 'an', 'ukiyo-e', 'painting', 'like', "o'keeffe's"]
    """
    return re.findall(r"\w+(?:[-'’]\w+)*", text.lower())


def _texts_of(style: Style) -> tuple[str, ...]:
    return (style.name, *style.phrases, *style.keywords, *style.artists, style.mark)


def _is_known(word: str, known: frozenset[str]) -> bool:
    forms = {word, re.sub(r"['’]s$", "", word), word.removesuffix("s"), word + "s", word.removesuffix("es")}
    return bool(forms & known) or word.isdigit() or ("-" in word and all(part in known for part in word.split("-")))

"""What the bundled model makes of the words of a prompt: which ones it knows, and what it knows that is near the others."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from .looks import LINES, PALETTES, SCALES, SURFACES, TONES
from .styles import STYLES, Style, named_styles

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
"""Words that carry no style of their own: to be read over, not warned about."""

SUBJECTS = (
    "woman", "man", "face", "cat", "dog", "wolf", "bird", "flower", "house", "temple", "city street", "mountain", "landscape",
    "cup of coffee", "car", "motorcycle", "skier", "dancer", "river", "forest", "rocket", "rabbit", "tea pot", "stone wall",
    "night sky", "portrait", "child", "horse", "tree", "sea", "boat", "fruit bowl",
)  # fmt: skip
"""What pictures are of; known, so that "a pencil drawing of a wolf" is no surprise. The content comes from the frame."""


def words_of(text: str) -> list[str]:
    """Lower-case words; hyphens and apostrophes inside a word belong to it.

    >>> words_of("Make it an Ukiyo-e painting, like O'Keeffe's!")
    ['make', 'it', 'an', 'ukiyo-e', 'painting', 'like', "o'keeffe's"]
    """
    return re.findall(r"\w+(?:[-'’]\w+)*", text.lower())


@dataclass(frozen=True)
class Knowledge:
    """What a model was taught."""

    styles: tuple[Style, ...]

    @classmethod
    def of(cls, folder: Path) -> Knowledge:
        """As the recipe wrote it to the model's folder (`training.json`)."""
        record = json.loads((folder / "training.json").read_text())
        return cls(tuple(style for style in STYLES if style.name in record["styles"]))

    def words(self) -> frozenset[str]:
        """Every word that names a medium, an artist, or something that modifies them."""
        texts = [
            text for style in self.styles for text in (style.name, *style.phrases, *style.keywords, *style.artists, style.mark)
        ]  # fmt: skip
        texts += [text for palette in PALETTES.values() for text in palette.phrases]
        texts += [text for group in (*TONES.values(), *SURFACES.values()) for text in group]
        texts += [text for table in (SCALES, LINES) for _, group in table.values() for text in group]
        return frozenset(word for text in texts for word in words_of(text)) - COMMON


ALL = Knowledge(STYLES)
"""All that the recipe teaches, and the bundled model knows."""


def unknown_words(prompt: str, knowledge: Knowledge = ALL) -> dict[str, list[str]]:
    """Words of a prompt that mean nothing to the model, each with words spelt nearly so that it knows (there may be none)."""
    meaning = knowledge.words()
    known = meaning | COMMON | {word for subject in SUBJECTS for word in words_of(subject)}
    strange = [word for word in words_of(prompt) if not _is_known(word, known)]
    # "paintng" is a painting, though that has no style of its own.
    likely = sorted(meaning | {word for word in COMMON if len(word) > 4})
    return {word: difflib.get_close_matches(word, likely, n=3, cutoff=0.7) for word in dict.fromkeys(strange)}


def _is_known(word: str, known: frozenset[str]) -> bool:
    forms = {word, re.sub(r"['’]s$", "", word), word.removesuffix("s"), word + "s", word.removesuffix("es")}
    return bool(forms & known) or word.isdigit() or ("-" in word and all(part in known for part in word.split("-")))


def advice(prompt: str, knowledge: Knowledge = ALL) -> list[str]:
    """Lines to tell a person who gave this prompt to a model that was taught this; empty when every word is understood."""
    lines = []
    if unknown := unknown_words(prompt, knowledge):
        words = ", ".join(map(repr, unknown))
        nearest = "".join(f"; near to {word!r}: {', '.join(near)}" for word, near in unknown.items() if near)
        lines.append(f"{words} {'means' if len(unknown) == 1 else 'mean'} nothing to this model{nearest}")
    if not any(style in knowledge.styles for style in named_styles(prompt)):
        names = ", ".join(style.name for style in knowledge.styles)
        known = "`style-a-video styles` lists them" if knowledge == ALL else names
        lines.append(f"the prompt names no style that this model knows ({known}), so expect something vague")
    return lines

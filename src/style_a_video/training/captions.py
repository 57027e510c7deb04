"""What people write: sentences for a spec, composed from its words; and which of them training never sees."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from ..styles.media import STYLES, Style
from ..styles.spec import LINES, PALETTES, SCALES, SURFACES, TONES, StyleSpec
from ..styles.vocabulary import SUBJECTS

INSTRUCTIONS = (
    "Make it {}.", "make it {}", "Turn it into {}.", "turn this into {}", "Turn this video into {}.",
    "Render it as {}.",
    "Make this {}.", "Repaint it as {}", "Show it as {}.", "Convert it to {}", "Make this look like {}.", "as {}",
    "{}", "{}.",
    "Transform the video into {}.", "I want it to look like {}.", "Redraw this as {}.", "It should be {}.",
    "{} of a [subject]", "{} showing a [subject]", "{} with a [subject]", "a [subject], {}",
)  # fmt: skip
HELD_OUT_INSTRUCTIONS = (
    "Please make my clip {}.", "Could you change this to {}?", "Let it become {}.", "Restyle the footage as {}.",
    "Give me {} please", "I would like {}.",
)  # fmt: skip
ARTIST_SENTENCES = (
    "in the style of {}", "Make it in the style of {}.", "{} style", "Paint it like {}.", "as if made by {}",
    "inspired by {}",
    "Make it look like {}.", "a picture in the manner of {}",
)  # fmt: skip
PHOTOGRAPH = (
    "a photograph", "a photo", "Keep it as it is.", "a realistic photograph", "Make it a photograph.",
    "a photo of a [subject]",
)  # fmt: skip
_STYLES = {style.name: style for style in STYLES}
_VALUES: dict[str, tuple[str, ...]] = {
    "medium": tuple(_STYLES), "palette": ("", *PALETTES), "tone": ("", *TONES), "scale": ("", *SCALES), "line": ("",
    *LINES),
    "surface": ("", *SURFACES),
}  # fmt: skip


def is_held_out(spec: StyleSpec) -> bool:
    """Whether this medium x palette x scale is one of the tenth that training never sees together."""
    if not (spec.palette and spec.scale):
        return False
    digest = hashlib.sha256(f"{spec.medium}|{spec.palette}|{spec.scale}".encode()).digest()
    return digest[0] < 26


def random_spec(rng: np.random.Generator, medium: str) -> StyleSpec:
    """A spec in `medium` as the pairs have it: two fifths of them plain, the others with one or a few words more."""
    if rng.random() < 0.35:
        return StyleSpec(medium)

    def pick(chance: float, choices: list[str]) -> str:
        return choices[int(rng.integers(len(choices)))] if rng.random() < chance else ""

    others = [style.name for style in STYLES if style.name != medium]
    spec = StyleSpec(
        medium, pick(0.5, list(PALETTES)), pick(0.30, list(TONES)), pick(0.50, list(SCALES)), pick(0.25, list(LINES)),
        pick(0.18, list(SURFACES)), pick(0.12, others),
    )  # fmt: skip
    return replace(spec, scale="") if is_held_out(spec) else spec


def near_spec(rng: np.random.Generator, spec: StyleSpec) -> StyleSpec:
    """A look like `look` but for one word, and not held out."""
    field = list(_VALUES)[int(rng.integers(len(_VALUES)))]
    others = [value for value in _VALUES[field] if value not in (getattr(spec, field), spec.second)]
    near = replace(spec, **{field: others[int(rng.integers(len(others)))]})
    return near_spec(rng, spec) if is_held_out(near) else near


def caption(spec: StyleSpec | None, rng: np.random.Generator, held_out: bool = False) -> str:
    """One sentence for a look; None is the untouched photograph.

    `held_out` takes sentence, noun phrase and palette wording from those that training never sees.
    """
    if spec is None:
        return _filled(_one(rng, PHOTOGRAPH), rng)
    style = _STYLES[spec.medium]
    words = [_one(rng, TONES[spec.tone])] if spec.tone else []
    tail = []
    if spec.palette:
        palette = PALETTES[spec.palette]
        tail.append(palette.held_out if held_out else _one(rng, palette.phrases))
    if spec.scale:
        tail.append(f"with {_one(rng, SCALES[spec.scale][1])} {style.mark if rng.random() < 0.7 else 'marks'}")
    if spec.line:
        tail.append(_one(rng, LINES[spec.line][1]))
    if spec.surface:
        tail.append(_one(rng, SURFACES[spec.surface]))
    order = rng.permutation(len(tail))
    sentence = _sentence(style, words, spec.second, [tail[k] for k in order], rng, held_out)
    kind = rng.random()
    return sentence[0].upper() + sentence[1:] if kind < 0.3 else sentence.lower() if kind < 0.5 else sentence


def _sentence(
    style: Style, adjectives: list[str], second: str, tail: list[str], rng: np.random.Generator, held_out: bool
) -> str:
    kind = rng.random()
    if held_out or kind < 0.78 or second:
        template = _one(rng, HELD_OUT_INSTRUCTIONS if held_out else INSTRUCTIONS)
        phrase = _one(rng, style.held_out if held_out else style.phrases)
        if adjectives:
            phrase = with_adjective(adjectives[0], phrase)
        if second:
            phrase = _one(
                rng, ("{} mixed with {}", "{} crossed with {}", "{} and {} together", "a mix of {} and {}")
            ).format(phrase, _one(rng, _STYLES[second].phrases))
        # Words about the whole stand right after the noun, or close the sentence.
        extra = ", ".join(tail)
        if tail and rng.random() < 0.6:
            phrase, extra = f"{phrase}{_one(rng, (' ', ', '))}{extra}", ""
        sentence = _filled(template, rng).format(phrase)
        return f"{sentence.rstrip('.?')}, {extra}" if extra else sentence
    if kind < 0.92 and style.artists:
        sentence = _one(rng, ARTIST_SENTENCES).format(_one(rng, style.artists))
    else:
        word = style.name if rng.random() < 0.4 else _one(rng, style.keywords)
        sentence = _one(rng, ("{}", "{} style", "in {} style", "Make it {}.", "{} look")).format(word)
    return ", ".join([sentence.rstrip("."), *adjectives, *tail])


def with_adjective(adjective: str, phrase: str) -> str:
    """The phrase with an adjective after its article.

    >>> with_adjective("dark", "an oil painting"), with_adjective("pale", "pixel art")
    ('a dark oil painting', 'pale pixel art')
    """
    article, _, rest = phrase.partition(" ")
    return f"a {adjective} {rest}" if article in ("a", "an") else f"{adjective} {phrase}"


def corpus() -> list[str]:
    """Training sentences enough to hold every word that training uses; the order is fixed."""
    rng = np.random.default_rng(0)
    sentences = [caption(random_spec(rng, style.name), rng) for _ in range(120) for style in STYLES]
    words = (
        *INSTRUCTIONS,
        *ARTIST_SENTENCES,
        *PHOTOGRAPH,
        *SUBJECTS,
        *(p for palette in PALETTES.values() for p in palette.phrases),
    )
    named = [
        text for style in STYLES for text in (*style.phrases, *style.artists, style.name, *style.keywords, style.mark)
    ]
    modifiers = [
        text for group in (TONES.values(), SURFACES.values(), *([p for _, p in table.values()] for table in (SCALES,
        LINES)))
        for phrases in group for text in phrases
    ]  # fmt: skip
    return [*sentences, *(text.replace("{}", "").replace("[subject]", "") for text in (*words, *named, *modifiers))]


def _one(rng: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _filled(template: str, rng: np.random.Generator) -> str:
    return template.replace("[subject]", _one(rng, SUBJECTS))

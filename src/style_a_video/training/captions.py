"""What people write: sentences for a spec, composed from its words; and which of them training never sees."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from ..styles.media import STYLES, Style
from ..styles.spec import LINES, PALETTES, SCALES, SURFACES, TONES, WORDINGS, StyleSpec

INSTRUCTIONS = (
    "Make it {}.", "make it {}", "Turn it into {}.", "turn this into {}", "Turn this video into {}.",
    "Render it as {}.", "Make this {}.", "Repaint it as {}", "Show it as {}.", "Convert it to {}",
    "Make this look like {}.", "as {}", "{}", "{}", "{}.", "Transform the video into {}.",
    "I want it to look like {}.", "Redraw this as {}.", "It should be {}.", "like {}", "as if it were {}",
    "{} of a [subject]", "{} showing a [subject]", "{} with a [subject]", "a [subject], {}",
    "the [subject] as {}",
)  # fmt: skip
HELD_OUT_INSTRUCTIONS = (
    "Please make my clip {}.", "Could you change this to {}?", "Let it become {}.", "Restyle the footage as {}.",
    "Give me {} please", "I would like {}.",
)  # fmt: skip
PHOTOGRAPH = (
    "a photograph", "a photo", "Keep it as it is.", "a realistic photograph", "Make it a photograph.",
    "a photo of a [subject]", "do nothing", "leave it unchanged",
)  # fmt: skip
SUBJECTS = (
    "woman", "man", "face", "cat", "dog", "wolf", "bird", "flower", "house", "temple", "city street", "mountain",
    "landscape", "cup of coffee", "car", "motorcycle", "skier", "dancer", "river", "forest", "rocket", "rabbit",
    "tea pot", "stone wall", "night sky", "portrait", "child", "horse", "tree", "sea", "boat", "fruit bowl",
)  # fmt: skip
"""Things that pictures show. The content comes from the frame, so these must not change the style."""
TYPO_SHARE = 0.15
"""Of the captions, so many have a slip of the finger."""
_STYLES = {style.name: style for style in STYLES}


def is_held_out(spec: StyleSpec) -> bool:
    """Whether this medium x palette x scale is one of the tenth that training never sees together."""
    if not (spec.palette and spec.scale):
        return False
    digest = hashlib.sha256(f"{spec.medium}|{spec.palette}|{spec.scale}".encode()).digest()
    return digest[0] < 26


def random_spec(rng: np.random.Generator, medium: str) -> StyleSpec:
    """A spec in `medium` that is modified by one or a few words."""

    def pick(chance: float, choices: list[str]) -> str:
        return choices[int(rng.integers(len(choices)))] if rng.random() < chance else ""

    others = [style.name for style in STYLES if style.name != medium]
    spec = StyleSpec(
        medium, pick(0.5, list(PALETTES)), pick(0.30, list(TONES)), pick(0.50, list(SCALES)), pick(0.25, list(LINES)),
        pick(0.18, list(SURFACES)), pick(0.12, others),
    )  # fmt: skip
    return replace(spec, scale="") if is_held_out(spec) else spec


def caption(spec: StyleSpec | None, rng: np.random.Generator, held_out: bool = False) -> str:
    """One sentence for a spec; None is the untouched photograph.

    `held_out` takes every wording from those that training never sees.
    """
    if spec is None:
        return _filled(_one(rng, PHOTOGRAPH), rng)
    style = _STYLES[spec.medium]
    tail = [
        modifier(kind, getattr(spec, kind), style, rng, held_out)
        for kind in ("palette", "scale", "line", "surface")
        if getattr(spec, kind)
    ]
    tail = [tail[k] for k in rng.permutation(len(tail))]
    adjective = _one(rng, WORDINGS["tone"].words[spec.tone]) if spec.tone else ""
    sentence = _sentence(style, adjective, spec.second, tail, rng, held_out)
    kind = rng.random()
    sentence = sentence[0].upper() + sentence[1:] if kind < 0.25 else sentence.lower() if kind < 0.5 else sentence
    return with_typo(sentence, rng) if not held_out and rng.random() < TYPO_SHARE else sentence


def modifier(kind: str, name: str, style: Style, rng: np.random.Generator, held_out: bool = False) -> str:
    """Words for one modifier, as they follow the medium: "in shades of teal and gold", "with huge dots"."""
    wording = WORDINGS[kind]
    words = _one(rng, wording.words[name])
    templates = wording.held_out if held_out and wording.held_out else wording.templates
    text = _one(rng, templates).format(words) if templates else words
    return text.replace("[mark]", style.mark if rng.random() < 0.7 else "marks")


def _sentence(
    style: Style, adjective: str, second: str, tail: list[str], rng: np.random.Generator, held_out: bool
) -> str:
    if held_out and not second:
        sentence = _one(rng, style.held_out)
        return ", ".join([sentence.rstrip("."), *([adjective] if adjective else []), *tail])
    if second or rng.random() < 0.7:
        phrase = _one(rng, style.names)
        phrase = with_adjective(adjective, phrase) if adjective else phrase
        if second:
            templates = WORDINGS["second"].held_out if held_out else WORDINGS["second"].templates
            phrase = _one(rng, templates).format(phrase, _one(rng, _STYLES[second].names))
        # Words about the whole stand right after the noun, or close the sentence.
        extra = ", ".join(tail)
        if tail and rng.random() < 0.6:
            phrase, extra = f"{phrase}{_one(rng, (' ', ', '))}{extra}", ""
        sentence = _filled(_one(rng, HELD_OUT_INSTRUCTIONS if held_out else INSTRUCTIONS), rng).format(phrase)
        return f"{sentence.rstrip('.?')}, {extra}" if extra else sentence
    if rng.random() < 0.12:
        sentence = _one(rng, ("{}", "{} style", "in {} style", "Make it {}.", "{} look")).format(style.name)
    else:
        sentence = _one(rng, style.sentences)
    return ", ".join([sentence.rstrip("."), *([adjective] if adjective else []), *tail])


def with_adjective(adjective: str, phrase: str) -> str:
    """The phrase with an adjective after its article.

    >>> with_adjective("dark", "an oil painting"), with_adjective("pale", "pixel art")
    ('a dark oil painting', 'pale pixel art')
    """
    article, _, rest = phrase.partition(" ")
    if article in ("a", "an", "the"):
        return f"{'the' if article == 'the' else 'an' if adjective[0] in 'aeiou' else 'a'} {adjective} {rest}"
    return f"{adjective} {phrase}"


def with_typo(sentence: str, rng: np.random.Generator) -> str:
    """The sentence with one slip in a word of five letters or more: two letters swapped, one lost or one doubled."""
    words = sentence.split(" ")
    long = [k for k, word in enumerate(words) if len(word) >= 5]
    if not long:
        return sentence
    k = long[int(rng.integers(len(long)))]
    word = words[k]
    at = int(rng.integers(1, len(word) - 2))
    kind = int(rng.integers(3))
    if kind == 0:
        word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    elif kind == 1:
        word = word[:at] + word[at + 1 :]
    else:
        word = word[:at] + word[at] + word[at:]
    return " ".join([*words[:k], word, *words[k + 1 :]])


def _one(rng: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _filled(template: str, rng: np.random.Generator) -> str:
    return template.replace("[subject]", _one(rng, SUBJECTS))

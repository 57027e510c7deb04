"""What people write: the sentences that go with a style in training."""

from __future__ import annotations

import itertools

from ..models.styles import STYLES, Style

INSTRUCTIONS = (
    "Make it {}.", "make it {}", "Turn it into {}.", "turn this into {}", "Turn this video into {}.", "Render it as {}.",
    "Make this {}.", "Repaint it as {}", "Show it as {}.", "Convert it to {}", "Make this look like {}.", "as {}", "{}", "{}.",
    "Transform the video into {}.", "I want it to look like {}.", "Redraw this as {}.", "It should be {}.",
)  # fmt: skip
HELD_OUT_INSTRUCTIONS = (
    "Please make my clip {}.",
    "Could you change this to {}?",
    "Let it become {}.",
    "Restyle the footage as {}.",
)
CAPTIONS = ("{} of a {}", "{} showing a {}", "{} with a {}", "a {1}, {0}")
ARTIST_SENTENCES = (
    "in the style of {}", "Make it in the style of {}.", "{} style", "Paint it like {}.", "as if made by {}", "inspired by {}",
    "Make it look like {}.", "a picture in the manner of {}",
)  # fmt: skip
SUBJECTS = (
    "woman", "man", "face", "cat", "dog", "wolf", "bird", "flower", "house", "temple", "city street", "mountain", "landscape",
    "cup of coffee", "car", "motorcycle", "skier", "dancer", "river", "forest", "rocket", "rabbit", "tea pot", "stone wall",
    "night sky", "portrait", "child", "horse", "tree", "sea", "boat", "fruit bowl",
)  # fmt: skip
PHOTOGRAPH = (
    "a photograph", "a photo", "Keep it as it is.", "a realistic photograph", "Make it a photograph.", "a photo of a {}",
)  # fmt: skip


def captions_of(style: Style) -> list[str]:
    """All training captions of a style: phrasings x templates, subjects, artists. The order is fixed."""
    sentences = [template.format(phrase) for template, phrase in itertools.product(INSTRUCTIONS, style.phrases)]
    for k, phrase in enumerate(style.phrases):
        for j, template in enumerate(CAPTIONS):
            for i in range(4):
                subject = SUBJECTS[(7 * k + 5 * j + 11 * i) % len(SUBJECTS)]
                sentences.append(template.format(phrase, subject))
    sentences += [template.format(artist) for template, artist in itertools.product(ARTIST_SENTENCES, style.artists)]
    sentences += [style.name, f"{style.name} style", f"in {style.name} style", f"Make it {style.name}."]
    return [sentence[0].upper() + sentence[1:] if k % 3 == 0 else sentence for k, sentence in enumerate(sentences)]


def photograph_captions() -> list[str]:
    """Captions of the untouched content, so that "a photograph" is a prompt, and a negative prompt, that means something."""
    return [text.format(subject) for text in PHOTOGRAPH for subject in (SUBJECTS if "{}" in text else ("",))]


def all_captions() -> list[list[str]]:
    """Column k of the training pairs -> its captions; column 0 is the photograph."""
    return [photograph_captions(), *(captions_of(style) for style in STYLES)]

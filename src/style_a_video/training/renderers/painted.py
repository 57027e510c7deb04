"""Media that are imitated from real paintings, by image analogies: old masters, Van Gogh, impressionism, ukiyo-e."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .analogies import Painting, analogy
from .chance import Chance
from .common import (
    Image,
    clip01,
    flowing_field,
    ink_lines,
    kuwahara,
    line_integral_convolution,
    saturate,
    stretch,
)


@dataclass(frozen=True)
class Manner:
    """How a medium takes after its paintings. Lengths are pixels of a 256-pixel picture."""

    short_side: int
    """Of the painting: its strokes grow with it."""
    light: float
    chroma: float
    """How far the picture's light and colours are drawn towards the painting's, see `analogy`."""
    saturation: float = 1.2
    relief: float = 0.0
    """Contrast of strokes laid into the picture before the search, so that even parts ask for strokes, too."""
    breadth: float = 2.0
    length: int = 10
    """Of these strokes; `length` to both sides."""
    turns: float = 0.6
    """How much they turn where the picture has no forms to follow."""
    key_block: bool = False
    """Whether dark lines are printed over it."""


PAINTED: dict[str, Manner] = {
    "oil painting": Manner(430, 0.45, 0.45, relief=0.16, breadth=1.8, length=9),
    "van gogh": Manner(540, 0.5, 0.55, 1.35, relief=0.45, breadth=2.0, length=18, turns=1.6),
    "impressionism": Manner(580, 0.4, 0.4, 1.4, relief=0.38, breadth=2.4, length=4, turns=1.0),
    "ukiyo-e": Manner(430, 0.65, 0.5, 1.4, key_block=True),
}


@lru_cache(maxsize=48)
def _prepared(painting: bytes, shape: tuple[int, int, int], short_side: int) -> Painting:
    return Painting.of(np.frombuffer(painting, np.float32).reshape(shape), short_side)


def paint(image: Image, medium: str, painting: Image, scale: float, line: float, chance: Chance) -> Image:
    """`image` as a medium of `PAINTED`, with the strokes and colours of `painting`; (H, W, 3) in [0, 1].

    Args:
        scale: of the strokes.
        line: breadth of the key-block lines; 0 for none.
    """
    manner = PAINTED[medium]
    source = saturate(kuwahara(image, 3), manner.saturation)
    if manner.relief:
        vx, vy = flowing_field(chance, image, 4.0 * scale, 34.0 * scale, manner.turns, 12)
        noise = chance.smooth(manner.breadth * scale, 13)
        strokes = stretch(line_integral_convolution(noise, vx, vy, round(manner.length * scale)))
        source = clip01(source * (1 + manner.relief * (strokes[..., None] - 0.5)))
    if manner.key_block:
        source = kuwahara(kuwahara(source, round(5 * scale)), round(4 * scale))
    short_side = round(manner.short_side * scale**0.7)
    prepared = _prepared(painting.astype(np.float32).tobytes(), painting.shape, short_side)
    # Whole cells, as the analogy's levels want them.
    height, width = (8 * -(-side // 8) for side in image.shape[:2])
    padded = np.pad(source, ((0, height - image.shape[0]), (0, width - image.shape[1]), (0, 0)), mode="edge")
    seed = int(abs(float(chance.noise[0, 0, 0])) * 1e6)
    painted = analogy(padded, prepared, seed, manner.light, manner.chroma)[: image.shape[0], : image.shape[1]]
    if manner.key_block and line:
        ink = 0.92 * ink_lines(kuwahara(image, 2), 1.05, 6, 40, 0.009, line)[..., None]
        painted = painted * (1 - ink) + np.array([0.07, 0.08, 0.14], np.float32) * ink
    return clip01(painted)

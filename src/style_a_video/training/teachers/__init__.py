"""Teachers: classical non-photorealistic renderers that make the training pairs. Training data, never the product.

`render(image, look)` takes and returns float32 RGB (H, W, 3) in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...models.looks import LINES, SCALES, Look
from . import craft, drawing, masters, painting, printing
from .chance import Chance
from .common import Image, clip01
from .finish import on_surface, outlined, recoloured, toned

Teacher = Callable[[Image, float, float, Chance], Image]
"""(image, scale of the marks, breadth of the medium's own lines, chance) -> picture."""

TEACHERS: dict[str, Teacher] = {
    "oil painting": painting.oil_painting,
    "van gogh": painting.van_gogh,
    "impressionism": painting.impressionism,
    "pointillism": painting.pointillism,
    "watercolor": painting.watercolor,
    "ink wash": painting.ink_wash,
    "ukiyo-e": printing.ukiyo_e,
    "pencil": drawing.pencil,
    "charcoal": drawing.charcoal,
    "engraving": drawing.engraving,
    "pop art": printing.pop_art,
    "comic": printing.comic,
    "stained glass": craft.stained_glass,
    "mosaic": craft.mosaic,
    "pixel art": printing.pixel_art,
    "paper cut": craft.paper_cut,
    "neon": drawing.neon,
    "cyanotype": drawing.cyanotype,
    "gouache": painting.gouache,
    "pastel": drawing.pastel,
    "cross-hatching": drawing.cross_hatching,
    "linocut": drawing.linocut,
    "anime": printing.anime,
    "cubism": craft.cubism,
    "low-poly": craft.low_poly,
    "sepia film": drawing.sepia_film,
    "thomas kinkade": masters.kinkade,
    "georgia o'keeffe": masters.okeeffe,
    "paul kenton": masters.kenton,
    "peter mohrbacher": masters.mohrbacher,
    "feng zhu": masters.feng_zhu,
}

WITHOUT_LINES = frozenset(
    {
        "oil painting", "van gogh", "impressionism", "pointillism", "gouache", "low-poly", "paper cut", "pixel art", "sepia film",
        "thomas kinkade", "georgia o'keeffe", "peter mohrbacher", "cyanotype",
    }
)  # fmt: skip
"""Media that draw no lines of their own: asked for lines, they get them laid over."""


def render(image: Image, look: Look, chance: Chance | None = None) -> Image:
    """`image` in the style of `look`. Deterministic: the same picture, look and chance give the same rendering.

    Args:
        chance: where marks lie; that of seed 0 by default.
    """
    chance = chance or Chance.of_seed(0, *image.shape[:2])
    # OpenCV draws only where the channels of a pixel lie side by side.
    image = np.ascontiguousarray(image)
    scale = SCALES[look.scale][0] if look.scale else 1.0
    line = LINES[look.line][0] if look.line else 1.0
    picture = TEACHERS[look.medium](image, scale, line, chance)
    if look.line and line and look.medium in WITHOUT_LINES:
        picture = outlined(picture, image, line)
    if look.second:
        over = render(picture, replace(Look(look.second), scale=look.scale, line=look.line), chance)
        picture = clip01(0.45 * picture + 0.55 * over)
    if look.palette:
        picture = recoloured(picture, look.palette)
    if look.tone:
        picture = toned(picture, look.tone)
    return on_surface(picture, look.surface, chance) if look.surface else picture


__all__ = ["TEACHERS", "WITHOUT_LINES", "Chance", "Image", "Teacher", "render"]

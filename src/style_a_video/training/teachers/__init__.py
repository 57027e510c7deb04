"""Teachers: classical non-photorealistic renderers that make the training pairs. Training data, never the product.

`TEACHERS[style](image, rng)` takes and returns float32 RGB (H, W, 3) in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .common import Image
from .drawing import charcoal, cyanotype, engraving, neon, pencil
from .painting import impressionism, ink_wash, oil_painting, pointillism, van_gogh, watercolor
from .printing import comic, mosaic, paper_cut, pixel_art, pop_art, stained_glass, ukiyo_e

Teacher = Callable[[Image, np.random.Generator], Image]

TEACHERS: dict[str, Teacher] = {
    "oil painting": oil_painting,
    "van gogh": van_gogh,
    "impressionism": impressionism,
    "pointillism": pointillism,
    "watercolor": watercolor,
    "ink wash": ink_wash,
    "ukiyo-e": ukiyo_e,
    "pencil": pencil,
    "charcoal": charcoal,
    "engraving": engraving,
    "pop art": pop_art,
    "comic": comic,
    "stained glass": stained_glass,
    "mosaic": mosaic,
    "pixel art": pixel_art,
    "paper cut": paper_cut,
    "neon": neon,
    "cyanotype": cyanotype,
}

__all__ = ["TEACHERS", "Image", "Teacher"]

"""Teachers: classical non-photorealistic renderers that make the training pairs. Training data, never the product.

`render(image, spec)` takes and returns float32 RGB (H, W, 3) in [0, 1]. A new medium is a new module of this package
with a function under `@teacher("its name")`, and an entry with its words in `styles.STYLES`.
"""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from importlib import import_module

import numpy as np

from ...errors import InputError
from ...styles.spec import LINES, SCALES, StyleSpec
from .chance import Chance
from .common import Image, clip01
from .finish import on_surface, outlined, recoloured, toned
from .registry import TEACHERS, WITHOUT_LINES, Teacher, teacher

for _module in pkgutil.iter_modules(__path__):
    import_module(f".{_module.name}", __name__)  # so that its teachers are registered


def render(image: Image, spec: StyleSpec, chance: Chance | None = None) -> Image:
    """`image` in the style of `spec`. Deterministic: the same picture, spec and chance give the same rendering.

    Args:
        chance: where marks lie; that of seed 0 by default.

    Raises:
        InputError: for a medium that has no teacher.
    """
    if spec.medium not in TEACHERS:
        raise InputError(f"there is no teacher of {spec.medium!r}: choose from {', '.join(TEACHERS)}")
    chance = chance or Chance.of_seed(0, *image.shape[:2])
    # OpenCV draws only where the channels of a pixel lie side by side.
    image = np.ascontiguousarray(image)
    scale = SCALES[spec.scale][0] if spec.scale else 1.0
    line = LINES[spec.line][0] if spec.line else 1.0
    picture = TEACHERS[spec.medium](image, scale, line, chance)
    if spec.line and line and spec.medium in WITHOUT_LINES:
        picture = outlined(picture, image, line)
    if spec.second:
        over = render(picture, replace(StyleSpec(spec.second), scale=spec.scale, line=spec.line), chance)
        picture = clip01(0.45 * picture + 0.55 * over)
    if spec.palette:
        picture = recoloured(picture, spec.palette)
    if spec.tone:
        picture = toned(picture, spec.tone)
    return on_surface(picture, spec.surface, chance) if spec.surface else picture


__all__ = ["TEACHERS", "WITHOUT_LINES", "Chance", "Image", "Teacher", "render", "teacher"]

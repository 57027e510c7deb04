"""Renderers: classical non-photorealistic renderers that make the training pairs. Training data, never the product.

`render(image, spec)` takes and returns float32 RGB (H, W, 3) in [0, 1]. A new medium is a new module of this package
with a function under `@renderer("its name")`, and an entry with its words in `styles.STYLES`.
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
from .painted import PAINTED, paint
from .registry import RENDERERS, WITHOUT_LINES, Renderer, renderer

for _module in pkgutil.iter_modules(__path__):
    import_module(f".{_module.name}", __name__)  # so that its renderers are registered


def render(image: Image, spec: StyleSpec, chance: Chance | None = None, painting: Image | None = None) -> Image:
    """`image` in the style of `spec`. Deterministic: the same picture, spec and chance give the same rendering.

    Args:
        chance: where marks lie; that of seed 0 by default.
        painting: the real painting that a medium of `PAINTED` is imitated from, RGB in [0, 1] of any size.

    Raises:
        InputError: for a medium that has no renderer, or whose painting is not given.
    """
    if spec.medium not in (*RENDERERS, *PAINTED):
        raise InputError(f"there is no renderer of {spec.medium!r}: choose from {', '.join((*RENDERERS, *PAINTED))}")
    if spec.medium in PAINTED and painting is None:
        raise InputError(f"{spec.medium!r} is imitated from paintings: `style-a-video train material` fetches them")
    chance = chance or Chance.of_seed(0, *image.shape[:2])
    # OpenCV draws only where the channels of a pixel lie side by side.
    image = np.ascontiguousarray(image)
    scale = SCALES[spec.scale] if spec.scale else 1.0
    line = LINES[spec.line] if spec.line else 1.0
    if spec.medium in PAINTED:
        assert painting is not None
        picture = paint(image, spec.medium, painting, scale, line, chance)
    else:
        picture = RENDERERS[spec.medium](image, scale, line, chance)
    if (
        spec.line
        and line
        and (spec.medium in WITHOUT_LINES or (spec.medium in PAINTED and not PAINTED[spec.medium].key_block))
    ):
        picture = outlined(picture, image, line)
    if spec.second:
        second = replace(StyleSpec(spec.second), scale=spec.scale, line=spec.line)
        over = render(picture, second, chance, painting)
        picture = clip01(0.45 * picture + 0.55 * over)
    if spec.palette:
        picture = recoloured(picture, spec.palette)
    if spec.tone:
        picture = toned(picture, spec.tone)
    return on_surface(picture, spec.surface, chance) if spec.surface else picture


__all__ = ["PAINTED", "RENDERERS", "WITHOUT_LINES", "Chance", "Image", "Renderer", "render", "renderer"]

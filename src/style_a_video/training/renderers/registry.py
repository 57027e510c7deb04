"""The renderers by the medium that they draw. A new one is a decorated function in any module of this package.

Seeds that renderers give to `Chance` are arbitrary numbers, each used once in a medium.
"""

from __future__ import annotations

from collections.abc import Callable

from .chance import Chance
from .common import Image

Renderer = Callable[[Image, float, float, Chance], Image]
"""(image, scale of the marks, breadth of the medium's own lines, chance) -> picture; both (H, W, 3) in [0, 1]."""

RENDERERS: dict[str, Renderer] = {}
WITHOUT_LINES: set[str] = set()
"""Media that draw no lines of their own: asked for lines, they get them laid over."""


def renderer(medium: str, draws_lines: bool = True) -> Callable[[Renderer], Renderer]:
    """Register a function as the renderer of a medium.

    Args:
        medium: its name in `styles.STYLES`.
        draws_lines: whether it heeds the breadth of lines itself.
    """

    def register(draw: Renderer) -> Renderer:
        RENDERERS[medium] = draw
        if not draws_lines:
            WITHOUT_LINES.add(medium)
        return draw

    return register

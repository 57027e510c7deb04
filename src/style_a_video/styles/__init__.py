"""What the bundled model knows: its media, what modifies them, and the words for both. Imports nothing heavy."""

from .media import STYLE_NAMES, STYLES, Style
from .spec import StyleSpec

__all__ = ["STYLES", "STYLE_NAMES", "Style", "StyleSpec"]

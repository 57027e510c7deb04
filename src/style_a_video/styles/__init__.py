"""What the bundled model knows: its media, what modifies them, and the words for both. Imports nothing heavy."""

from .media import STYLE_NAMES, STYLES, Style, named_styles
from .spec import StyleSpec
from .vocabulary import Vocabulary, prompt_warnings, unknown_words

__all__ = [
    "STYLES",
    "STYLE_NAMES",
    "Style",
    "StyleSpec",
    "Vocabulary",
    "named_styles",
    "prompt_warnings",
    "unknown_words",
]

"""The bundled weights, loading of any model, and the styles that the bundled model knows."""

from .loading import bundled_folder, load_pipeline
from .styles import STYLES, Style, named_styles

__all__ = ["STYLES", "Style", "bundled_folder", "load_pipeline", "named_styles"]

"""Loading of any model, and the weights that the package ships."""

from ..checkpoints import bundled_folder
from .loading import load_pipeline, load_refiner

__all__ = ["bundled_folder", "load_pipeline", "load_refiner"]

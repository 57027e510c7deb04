"""Style-A-Video: a clip and a sentence in, the same clip in that style out.

>>> import style_a_video as sav
>>> sav.stylize("in.mp4", "Make it an Ukiyo-e painting.", "out.mp4")            # doctest: +SKIP
>>> pipe = sav.load_pipeline("bundled")                                         # doctest: +SKIP
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

__version__ = version("style-a-video")

if TYPE_CHECKING:
    from . import evaluation, guidance, models, optimization, self_attention, temporal, video
    from .errors import InputError
    from .job import stylize
    from .live import LiveStylizer
    from .models import load_pipeline
    from .pipeline import StyleAVideoOutput, StyleAVideoPipeline
    from .record import StylizeResult
    from .settings import Settings
    from .styles import STYLES

_HOMES = {
    "InputError": "errors",
    "LiveStylizer": "live",
    "STYLES": "styles",
    "Settings": "settings",
    "StyleAVideoOutput": "pipeline",
    "StyleAVideoPipeline": "pipeline",
    "StylizeResult": "record",
    "load_pipeline": "models",
    "stylize": "job",
}
_MODULES = ("evaluation", "guidance", "models", "optimization", "self_attention", "temporal", "video")

__all__ = [
    "STYLES",
    "InputError",
    "LiveStylizer",
    "Settings",
    "StyleAVideoOutput",
    "StyleAVideoPipeline",
    "StylizeResult",
    "__version__",
    "evaluation",
    "guidance",
    "load_pipeline",
    "models",
    "optimization",
    "self_attention",
    "stylize",
    "temporal",
    "video",
]


def __getattr__(name: str) -> Any:
    """Load on first use: torch and diffusers take seconds, `style-a-video --help` should not."""
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, also those that are not loaded yet."""
    return sorted({*globals(), *__all__})

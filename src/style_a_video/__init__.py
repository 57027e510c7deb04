"""Style-A-Video: a clip and a sentence in, the same clip in that style out.

>>> import style_a_video as sav
>>> sav.stylize("in.mp4", "Make it an Ukiyo-e painting.", "out.mp4")            # doctest: +SKIP
>>> pipe = sav.load_pipeline("bundled")                                         # doctest: +SKIP
"""

__version__ = "0.1.0"

from . import guidance, self_attention
from .errors import InputError
from .job import Settings, StylizeResult, stylize
from .models import STYLES, load_pipeline
from .pipeline import StyleAVideoOutput, StyleAVideoPipeline

__all__ = [
    "STYLES", "InputError", "Settings", "StyleAVideoOutput", "StyleAVideoPipeline", "StylizeResult", "__version__", "guidance",
    "load_pipeline", "self_attention", "stylize",
]  # fmt: skip

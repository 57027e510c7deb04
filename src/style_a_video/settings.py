"""Everything about a job but its files and its prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from .errors import InputError
from .guidance import Guidance
from .models.loading import BUNDLED
from .optimization import Optimization
from .self_attention import MaskRefresh

ShotNoise = Literal["shared", "warped", "independent"]
"""One noise field for all frames; one that every shot begins with and that then moves with the picture; or one a frame."""
Flow = Literal["dis", "raft"]
OutputSize = Literal["working", "source"]
LONGEST_INTERVAL = 32
"""Of keyframes: two intervals of frames are held in memory, and ways between them."""


@dataclass(frozen=True)
class Settings:
    """Everything about a job but its files and its prompt. None means the model's own default."""

    model: str = BUNDLED
    seed: int = 0
    negative_prompt: str = ""
    fast: bool = False
    num_inference_steps: int | None = None
    guidance: Guidance | None = None
    guidance_scale: float | None = None
    image_guidance_scale: float | None = None
    mask_guidance_scale: float | None = None
    mask_refresh: MaskRefresh = "lagged"
    content_weight: float | None = None
    optimization: Optimization = "decoder"
    noise: ShotNoise = "shared"
    keyframe_interval: int = 8
    """Every how many frames of a shot one is denoised in full, the others taking their picture from it; 1 means every frame."""
    flow: Flow = "dis"
    """What estimates motion: OpenCV's DIS, or RAFT where torchvision is installed."""
    anchor: bool = False
    """Whether every frame that is denoised in full also attends to its shot's first."""
    refine: bool | None = None
    """Whether the package's refiner steadies the stylized frames; None: unless `fast`."""
    size: int | None = None
    """Working size: the short side of the frames that the model sees, in pixels."""
    output_size: OutputSize = "working"
    start_s: float = 0.0
    end_s: float | None = None
    batch_size: int = 8
    """Frames at once: those denoised together, where every frame is denoised in full; else those held for the keyframes denoised together, of which
    there are `batch_size / keyframe_interval`, and one at least."""

    @property
    def refines(self) -> bool:
        """Whether there is a refiner, whoever decided it."""
        return not self.fast if self.refine is None else self.refine


CALL_SETTINGS = (
    "negative_prompt", "fast", "num_inference_steps", "guidance", "guidance_scale", "image_guidance_scale", "mask_guidance_scale",
    "mask_refresh", "content_weight", "optimization",
)  # fmt: skip
"""Those that a call of the pipeline takes as they are."""


def checked_settings(given: dict[str, Any]) -> Settings:
    """Settings from named values. Raises InputError for one that there is not, or that is out of its range."""
    unknown = set(given) - set(Settings.__dataclass_fields__)
    if unknown:
        raise InputError(
            f"unknown setting {sorted(unknown)[0]!r}: choose from {', '.join(Settings.__dataclass_fields__)}"
        )
    settings = Settings(**given)
    for name in ("seed", "batch_size", "size", "keyframe_interval"):
        value = getattr(settings, name)
        if not isinstance(value, int) and not (name == "size" and value is None):
            raise InputError(f"{name} is {value!r}: give a whole number")
    if settings.size is not None and not 32 <= settings.size <= 4096:
        raise InputError(f"size is {settings.size}: give a short side between 32 and 4096 pixels")
    if not 0 <= settings.seed < 2**63:
        raise InputError(f"seed is {settings.seed}: give a whole number between 0 and 2^63 - 1")
    if settings.batch_size < 1:
        raise InputError(f"batch_size is {settings.batch_size}: give 1 or more")
    if not 1 <= settings.keyframe_interval <= LONGEST_INTERVAL:
        raise InputError(
            f"keyframe_interval is {settings.keyframe_interval}: give 1 (every frame in full) to {LONGEST_INTERVAL}"
        )
    for name in ("fast", "anchor", "refine"):
        if not isinstance(getattr(settings, name), bool) and not (name == "refine" and settings.refine is None):
            raise InputError(f"{name} is {getattr(settings, name)!r}: give True or False")
    for name, kind in (("noise", ShotNoise), ("flow", Flow), ("output_size", OutputSize)):
        if getattr(settings, name) not in get_args(kind):
            raise InputError(f"{name} is {getattr(settings, name)!r}: choose one of {', '.join(get_args(kind))}")
    return settings

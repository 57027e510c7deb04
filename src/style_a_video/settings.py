"""Every setting: its name, default, range and choices, once. Imports nothing heavy.

`Settings` is what a person gives; None stands for the model's own default. `Settings.resolve` fills the defaults in.
The resolved object is passed on whole.
"""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from numbers import Number
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from .errors import InputError
from .schedulers import SCHEDULERS

BUNDLED = "bundled"
"""Name of the model that the package ships."""

Guidance = Literal["independent", "joint"]
MaskRefresh = Literal["exact", "lagged"]
Optimization = Literal["exact", "decoder"]
FrameNoise = Literal["shared", "independent"]
ShotNoise = Literal["shared", "warped", "independent"]
OutputSize = Literal["working", "source"]
OutputType = Literal["np", "pil", "pt"]


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise InputError("give an odd number")
    return value


Count = Annotated[int, Field(ge=1)]
Scale = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
UnitInterval = Annotated[float, Field(ge=0, le=1)]
Odd = Annotated[int, Field(ge=1), AfterValidator(_odd)]
Size = Annotated[int, Field(ge=32, le=4096)]
Interval = Annotated[int, Field(ge=1, le=32)]

KEYFRAME_INTERVAL = 8

_FLOW_MODULES = pkgutil.iter_modules([str(Path(__file__).parent / "temporal" / "flow_estimators")])
FLOWS = tuple(sorted(module.name for module in _FLOW_MODULES if not module.name.startswith("_")))
"""The flow estimators: the modules of `temporal.flow_estimators`, which are not imported for it."""


def _one_of(choices: Iterable[str]) -> Callable[[str], str]:
    known = sorted(choices)

    def check(value: str) -> str:
        if value not in known:
            raise InputError(f"choose from {', '.join(known)}")
        return value

    return check


INSTRUCT_PIX2PIX_DEFAULTS: dict[str, Any] = {
    "num_inference_steps": 30,
    "guidance": "joint",
    "guidance_scale": 7.5,
    "image_guidance_scale": 1.5,
    "mask_guidance_scale": 0.0,
    "content_weight": 0.0,
    "size": 512,
}
"""Of a model that stores no defaults of its own: those of InstructPix2Pix."""
MODEL_DEFAULTS = tuple(INSTRUCT_PIX2PIX_DEFAULTS)
"""Names of the settings that every model has a default of."""


class Checked(BaseModel):
    """A frozen set of values, checked when it is made. Raises InputError, one line, for a value that cannot be used."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise InputError(_one_line(error, type(self))) from None

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        """NumPy's numbers and paths as Python's own numbers and text."""
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        is_numpys = isinstance(value, Number) and not isinstance(value, bool | int | float) and hasattr(value, "item")
        return value.item() if is_numpys else value


class KeyframeConfig(Checked):
    """The constants of keyframe propagation (docs/method.md, section 2.6). Windows and strides are in pixels."""

    fill_strength: Share = 0.5
    """Share of the denoising steps taken where the model fills in what no keyframe shows."""
    fade_frames: Count = 4
    """Half-way between two keyframes the picture passes from one to the other over this many frames."""
    missing_tolerance: Share = 0.02
    """Share of a frame's pixels that may be missing before the model is asked to fill them."""
    similarity_tolerance: Share = 0.02
    """Two places look alike where their colours differ by less than this, in the mean over a window."""
    similarity_window: Odd = 7
    """Side of that window."""
    deformation_window: Odd = 9
    """Side of the window over which a flow's deformation is measured."""
    max_deformation: Share = 0.33
    """Nothing is taken from a keyframe along a flow that stretches or shears marks by more than this."""
    max_keyframe_deformation: Share = 0.2
    """The same between neighbouring keyframes, where deformations add up."""
    structure_window: Count = 16
    """Side of the windows in which the shapes of two inputs are compared."""
    structure_stride: Count = 4
    """Distance of their centres."""
    color_window: Count = 64
    """Side of the windows whose mean colour and contrast follow the keyframe's own rendering."""
    color_stride: Count = 16
    """Distance of their centres."""
    color_pull: Share = 0.5
    """How far the mean colour moves towards the rendering: light is followed, the model's own flicker halved."""
    max_contrast_gain: Annotated[float, Field(ge=1)] = 2.0
    """Contrast is multiplied or divided by this at most: what is flat has no marks to deepen."""
    detail_window: Count = 16
    """Side of the windows in which the strength of fine detail is measured."""
    detail_stride: Count = 4
    """Distance of their centres."""
    max_sharpening: Share = 0.5
    """Share of the high frequencies that matching of detail adds or removes at most. More would make rings."""
    extremes_window: Odd = 3
    """Side of the windows whose darkest and brightest values limit sharpening."""

    @model_validator(mode="after")
    def _windows_fit(self) -> KeyframeConfig:
        """Windows are centred on squares of their stride, and leave no pixel out."""
        for name in ("structure", "color", "detail"):
            window, stride = getattr(self, f"{name}_window"), getattr(self, f"{name}_stride")
            if window < stride or (window - stride) % 2:
                raise InputError(
                    f"{name}_window is {window} and {name}_stride {stride}: "
                    "give a window that is not smaller, both odd or both even"
                )
        return self


DEFAULT_KEYFRAMES = KeyframeConfig()


class CallSettings(Checked):
    """What one call of the pipeline does, with the model's defaults filled in."""

    num_inference_steps: Count
    guidance: Guidance
    guidance_scale: Scale
    image_guidance_scale: Scale
    mask_guidance_scale: Scale
    content_weight: Weight
    mask_refresh: MaskRefresh
    optimization: Optimization
    noise: FrameNoise
    eta: Scale
    strength: UnitInterval
    initial_strength: Share
    batch_size: Count
    output_type: OutputType


class Settings(Checked):
    """Everything about a job but its files and its prompt. None means the model's own default."""

    model: str = BUNDLED
    """'bundled', a folder in diffusers' layout, or a hub id."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """The same seed gives the same result."""
    negative_prompt: str = ""
    """What the picture should not be."""
    style_image: str | None = None
    """An image file in the wanted style, beside the prompt or instead of it."""
    style_image_weight: Weight = 1.0
    """How much the style image is heeded beside the prompt; 0 ignores it."""
    fast: bool = False
    """Quicker, less steady: fewest steps, no keyframes, coarser flow."""
    num_inference_steps: Count | None = None
    """Denoising steps."""
    scheduler: Annotated[str, AfterValidator(_one_of(SCHEDULERS))] | None = None
    """The sampler (`schedulers.SCHEDULERS`)."""
    guidance: Guidance | None = None
    """How the conditions are combined: joint, as in InstructPix2Pix, or independent, as in the paper."""
    guidance_scale: Scale | None = None
    """How strongly the prompt acts (s_T)."""
    image_guidance_scale: Scale | None = None
    """How closely the frame is kept (s_I)."""
    mask_guidance_scale: Scale | None = None
    """Weight of the self-attention condition (s_M)."""
    mask_refresh: MaskRefresh = "lagged"
    """Whether that condition's mask is of this step (exact, slower) or of the step before (lagged)."""
    content_weight: Weight | None = None
    """Weight of CLIP-guided sampling (λ)."""
    optimization: Optimization = "decoder"
    """How far the gradient of λ flows: through the decoder, or through the UNet too (exact)."""
    noise: ShotNoise = "shared"
    """One noise field for all frames (shared), one that moves with the picture (warped), or independent ones."""
    keyframe_interval: Interval | None = None
    """Distance between keyframes; the frames between are made from them. 1, as `fast` has it, denoises every frame."""
    keyframes: KeyframeConfig = DEFAULT_KEYFRAMES
    """Constants of keyframe propagation; the command line does not offer them."""
    flow: Annotated[str, AfterValidator(_one_of(FLOWS))] = "dis"
    """What estimates motion; raft needs torchvision."""
    anchor: bool = False
    """Frames made in full also attend to their shot's first frame."""
    refine: bool = True
    """Steady the result by the refinement network."""
    strength: UnitInterval = 1.0
    """How far the style changes the frame: 0 leaves it, 1 is the whole style."""
    preserve_color: bool = False
    """Keep the input's own colours: of the style only light and dark are taken."""
    size: Size | None = None
    """Working size: short side in pixels, 32 to 4096, made even."""
    output_size: OutputSize = "working"
    """Size of the output: the working size, or the input's own (source)."""
    start_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Begin at this second."""
    end_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Stop before this second."""
    batch_size: Count = 8
    """Frames denoised at once. With keyframes it is `batch_size // keyframe_interval` of them, at least one."""

    def resolve(self, model_defaults: Mapping[str, Any]) -> ResolvedSettings:
        """These settings with every None replaced: by the model's default; the keyframe interval by 1 or 8."""
        values = dict(self)
        if self.keyframe_interval is None:
            values["keyframe_interval"] = 1 if self.fast else KEYFRAME_INTERVAL
        defaults = {name: model_defaults[name] for name in MODEL_DEFAULTS if values[name] is None}
        return ResolvedSettings(**values | defaults)


class ResolvedSettings(Settings):
    """`Settings` in which nothing is left to the model."""

    num_inference_steps: Count
    guidance: Guidance
    guidance_scale: Scale
    image_guidance_scale: Scale
    mask_guidance_scale: Scale
    content_weight: Weight
    keyframe_interval: Interval
    size: Size

    @property
    def uses_motion(self) -> bool:
        """Whether frames depend on others of their shot."""
        return self.noise == "warped" or self.keyframe_interval > 1 or self.anchor or self.refine

    def call_arguments(self) -> dict[str, Any]:
        """The arguments of a call that the stream passes on unchanged; it makes the noise of a shot itself."""
        names = (CallSettings.model_fields.keys() & Settings.model_fields.keys()) - {"noise"}
        return {name: getattr(self, name) for name in sorted(names)}


def _one_line(error: ValidationError, kind: type[BaseModel]) -> str:
    """The first fault: what is wrong, and what to give instead."""
    fault = error.errors(include_url=False)[0]
    name = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        return f"unknown setting {name!r}: choose from {', '.join(kind.model_fields)}"
    remedies = {
        "missing": "it is needed",
        "literal_error": f"choose {fault.get('ctx', {}).get('expected')}",
        "int_type": "give a whole number",
        "bool_type": "give True or False",
        "string_type": "give text",
        "float_type": "give a finite number",
        "finite_number": "give a finite number",
    }
    if fault["type"].startswith(("greater_than", "less_than")):
        return f"{name} is {fault['input']!r}: give {_range_of(name, kind)}"
    remedy = remedies.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    return f"{name} is {fault['input']!r}: {remedy}"


def _range_of(name: str, kind: type[BaseModel]) -> str:
    """The values that a number can have, in words."""
    schema = kind.model_json_schema()["properties"][name]
    limits = {key: value for part in (schema, *schema.get("anyOf", ())) for key, value in part.items()}
    words = [
        text.format(limits[key])
        for key, text in (
            ("minimum", "{:g} or more"),
            ("exclusiveMinimum", "more than {:g}"),
            ("maximum", "{:g} at most"),
            ("exclusiveMaximum", "less than {:g}"),
        )
        if key in limits
    ]
    return ", ".join(words)

"""Settings: ranges, one line for what cannot be used, and the model's defaults in place of None."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import style_a_video as sav
from style_a_video.settings import (
    DEFAULT_KEYFRAMES,
    FLOWS,
    INSTRUCT_PIX2PIX_DEFAULTS,
    CallSettings,
    KeyframeConfig,
    ResolvedSettings,
    Settings,
)

BAD: list[tuple[dict[str, Any], str]] = [
    ({"size": 8}, "size is 8: give 32 or more, 4096 at most"),
    ({"size": 5000}, "size is 5000: give 32 or more, 4096 at most"),
    ({"keyframe_interval": 33}, "keyframe_interval is 33: give 1 or more, 32 at most"),
    ({"seed": -1}, "seed is -1: give 0 or more"),
    ({"seed": True}, "seed is True: give a whole number"),
    ({"fast": 1}, "fast is 1: give True or False"),
    ({"model": None}, "model is None: give text"),
    ({"flow": "guess"}, f"flow is 'guess': choose from {', '.join(FLOWS)}"),
    ({"scheduler": "clock"}, "scheduler is 'clock': choose from ddim"),
    ({"noise": "pink"}, "noise is 'pink': choose 'shared', 'warped' or 'independent'"),
    ({"guidance_scale": float("nan")}, "guidance_scale is nan: give a finite number"),
    ({"content_weight": -0.5}, "content_weight is -0.5: give 0 or more"),
    ({"end_s": 0.0}, "end_s is 0.0: give more than 0"),
    ({"colour": 3}, "unknown setting 'colour': choose from model, seed"),
    ({"keyframes": {"fade_frames": 0}}, "fade_frames is 0: give 1 or more"),
    ({"keyframes": {"similarity_window": 8}}, "similarity_window is 8: give an odd number"),
    ({"keyframes": {"detail_window": 15}}, "detail_window is 15 and detail_stride 4"),
    ({"keyframes": {"color_stride": 128}}, "color_window is 64 and color_stride 128"),
]


@pytest.mark.parametrize(("given", "message"), BAD)
def test_what_cannot_be_used_is_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(sav.InputError) as caught:
        Settings(**given)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numpys_numbers_and_paths_are_taken() -> None:
    settings = Settings(seed=np.int64(3), guidance_scale=np.float32(2), model=Path("here"))
    assert (settings.seed, settings.guidance_scale, settings.model) == (3, 2.0, "here")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().seed = 4


def test_resolved_settings_leave_nothing_to_the_model() -> None:
    resolved = Settings(guidance_scale=3.0, fast=True).resolve(INSTRUCT_PIX2PIX_DEFAULTS)
    assert isinstance(resolved, ResolvedSettings)
    assert resolved.guidance_scale == 3.0
    assert resolved.image_guidance_scale == 1.5
    left = [name for name, value in resolved if value is None]
    assert left == ["style_image", "scheduler", "end_s"]
    assert (resolved.keyframe_interval, Settings().resolve(INSTRUCT_PIX2PIX_DEFAULTS).keyframe_interval) == (1, 8)
    assert resolved.resolve(INSTRUCT_PIX2PIX_DEFAULTS) == resolved


def test_what_a_call_takes_is_what_the_pipeline_takes() -> None:
    """By the same names, and with the same defaults."""
    arguments = Settings().resolve(INSTRUCT_PIX2PIX_DEFAULTS).call_arguments()
    signature = inspect.signature(sav.StyleAVideoPipeline.__call__).parameters
    assert arguments.keys() <= signature.keys()
    assert CallSettings.model_fields.keys() <= signature.keys()
    for name in ("mask_refresh", "optimization", "batch_size", "negative_prompt", "fast", "noise"):
        assert signature[name].default == getattr(Settings(), name)


def test_a_constant_of_keyframes_can_be_swept() -> None:
    assert Settings(keyframes={"fade_frames": 2}).keyframes == KeyframeConfig(fade_frames=2)
    assert Settings().keyframes == DEFAULT_KEYFRAMES
    assert len(KeyframeConfig.model_fields) == 18


def test_every_flow_estimator_is_a_choice() -> None:
    folder = Path(sav.__file__).parent / "temporal" / "flow_estimators"
    assert set(FLOWS) == {path.stem for path in folder.glob("*.py")} - {"__init__"}


def test_every_setting_says_what_it_is() -> None:
    for kind in (Settings, KeyframeConfig):
        assert all((field.description or "").endswith(".") for field in kind.model_fields.values())

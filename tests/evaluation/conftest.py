"""A study of two clips on the tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest

from style_a_video.evaluation import studies
from tests.conftest import moving_picture, tiny_pipeline, write_clip

PENCIL = "Make it a pencil drawing."


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny pipeline, saved with settings that suit a test."""
    folder = tmp_path_factory.mktemp("model")
    pipeline = tiny_pipeline()
    pipeline.register_to_config(
        sampling_defaults={"size": 32, "num_inference_steps": 1, "guidance_scale": 1.5, "image_guidance_scale": 1.0}
    )
    pipeline.save_pretrained(folder)
    return folder


@pytest.fixture
def study(tmp_path: Path, model: Path) -> studies.Study:
    paths = [write_clip(tmp_path / f"{name}.mp4", moving_picture(4, 48, 32)) for name in ("first", "second")]
    return studies.prepare(paths, [PENCIL], tmp_path / "report", 3, str(model))

"""The real clips in ../shared/clips, where they are: the whole of each goes through `stylize` on the bundled model."""

from __future__ import annotations

from pathlib import Path

import pytest

import style_a_video as sav
from style_a_video.video import VideoReader
from tests.conftest import CLIPS, packets, times

NAMES = (
    "ballet-portrait-8fps",
    "car-turn",
    "cut-bunny-audio",
    "flamingo",
    "portrait-960x506",
    "skiing-2997-audio",
    "tea-pour",
    "wolf",
)


@pytest.fixture(scope="module")
def pipeline() -> sav.StyleAVideoPipeline:
    return sav.load_pipeline()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_real_clip(name: str, tmp_path: Path, pipeline: sav.StyleAVideoPipeline) -> None:
    source = CLIPS / f"{name}.mp4"
    if not source.is_file():
        pytest.skip(f"{source} is not here: the real clips are not part of the project")
    result = sav.stylize(
        source, "Make it an Ukiyo-e painting.", tmp_path / "out.mp4", pipeline=pipeline, size=96, num_inference_steps=1
    )
    before, after = VideoReader(source).info, VideoReader(result.output).info
    assert result.frames == before.frame_count == after.frame_count
    assert after.rate == before.rate
    assert after.time_base == before.time_base
    assert times(result.output) == times(source)
    assert abs(after.duration_s - before.duration_s) <= 1 / before.rate
    assert packets(source, "audio") == packets(result.output, "audio")

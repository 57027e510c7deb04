"""Segments: at cuts, and within long shots where an uncut stream has a border."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import style_a_video as sav
from style_a_video.segments import Segment, segments
from style_a_video.settings import INSTRUCT_PIX2PIX_DEFAULTS, ResolvedSettings, Settings
from style_a_video.stream import Border, stylized_stream
from style_a_video.video import VideoFrame


def resolved(**given: Any) -> ResolvedSettings:
    return Settings(**{"size": 64, **given}).resolve(INSTRUCT_PIX2PIX_DEFAULTS)


def film(*lengths: int) -> list[VideoFrame]:
    """Shots of one grey each, so that every cut is one."""
    greys = [30 + 190 * (shot % 2) for shot, length in enumerate(lengths) for _ in range(length)]
    return [VideoFrame(np.full((32, 32, 3), grey, np.uint8), number) for number, grey in enumerate(greys)]


def check(found: list[Segment], count: int) -> None:
    """They follow each other, and each has the frame before its first and what lies beyond its last."""
    assert [one.begin for one in found[1:]] == [one.end for one in found[:-1]]
    assert found[-1].end == count
    for one in found:
        begin = max(0, one.begin - 1)
        assert [frame.pts for frame in one.frames] == list(range(begin, begin + len(one.frames)))
        assert one.frames[-1].pts >= one.end - 1


@pytest.mark.parametrize("lengths", [(50, 60, 100, 30), (96, 96), (300, 100), (10,), (1, 400, 1), (1000,), (193, 50)])
def test_segments_cover_the_film(lengths: tuple[int, ...]) -> None:
    found = list(segments(film(*lengths), resolved()))
    check(found, sum(lengths))
    starts = {0, *np.cumsum(lengths).tolist()}
    assert all(one.goes_on == (one.begin not in starts) for one in found)
    assert all(one.end - one.begin <= 192 + 96 + 16 for one in found)


def test_short_shots_are_cut_at_cuts_only() -> None:
    found = list(segments(film(50, 60, 100, 30), resolved()))
    assert [(one.begin, one.goes_on) for one in found] == [(0, False), (110, False), (210, False)]


@pytest.mark.parametrize("given", [{"anchor": True}, {"noise": "warped"}])
def test_what_cannot_be_split_within_a_shot_is_not(given: dict[str, Any]) -> None:
    found = list(segments(film(400, 100), resolved(**given)))
    assert [one.end for one in found] == [400, 500]


@pytest.mark.parametrize(
    "given",
    [
        {"keyframe_interval": 4, "batch_size": 4}, {"keyframe_interval": 3, "batch_size": 8},
        {"keyframe_interval": 1, "batch_size": 3}, {"keyframe_interval": 1, "batch_size": 3, "refine": False},
    ],
)  # fmt: skip
@pytest.mark.parametrize("lengths", [(23,), (9, 30, 1, 14), (10, 13), (10,), (13, 3), (22, 9), (8,), (9, 4), (2, 8, 5)])
def test_made_apart_they_are_the_frames_of_one_stream(
    pipeline: sav.StyleAVideoPipeline, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], lengths: tuple[int, ...]
) -> None:
    """Also when it is gone on with at any of them."""
    monkeypatch.setattr("style_a_video.segments.PART_FRAMES", 5)
    monkeypatch.setattr("style_a_video.segments.LONGEST_PART", 7)
    frames = film(*lengths)
    settings = pipeline.resolve(Settings(num_inference_steps=1, **{"refine": False, **given}))
    whole = [one for one in stylized_stream(pipeline, iter(frames), "a cat", settings) if isinstance(one, VideoFrame)]
    borders = {0: Border(0, is_cut=True)}
    found = list(segments(frames, settings))
    assert [one.end for one in found] == [*_ends_of_parts(pipeline, settings, frames), len(frames)]
    for one in found:
        made, borders[one.end] = _made(pipeline, settings, one, borders[one.begin])
        assert [frame.pts for frame in made] == list(range(one.begin, one.end))
        for frame, expected in zip(made, whole[one.begin : one.end], strict=True):
            np.testing.assert_array_equal(frame.pixels, expected.pixels)
        rest = list(segments(frames[max(0, one.begin - 1) :], settings, one.begin, one.goes_on))
        assert [(two.begin, two.end) for two in rest] == [
            (two.begin, two.end) for two in found if two.begin >= one.begin
        ]


def _made(
    pipeline: sav.StyleAVideoPipeline, settings: ResolvedSettings, segment: Segment, begun: Border
) -> tuple[list[VideoFrame], Border]:
    made = []
    for item in stylized_stream(pipeline, iter(segment.frames), "a cat", settings, None, begun):
        if isinstance(item, VideoFrame):
            made.append(item)
        elif item.index == segment.end:
            return made, item
    return made, Border(segment.end, is_cut=True)


def _ends_of_parts(
    pipeline: sav.StyleAVideoPipeline, settings: ResolvedSettings, frames: list[VideoFrame]
) -> list[int]:
    """Where an uncut job begins new parts."""
    ends, begun, done = [], 0, 0
    for item in stylized_stream(pipeline, iter(frames), "a cat", settings):
        if isinstance(item, VideoFrame):
            done += 1
        elif done - begun >= (5 if item.is_cut else 7):
            ends.append(done)
            begun = done
    return ends

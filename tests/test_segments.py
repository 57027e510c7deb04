"""Segments: at cuts, and in long shots with what they need around them."""

from __future__ import annotations

import numpy as np
import pytest

from style_a_video.segments import Segment, segments
from style_a_video.settings import INSTRUCT_PIX2PIX_DEFAULTS, ResolvedSettings, Settings
from style_a_video.video import VideoFrame


def resolved(**given: object) -> ResolvedSettings:
    return Settings(**{"size": 64, **given}).resolve(INSTRUCT_PIX2PIX_DEFAULTS)


def film(*lengths: int) -> list[VideoFrame]:
    """Shots of one grey each, so that every cut is one."""
    greys = [30 + 190 * (shot % 2) for shot, length in enumerate(lengths) for _ in range(length)]
    return [VideoFrame(np.full((8, 8, 3), grey, np.uint8), number) for number, grey in enumerate(greys)]


def check(found: list[Segment], count: int, first: int = 0) -> None:
    """They follow each other, and each has the frame before the first it is made from."""
    assert [one.begin for one in found[1:]] == [one.end for one in found[:-1]]
    assert found[-1].end == count
    for one in found:
        assert one.frames[0].pts == max(first, one.made_from - 1)
        assert [frame.pts for frame in one.frames] == list(
            range(one.frames[0].pts, one.frames[0].pts + len(one.frames))
        )
        assert one.frames[-1].pts >= one.end - 1


@pytest.mark.parametrize("lengths", [(50, 60, 100, 30), (96, 96), (300, 100), (10,), (1, 400, 1)])
def test_segments_cover_the_film(lengths: tuple[int, ...]) -> None:
    found = list(segments(film(*lengths), resolved()))
    check(found, sum(lengths))
    cuts = np.cumsum(lengths).tolist()
    for one in found:
        assert one.end - one.begin <= 192 + 8 + 96
        if one.ends_at_cut:
            assert one.end in cuts
            assert one.frames[-1].pts == one.end - 1


def test_short_shots_are_cut_at_cuts_only() -> None:
    found = list(segments(film(50, 60, 100, 30), resolved()))
    assert [(one.begin, one.made_from, one.ends_at_cut) for one in found] == [
        (0, 0, True),
        (110, 110, True),
        (210, 210, True),
    ]


def test_a_long_shot_is_split_at_a_keyframe_with_an_overlap() -> None:
    found = list(segments(film(20, 500), resolved(keyframe_interval=8)))
    assert [(one.begin, one.made_from) for one in found] == [(0, 0), (196, 172), (388, 364)]
    assert all((one.begin - 20) % 8 == 0 for one in found[1:])
    assert found[0].frames[-1].pts == 196 + 16 - 1  # two keyframes beyond its end


def test_an_overlap_ends_at_the_cut_before() -> None:
    found = list(segments(film(185, 300), resolved(keyframe_interval=8)))
    # 96 frames are not reached at the first cut's end but by it: the second begins at the cut.
    assert (found[1].begin, found[1].made_from) == (185, 185)
    late = list(segments(film(90, 95, 300), resolved(keyframe_interval=8)))
    assert (late[0].end, late[0].ends_at_cut) == (185, True)


@pytest.mark.parametrize("given", [{"anchor": True}, {"noise": "warped"}])
def test_what_cannot_be_split_within_a_shot_is_not(given: dict[str, object]) -> None:
    found = list(segments(film(400, 100), resolved(**given)))
    assert [one.end for one in found] == [400, 500]


def test_going_on_at_a_border_gives_the_same_segments() -> None:
    frames, settings = film(20, 500, 30), resolved()
    whole = list(segments(frames, settings))
    for one in whole[1:]:
        first = max(0, one.begin - 24 - 1)
        rest = list(segments(frames[first:], settings, one.begin, first))
        assert [(two.begin, two.end) for two in rest] == [
            (two.begin, two.end) for two in whole if two.begin >= one.begin
        ]
        assert rest[0].made_from == one.made_from
        assert [frame.pts for frame in rest[0].frames] == [frame.pts for frame in one.frames]

"""Other systems, by their videos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import style_a_video as sav
from style_a_video.evaluation import methods, studies
from style_a_video.evaluation.cache import Cell
from style_a_video.evaluation.methods import Method, output_stem
from style_a_video.evaluation.runner import fill_cells
from tests.conftest import moving_picture, write_clip

PENCIL = "Make it a pencil drawing."


def fill(study: studies.Study, *methods: Method) -> list[Cell]:
    return fill_cells(study.work, methods, study.clips, study.prompts, study.encoder, study.pipeline, study.refiner)


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"count": 6}, "has 6 frames"), ({"rate": 30}, "frames/s"), ({"width": 32, "height": 48}, "another shape")],
)
def test_outputs_that_do_not_belong_to_the_clip(
    study: studies.Study, clip: Callable[..., Path], changed: dict[str, int], message: str
) -> None:
    stem = output_stem("first", PENCIL)
    path = clip(f"{stem}.mp4", **({"count": 4, "width": 48, "height": 32} | changed))
    with pytest.raises(sav.InputError, match=message):
        methods.from_outputs("Theirs", path.parent).run(study.clips[0], PENCIL)


def test_outputs_are_read_anew_and_cost_nothing_that_is_told(study: studies.Study, clip: Callable[..., Path]) -> None:
    stem = output_stem("first", PENCIL)
    path = clip(f"{stem}.mp4", count=3, width=48, height=32)
    (path.parent / f"{stem}.json").write_text("no video, and first in the alphabet")
    method = methods.from_outputs("Theirs", path.parent)
    one = fill(study, method)[0]
    assert one.means["seconds"] is None
    assert one.means["content"] == pytest.approx(1, abs=1e-3)
    write_clip(path, 255 - moving_picture(3, 48, 32))
    assert fill(study, method)[0].means["content"] != one.means["content"]

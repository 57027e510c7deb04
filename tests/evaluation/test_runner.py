"""Methods x clips x prompts: failures are rows, a stopped run goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from torch import Tensor

import style_a_video as sav
from style_a_video.evaluation import studies
from style_a_video.evaluation.cache import Cell
from style_a_video.evaluation.clips import Clip
from style_a_video.evaluation.media import heat_map
from style_a_video.evaluation.methods import Method
from style_a_video.evaluation.report.tables import table
from style_a_video.evaluation.runner import fill_cells
from style_a_video.frames import pixels_to_tensor

PENCIL = "Make it a pencil drawing."


def test_a_method_that_fails_is_a_row(study: studies.Study) -> None:
    def fail(_clip: Clip, _prompt: str) -> Tensor:
        raise sav.InputError("it has no legs")

    cells = fill_cells(
        study.work,
        [Method("lame", fail, {"x": 1})],
        study.clips,
        study.prompts,
        study.encoder,
        study.pipeline,
        study.refiner,
    )
    assert [cell.error for cell in cells] == ["it has no legs"] * 2
    assert not list(study.work.glob("*.json"))


def fill(study: studies.Study, *methods: Method) -> list[Cell]:
    return fill_cells(study.work, methods, study.clips, study.prompts, study.encoder, study.pipeline, study.refiner)


def test_a_stopped_study_goes_on(study: studies.Study) -> None:
    calls: list[str] = []

    def run(clip: Clip, _prompt: str) -> Tensor:
        calls.append(clip.name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return pixels_to_tensor(clip.pixels)

    method = Method("copy", run, {"x": 1})
    with pytest.raises(KeyboardInterrupt):
        fill(study, method)
    cells = fill(study, method)
    assert calls == ["first", "second", "second"]
    assert not any(cell.error for cell in cells)


def test_an_unforeseen_failure_is_a_row_too(study: studies.Study) -> None:
    cells = fill(study, Method("wrong shape", lambda clip, _: pixels_to_tensor(clip.pixels)[:, :, :8], {"x": 2}))
    assert all("is wanted" in cell.error for cell in cells)
    cells = fill(study, Method("broken", lambda *_: dict[str, Any]()["legs"], {"x": 3}))
    assert all("KeyError" in cell.error for cell in cells)


def test_heat_maps_are_the_mean_of_the_differences(study: studies.Study) -> None:
    """A picture that is black and 0.2 grey in turn: everywhere trusted, to the frame before it differs by 0.2."""
    pixels = np.zeros((3, 32, 48, 3), np.uint8)
    pixels[1] = 51
    still = Clip("still", np.full_like(pixels, 90), study.clips[0].rate, [0, 0, 0])
    cells = fill_cells(
        study.work,
        [Method("blink", lambda *_: pixels_to_tensor(pixels), {})],
        [still],
        [PENCIL],
        study.encoder,
        study.pipeline,
        study.refiner,
    )
    assert cells[0].means["warp_error_short"] == pytest.approx(0.2)
    assert cells[0].means["warp_error_long"] == pytest.approx(0.1)
    picture = np.asarray(PIL.Image.open(study.work / cells[0].heat_map))
    np.testing.assert_array_equal(picture[16, 20], heat_map(np.array([[0.2]]))[0, 0])
    np.testing.assert_array_equal(picture[16, 70], heat_map(np.array([[0.1]]))[0, 0])
    rows = np.asarray(PIL.Image.open(study.work / cells[0].time_slice))
    assert rows[:, 10, 0].tolist() == [0] * 8 + [51] * 8 + [0] * 8


def test_values_that_are_no_numbers_are_a_row_that_failed(study: studies.Study) -> None:
    """And leave the other rows as they are without it."""
    good = Method("good", lambda clip, _: pixels_to_tensor(clip.pixels), {"good": 1})
    bad = Method("bad", lambda clip, _: torch.full_like(pixels_to_tensor(clip.pixels), torch.nan), {"bad": 1})
    arguments = (study.clips, [PENCIL], study.encoder, study.pipeline, study.refiner)
    alone, both = (table(fill_cells(study.work, some, *arguments)) for some in ([good], [good, bad]))
    assert both[1].errors == ("it made values that are no numbers",)
    assert both[0].entries == alone[0].entries

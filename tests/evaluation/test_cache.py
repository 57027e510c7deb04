"""A kept result belongs to the model as it is."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

import style_a_video as sav
from style_a_video.evaluation import methods, studies
from style_a_video.evaluation.cache import Cell, cell_key, model_fingerprint
from style_a_video.evaluation.clips import Clip
from style_a_video.evaluation.encoders import bundled_encoder
from style_a_video.evaluation.methods import Method
from style_a_video.evaluation.runner import fill_cells
from style_a_video.models.loading import load_refiner

PENCIL = "Make it a pencil drawing."


def fill(study: studies.Study, *methods: Method) -> list[Cell]:
    return fill_cells(study.work, methods, study.clips, study.prompts, study.encoder, study.pipeline, study.refiner)


def test_a_kept_cell_belongs_to_the_model_as_it_is(study: studies.Study) -> None:
    """Same settings, other weights of the first stage, other defaults of the model: nothing old is shown."""
    method = methods.ours(study.pipeline, study.refiner)
    first = fill(study, method)
    assert fill(study, method) == first
    kept = len(list(study.work.glob("*.json")))
    study.pipeline.register_to_config(
        sampling_defaults=study.pipeline.config.sampling_defaults | {"guidance_scale": 6.0}
    )
    method = methods.ours(study.pipeline, study.refiner)
    changed = fill(study, method)
    assert len(list(study.work.glob("*.json"))) == 2 * kept
    assert [cell.means["style"] for cell in changed] != [cell.means["style"] for cell in first]
    with torch.no_grad():
        study.pipeline.vae.decoder.conv_out.bias += 0.3
    fill(study, method)
    assert len(list(study.work.glob("*.json"))) == 3 * kept
    # The scale of a first stage is no weight, yet changes pictures.
    study.pipeline.vae.register_to_config(scaling_factor=0.5)
    fill(study, method)
    assert len(list(study.work.glob("*.json"))) == 4 * kept
    # What is not whole is made again.
    for path in study.work.glob("*.mp4"):
        path.unlink()
    next(study.work.glob("*.json")).write_text("{")
    assert all(cell.means for cell in fill(study, method))


def test_a_model_that_was_moved_is_the_same_model(model: Path, tmp_path: Path) -> None:
    folders = model, Path(shutil.copytree(model, tmp_path / "moved"))
    clip = Clip("clip", np.zeros((2, 8, 8, 3), np.uint8), Fraction(10), [0, 0])
    keys = []
    for folder in folders:
        pipeline = sav.load_pipeline(folder, device="cpu")
        judge = bundled_encoder(pipeline, str(folder))
        fingerprint = model_fingerprint(pipeline, load_refiner())
        keys.append(
            cell_key(Method("copy", lambda clip, prompt: clip.picture(0), {"x": 1}), clip, PENCIL, judge, fingerprint)
        )
    assert keys[0] == keys[1]

"""The weights in the package: do their pictures have what the words ask for? (How good they are:
benchmarks/bundled_quality.py.)"""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pytest
import skimage.color
import torch

import style_a_video as sav
from style_a_video.models import bundled_folder
from style_a_video.optimization import clip_image_embedding, content_loss
from style_a_video.training.bundled import FAST_DEFAULTS, SAMPLING_DEFAULTS
from tests.conftest import moving_photograph


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A photograph, (1, 256, 300, 3)."""
    return moving_photograph("rocket", 1, 300, 256)


def lab(pipeline: sav.StyleAVideoPipeline, prompt: str, picture: np.ndarray, **settings: Any) -> np.ndarray:
    return skimage.color.rgb2lab(
        pipeline(prompt, picture, generator=torch.Generator().manual_seed(0), **settings).frames[0]
    )


@pytest.mark.parametrize("fast", [False, True])
def test_monochrome_media_have_one_hue_where_the_photograph_has_many(
    bundled: sav.StyleAVideoPipeline, picture: np.ndarray, fast: bool
) -> None:
    chroma = np.hypot(*np.moveaxis(skimage.color.rgb2lab(picture[0] / 255.0), 2, 0)[1:])
    assert chroma.mean() > 10
    for prompt in ("Make it a pencil drawing.", "a linocut", "cross-hatching"):
        assert np.hypot(*np.moveaxis(lab(bundled, prompt, picture, fast=fast), 2, 0)[1:]).mean() < 0.4 * chroma.mean()
    blue = lab(bundled, "Turn it into a cyanotype.", picture, fast=fast)
    assert blue[..., 2].mean() < -12
    brown = lab(bundled, "a sepia photograph", picture, fast=fast)
    assert brown[..., 2].mean() > 8


def test_palette_words_move_the_colour_of_a_medium(bundled: sav.StyleAVideoPipeline, picture: np.ndarray) -> None:
    """The same medium, three palettes: each moves the mean colour to its own side."""
    green, blue, pink = (
        lab(bundled, f"Make it a watercolor painting, {words}", picture).mean((0, 1))
        for words in ("in forest green", "in night blue", "in rose pink")
    )
    assert green[1] < pink[1] - 10
    assert blue[2] < green[2] - 10
    assert blue[0] < pink[0]


def test_structure_is_kept(bundled: sav.StyleAVideoPipeline, picture: np.ndarray) -> None:
    """The lightness of a painting, blurred past its strokes, follows the photograph's."""
    import cv2

    before, after = (
        cv2.GaussianBlur(image[..., 0], (0, 0), 6).ravel()
        for image in (skimage.color.rgb2lab(picture[0] / 255.0), lab(bundled, "Make it an oil painting.", picture))
    )
    assert np.corrcoef(before, after)[0, 1] > 0.9


def test_the_folder_holds_what_the_recipe_says() -> None:
    index = json.loads((bundled_folder() / "model_index.json").read_text())
    assert index["sampling_defaults"] == SAMPLING_DEFAULTS
    assert index["fast_defaults"] == FAST_DEFAULTS
    assert not [path for path in bundled_folder().rglob("*.json") if "_name_or_path" in path.read_text()]


def test_a_prompt_that_is_far_from_all_styles_is_told_of_from_python_too(bundled: sav.StyleAVideoPipeline) -> None:
    with pytest.warns(UserWarning, match="far from every style that the model knows; the nearest is"):
        bundled.encode_prompt("qwertz uiop")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bundled.encode_prompt("Make it a pencil drawing.")
        bundled.encode_prompt("graphite lines scribbled on a page")
        bundled.encode_prompt("qwertz uiop", allow_empty=True)


@pytest.mark.parametrize("optimization", ["decoder", "exact"])
def test_the_content_weight_draws_a_picture_to_its_frame(
    bundled: sav.StyleAVideoPipeline, picture: np.ndarray, optimization: str
) -> None:
    """As φ sees it: the more, the nearer."""
    embed = clip_image_embedding(bundled.image_encoder, bundled.feature_extractor)

    def phi(image: np.ndarray) -> torch.Tensor:
        return embed(torch.from_numpy(image).permute(0, 3, 1, 2).float())

    losses = []
    for weight in (0.0, 30.0, 90.0):
        settings = {"content_weight": weight, "optimization": optimization, "num_inference_steps": 2}
        found = bundled("an ukiyo-e print", picture, generator=torch.Generator().manual_seed(0), **settings)
        losses.append(float(content_loss(phi(found.frames), phi(picture / 255.0))))
    assert losses[0] - losses[1] > 0.005
    assert losses[1] - losses[2] > 0.005


def test_a_content_weight_without_effect_is_refused(bundled: sav.StyleAVideoPipeline, picture: np.ndarray) -> None:
    with pytest.raises(sav.InputError, match="take two, or optimization 'exact'"):
        bundled("an ukiyo-e print", picture, content_weight=1.0)

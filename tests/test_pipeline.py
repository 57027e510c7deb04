"""StyleAVideoPipeline: equal to its diffusers peer, and a good diffusers citizen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    StableDiffusionInstructPix2PixPipeline,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import style_a_video as sav
from style_a_video.frames import pad_to_multiple, video_to_tensor
from style_a_video.models import bundled_folder
from tests.conftest import moving_picture, tiny_pipeline

QUICK: dict[str, Any] = {"num_inference_steps": 2, "guidance_scale": 3.0, "image_guidance_scale": 1.5}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)


def frames(count: int = 3, height: int = 16, width: int = 24) -> np.ndarray:
    return moving_picture(count, width, height)


def peer_of(pipeline: sav.StyleAVideoPipeline) -> StableDiffusionInstructPix2PixPipeline:
    peer = StableDiffusionInstructPix2PixPipeline(
        pipeline.vae,
        pipeline.text_encoder,
        pipeline.tokenizer,
        pipeline.unet,
        pipeline.scheduler,
        None,
        None,
        requires_safety_checker=False,
    )
    peer.set_progress_bar_config(disable=True)
    return peer


@pytest.mark.parametrize("scheduler", [DDIMScheduler, EulerDiscreteScheduler, DPMSolverMultistepScheduler])
@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("scales", [(3.0, 1.5), (7.5, 1.2), (2.0, 2.0)])
def test_same_numbers_as_diffusers(
    pipeline: sav.StyleAVideoPipeline, scheduler: Any, prediction_type: str, scales: Any
) -> None:
    pipeline.scheduler = scheduler(prediction_type=prediction_type)
    image = torch.rand(1, 3, 16, 24, generator=seeded(5))
    theirs = peer_of(pipeline)(
        "a pencil drawing",
        image=image,
        num_inference_steps=4,
        guidance_scale=scales[0],
        image_guidance_scale=scales[1],
        generator=seeded(),
        output_type="np",
    ).images
    ours = pipeline(
        "a pencil drawing", image, num_inference_steps=4, guidance_scale=scales[0], image_guidance_scale=scales[1],
        mask_guidance_scale=0.0, content_weight=0.0, guidance="joint", generator=seeded(),
    ).frames  # fmt: skip
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


@pytest.mark.parametrize("scheduler", [DDIMScheduler, EulerDiscreteScheduler])
def test_same_numbers_as_diffusers_on_the_bundled_folder(bundled: sav.StyleAVideoPipeline, scheduler: Any) -> None:
    """That pipeline opens our folder, and paints the same picture."""
    peer = StableDiffusionInstructPix2PixPipeline.from_pretrained(
        bundled_folder(), safety_checker=None, dtype=torch.float32
    )
    peer.set_progress_bar_config(disable=True)
    peer.scheduler = scheduler.from_config(bundled.scheduler.config)
    ours = sav.StyleAVideoPipeline(
        **bundled.components | {"scheduler": scheduler.from_config(bundled.scheduler.config)}
    )
    image = torch.from_numpy(moving_picture(1, 96, 64)).permute(0, 3, 1, 2) / 255.0
    arguments: dict[str, Any] = {"num_inference_steps": 4, "guidance_scale": 3.0, "image_guidance_scale": 1.2}
    theirs = peer("Make it an Ukiyo-e painting.", image=image, generator=seeded(), output_type="np", **arguments).images
    mine = ours(
        "Make it an Ukiyo-e painting.",
        image,
        generator=seeded(),
        guidance="joint",
        mask_guidance_scale=0.0,
        content_weight=0.0,
        **arguments,
    ).frames
    np.testing.assert_allclose(mine, theirs, atol=1e-3)


@pytest.mark.parametrize(
    "mode",
    [
        {"guidance": "independent", "mask_guidance_scale": 0.5, "mask_refresh": "exact"},
        {"guidance": "independent", "mask_guidance_scale": 0.5, "mask_refresh": "lagged"},
        {"guidance": "joint", "content_weight": 0.5, "optimization": "exact"},
        {"guidance": "joint", "content_weight": 0.5, "optimization": "decoder", "mask_guidance_scale": 0.5},
    ],
)
@pytest.mark.parametrize("scheduler", [DDIMScheduler, EulerDiscreteScheduler])
def test_every_mode_gives_pictures(pipeline: sav.StyleAVideoPipeline, mode: dict[str, Any], scheduler: Any) -> None:
    pipeline.scheduler = scheduler()
    base = pipeline("a cat", frames(), generator=seeded(), guidance=mode["guidance"], **QUICK).frames
    result = pipeline("a cat", frames(), generator=seeded(), **mode, **QUICK).frames
    assert result.shape == (3, 16, 24, 3)
    assert np.isfinite(result).all()
    assert result.min() >= 0
    assert result.max() <= 1
    assert np.abs(result - base).max() > 0


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
def test_every_prediction_type(pipeline: sav.StyleAVideoPipeline, prediction_type: str) -> None:
    pipeline.scheduler = DDIMScheduler(prediction_type=prediction_type)
    result = pipeline("a cat", frames(1), generator=seeded(), content_weight=0.1, **QUICK).frames
    assert np.isfinite(result).all()


def test_output_types_agree(pipeline: sav.StyleAVideoPipeline) -> None:
    array, tensor, images = (
        pipeline("a cat", frames(), generator=seeded(), output_type=kind, **QUICK).frames
        for kind in ("np", "pt", "pil")
    )
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, tensor.permute(0, 2, 3, 1).numpy())
    np.testing.assert_array_equal(
        np.round(array * 255).astype(np.uint8), np.stack([np.asarray(image) for image in images])
    )


def test_input_kinds_agree(pipeline: sav.StyleAVideoPipeline) -> None:
    video = frames()
    kinds: list[Any] = [
        video,
        (video / 255).astype(np.float32),
        torch.from_numpy(video).permute(0, 3, 1, 2),
        torch.from_numpy(video).permute(0, 3, 1, 2) / 255,
        [PIL.Image.fromarray(frame) for frame in video],
    ]
    results = [pipeline("a cat", kind, generator=seeded(), **QUICK).frames for kind in kinds]
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], atol=1e-5)


@pytest.mark.parametrize("noise", ["shared", "independent"])
def test_batch_size_does_not_change_the_result(pipeline: sav.StyleAVideoPipeline, noise: Any) -> None:
    one, all_at_once = (
        pipeline(
            "a cat", frames(5), generator=seeded(), noise=noise, batch_size=size, mask_guidance_scale=0.5, **QUICK
        ).frames
        for size in (1, 5)
    )
    np.testing.assert_allclose(one, all_at_once, atol=1e-4)


def test_seed_decides(pipeline: sav.StyleAVideoPipeline) -> None:
    first, again, other = (pipeline("a cat", frames(), generator=seeded(seed), **QUICK).frames for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_shared_noise_treats_equal_frames_equally(pipeline: sav.StyleAVideoPipeline) -> None:
    still = np.repeat(frames(1), 3, axis=0)
    shared = pipeline("a cat", still, generator=seeded(), noise="shared", **QUICK).frames
    independent = pipeline("a cat", still, generator=seeded(), noise="independent", **QUICK).frames
    assert np.abs(shared[0] - shared[2]).max() < 1e-4
    assert np.abs(independent[0] - independent[2]).max() > 1e-3


@settings(max_examples=12, deadline=None)
@given(st.integers(3, 21), st.integers(3, 21))
def test_any_size_comes_back_unstretched(height: int, width: int) -> None:
    result = tiny_pipeline()(
        "a cat", frames(1, height, width), generator=seeded(), **QUICK | {"num_inference_steps": 1}
    ).frames
    assert result.shape == (1, height, width, 3)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 16))
def test_padding_repeats_the_border_and_crops_back(height: int, width: int, multiple: int) -> None:
    picture = torch.rand(1, 3, height, width)
    padded = pad_to_multiple(picture, multiple)
    assert padded.shape[2] % multiple == padded.shape[3] % multiple == 0
    assert padded.shape[2] - height < multiple
    torch.testing.assert_close(padded[..., :height, :width], picture)
    torch.testing.assert_close(padded[..., :height, -1], picture[..., -1])


def test_callback_sees_every_step_and_may_change_latents(pipeline: sav.StyleAVideoPipeline) -> None:
    seen: list[int] = []

    def callback(pipe: Any, step: int, timestep: Any, given: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        seen.append(step)
        assert pipe is pipeline
        return {"latents": torch.zeros_like(given["latents"])}

    zeroed = pipeline("a cat", frames(1), generator=seeded(), callback_on_step_end=callback, **QUICK).frames
    assert seen == [0, 1]
    expected = pipeline.decode_latents(torch.zeros(1, 4, 8, 12)).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(zeroed, expected, atol=1e-5)


def test_given_latents_are_the_noise(pipeline: sav.StyleAVideoPipeline) -> None:
    noise = torch.randn(1, 4, 8, 12, generator=seeded(4))
    np.testing.assert_allclose(
        pipeline("a cat", frames(1), latents=noise, **QUICK).frames,
        pipeline("a cat", frames(1), generator=seeded(4), **QUICK).frames,
        atol=1e-6,
    )
    with pytest.raises(sav.InputError, match="need"):
        pipeline("a cat", frames(1), latents=noise[:, :2], **QUICK)


def test_negative_prompt_is_the_missing_text(pipeline: sav.StyleAVideoPipeline) -> None:
    plain = pipeline("a cat", frames(1), generator=seeded(), **QUICK).frames
    negative = pipeline("a cat", frames(1), generator=seeded(), negative_prompt="a drawing", **QUICK).frames
    assert np.abs(plain - negative).max() > 1e-4


def test_long_prompt_says_what_is_lost(pipeline: sav.StyleAVideoPipeline) -> None:
    with pytest.warns(UserWarning, match="zebra"):
        pipeline("a cat " * 40 + "zebra", frames(1), generator=seeded(), **QUICK)


def test_round_trip(pipeline: sav.StyleAVideoPipeline, tmp_path: Path) -> None:
    pipeline.register_to_config(sampling_defaults={"num_inference_steps": 3, "size": 64})
    pipeline.save_pretrained(tmp_path / "model")
    assert not list(tmp_path.rglob("*.bin"))
    again = sav.StyleAVideoPipeline.from_pretrained(tmp_path / "model")
    assert again.defaults()["num_inference_steps"] == 3
    again.set_progress_bar_config(disable=True)
    first, second = (pipe("a cat", frames(1), generator=seeded(), **QUICK).frames for pipe in (pipeline, again))
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_fast_is_one_evaluation_where_the_model_says_so(pipeline: sav.StyleAVideoPipeline) -> None:
    pipeline.register_to_config(
        sampling_defaults={"num_inference_steps": 3, "guidance_scale": 2.0},
        fast_defaults={"num_inference_steps": 1, "guidance_scale": 1.0, "image_guidance_scale": 1.0},
    )
    batches: list[int] = []
    pipeline.unet.register_forward_pre_hook(lambda _module, arguments: batches.append(len(arguments[0])))
    fast = pipeline("a cat", frames(2), generator=seeded(), fast=True).frames
    assert batches == [2]
    by_hand = pipeline(
        "a cat", frames(2), generator=seeded(), num_inference_steps=1, guidance_scale=1.0, image_guidance_scale=1.0
    ).frames
    np.testing.assert_array_equal(fast, by_hand)
    # What a person sets is kept.
    batches.clear()
    pipeline("a cat", frames(2), generator=seeded(), fast=True, num_inference_steps=2)
    assert batches == [2, 2]


def test_a_model_without_a_fast_mode_says_so(pipeline: sav.StyleAVideoPipeline) -> None:
    with pytest.raises(sav.InputError, match="no fast mode"):
        pipeline("a cat", frames(1), fast=True)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"prompt": "  "}, "prompt is empty"),
        ({"guidance_scale": float("nan")}, "guidance_scale is nan"),
        ({"content_weight": float("inf")}, "content_weight is inf"),
        ({"content_weight": -1.0}, "0 or more"),
        ({"num_inference_steps": 0}, "1 or more"),
        ({"guidance": "both"}, "'independent' or 'joint'"),
        ({"mask_refresh": "never"}, "'exact' or 'lagged'"),
        ({"noise": "none"}, "'shared' or 'independent'"),
        ({"output_type": "gif"}, "'np', 'pil' or 'pt'"),
        ({"video": np.zeros((0, 8, 8, 3))}, "shape"),
        ({"video": np.zeros((8, 8, 3))}, "shape"),
        ({"video": np.full((1, 8, 8, 3), 200.0)}, "outside"),
        ({"video": []}, "PIL"),
        ({"generator": [torch.Generator()] * 7}, "7 generators"),
    ],
)
def test_bad_arguments_get_one_line(pipeline: sav.StyleAVideoPipeline, bad: dict[str, Any], message: str) -> None:
    with pytest.raises(sav.InputError, match=message) as caught:
        pipeline(**{"prompt": "a cat", "video": frames(1)} | bad)
    assert "\n" not in str(caught.value)


def test_content_weight_needs_an_image_encoder(pipeline: sav.StyleAVideoPipeline) -> None:
    pipeline.image_encoder = None
    with pytest.raises(sav.InputError, match="no image encoder"):
        pipeline("a cat", frames(1), content_weight=1.0, **QUICK)


def test_frames_of_different_sizes() -> None:
    with pytest.raises(sav.InputError, match="differ in size"):
        video_to_tensor([PIL.Image.new("RGB", (8, 8)), PIL.Image.new("RGB", (8, 9))])


def test_initial_frames_are_noised_as_the_schedule_says_and_take_the_last_steps(
    pipeline: sav.StyleAVideoPipeline,
) -> None:
    """z_t = √ᾱ_t·s·E(x) + √(1 − ᾱ_t)·n at the first of the last 2 of 4 steps, and as many calls of the UNet."""
    seen: list[tuple[torch.Tensor, int]] = []
    pipeline.unet.register_forward_pre_hook(lambda _, arguments: seen.append((arguments[0], int(arguments[1]))))
    begun = torch.rand(2, 3, 16, 24, generator=seeded(1))
    noise = torch.randn(1, 4, 8, 12, generator=seeded(2))
    settings: dict[str, Any] = {"guidance_scale": 1.0, "image_guidance_scale": 1.0, "num_inference_steps": 4}
    pipeline("a cat", frames(2), latents=noise, initial_frames=begun, initial_strength=0.5, **settings)
    assert len(seen) == 2
    alpha = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000, dtype=np.float64))[seen[0][1]]
    assert 200 <= seen[0][1] <= 400
    clean = pipeline.vae.encode(begun * 2 - 1).latent_dist.mode().numpy() * pipeline.vae.config.scaling_factor
    wanted = np.sqrt(alpha) * clean + np.sqrt(1 - alpha) * noise.numpy()
    np.testing.assert_allclose(seen[0][0][:, :4].numpy(), wanted, atol=1e-5)


def test_initial_frames_and_full_strength_still_take_every_step(pipeline: sav.StyleAVideoPipeline) -> None:
    calls: list[int] = []
    pipeline.unet.register_forward_pre_hook(lambda _, arguments: calls.append(int(arguments[1])))
    pipeline("a cat", frames(1), initial_frames=torch.rand(1, 3, 16, 24), num_inference_steps=3)
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"initial_strength": 0.5}, "it is for initial_frames"),
        ({"initial_strength": 0.0, "initial_frames": torch.rand(3, 3, 16, 24)}, "more than 0"),
        ({"initial_strength": 0.5, "initial_frames": torch.rand(2, 3, 16, 24)}, "the video is"),
    ],
)
def test_bad_initial_frames(pipeline: sav.StyleAVideoPipeline, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(sav.InputError, match=message):
        pipeline("a cat", frames(3), num_inference_steps=2, **arguments)


@pytest.mark.parametrize("scheduler", ["ddim", "euler", "dpm++"])
def test_without_strength_the_result_is_the_frame(pipeline: sav.StyleAVideoPipeline, scheduler: str) -> None:
    """As the first stage renders it, whatever the steps between."""
    pictures = frames(2)
    video = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    kept = pipeline.decode_latents(pipeline.encode_frames(video) * pipeline.vae.config.scaling_factor)
    other = pipeline.with_scheduler(scheduler)
    found = other("a cat", video, strength=0.0, num_inference_steps=4, output_type="pt").frames
    torch.testing.assert_close(found, kept, atol=1e-3, rtol=0)
    half = other("a cat", video, strength=0.5, num_inference_steps=4, output_type="pt").frames
    whole = other("a cat", video, num_inference_steps=4, output_type="pt").frames
    assert (kept - half).abs().mean() < (kept - whole).abs().mean()


def test_one_step_of_half_strength_goes_half_the_way(pipeline: sav.StyleAVideoPipeline) -> None:
    """In latents: x̂_0 lies in the middle between the frame's and the style's."""
    video = torch.from_numpy(frames(1)).permute(0, 3, 1, 2).float() / 255
    ends: list[torch.Tensor] = []

    def keep(_: Any, step: int, timestep: Any, given: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        ends.append(given["latents"])
        return {}

    other = pipeline.with_scheduler("euler")  # the tests' DDIM clips x̂_0
    for strength in (0.0, 0.5, 1.0):
        settings: dict[str, Any] = {"num_inference_steps": 1, "generator": seeded(), "callback_on_step_end": keep}
        other("a cat", video, strength=strength, **settings)
    torch.testing.assert_close(ends[1], (ends[0] + ends[2]) / 2, atol=1e-4, rtol=1e-4)

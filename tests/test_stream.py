"""The stream of frames: noise, keyframes, anchor and refiner on a tiny random model."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from diffusers import EulerAncestralDiscreteScheduler

import style_a_video as sav
from style_a_video.models.loading import load_refiner
from style_a_video.settings import Settings
from style_a_video.stream import Model, Moment, Run, frames_between, keyframe_segments, stylized_frames, with_noise
from style_a_video.temporal import Motion, Refiner, anchor_attention, dis_flow, with_motion
from style_a_video.temporal.propagation import fine_marks, with_marks
from style_a_video.temporal.refiner import MOST_KEPT
from style_a_video.video import ShotDetector, VideoFrame

from .conftest import tiny_pipeline

ONE_STEP = {"num_inference_steps": 1}


def texture(seed: int, height: int = 48, width: int = 160) -> np.ndarray:
    """Something to see everywhere, (height, width, 3) uint8, that moves as one."""
    grain = np.random.default_rng(seed).integers(60, 110, (height // 4, width // 4, 3), dtype=np.uint8)
    return np.asarray(PIL.Image.fromarray(grain).resize((width, height), PIL.Image.Resampling.BICUBIC))


def shot(seed: int, count: int, speed: int = 2) -> list[np.ndarray]:
    """A camera that moves to the right."""
    return [texture(seed)[:, speed * t : speed * t + 64] for t in range(count)]


def video(pictures: list[np.ndarray]) -> list[VideoFrame]:
    return [VideoFrame(pixels, k) for k, pixels in enumerate(pictures)]


def stylized(
    pipeline: sav.StyleAVideoPipeline, pictures: list[np.ndarray], refiner: Refiner | None = None, **settings: Any
) -> np.ndarray:
    """(T, H, W, 3) float64, of 255."""
    found = stylized_frames(pipeline, video(pictures), "a cat", Settings(**ONE_STEP | settings), refiner)
    return np.stack([frame.pixels for frame in found]).astype(float)


class Evaluations:
    """How many samples the UNet was asked for."""

    def __init__(self, pipeline: sav.StyleAVideoPipeline) -> None:
        self.count = 0
        pipeline.unet.register_forward_pre_hook(self.add)

    def add(self, _module: Any, arguments: Any) -> None:
        self.count += len(arguments[0])


def noise_fields(pipeline: sav.StyleAVideoPipeline, pictures: np.ndarray, noise: str) -> np.ndarray:
    stream = with_motion(video(list(pictures)), dis_flow(), ShotDetector().begins_shot)
    settings = Settings(noise=noise, seed=4)
    return np.stack([moment.noise[0].numpy() for moment in with_noise(pipeline, stream, settings)])


def test_warped_noise_moves_with_the_picture_and_starts_anew_at_a_cut(pipeline: sav.StyleAVideoPipeline) -> None:
    """4 pixels to the right in every frame: two of the tiny model's latent cells."""
    grain = np.random.default_rng(0).integers(60, 110, (24, 60, 3), dtype=np.uint8)
    texture = np.asarray(PIL.Image.fromarray(grain).resize((480, 96), PIL.Image.Resampling.BICUBIC))
    shot = np.stack([texture[:, 200 - 4 * t : 328 - 4 * t] for t in range(4)])
    fields = noise_fields(pipeline, np.concatenate([shot, 255 - shot[:, ::-1]]), "warped")
    cells = 4 // pipeline.vae_scale_factor
    inner = np.s_[:, 8:-8, 16:-16]
    followed = np.corrcoef(fields[3][inner].ravel(), np.roll(fields[0], 3 * cells, axis=2)[inner].ravel())[0, 1]
    stayed = np.corrcoef(fields[3][inner].ravel(), fields[0][inner].ravel())[0, 1]
    assert followed > 0.7
    assert abs(stayed) < 0.15
    np.testing.assert_allclose(fields[4], fields[0], atol=1e-5)
    assert np.abs(fields[5] - fields[4]).max() > 0.1


def test_shared_and_independent_noise(pipeline: sav.StyleAVideoPipeline) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3), dtype=np.uint8)
    shared, independent = (noise_fields(pipeline, pictures, noise) for noise in ("shared", "independent"))
    assert np.array_equal(shared[0], shared[2])
    assert abs(np.corrcoef(independent[0].ravel(), independent[1].ravel())[0, 1]) < 0.15
    assert np.array_equal(shared[0], independent[0])


@pytest.mark.parametrize("noise", ["shared", "independent"])
def test_noise_that_a_scheduler_draws_at_its_steps_is_shared_as_that_of_the_start(noise: str) -> None:
    pipeline = tiny_pipeline()
    pipeline.scheduler = EulerAncestralDiscreteScheduler.from_config(pipeline.scheduler.config)
    pictures = [texture(0)[:, :64]] * 3
    settings = {"keyframe_interval": 1, "noise": noise, "num_inference_steps": 3}
    one, three = (stylized(pipeline, pictures, batch_size=size, **settings) for size in (1, 3))
    np.testing.assert_allclose(one, three, atol=1)
    assert (float(np.abs(one[0] - one[1]).max()) <= 1) == (noise == "shared")
    drawn: list[torch.Tensor] = []
    step = pipeline.scheduler.step

    @functools.wraps(step)
    def watched(*arguments: Any, generator: list[torch.Generator], **named: Any) -> Any:
        drawn.append(torch.randn(4, generator=generator[0].clone_state()))
        return step(*arguments, generator=generator, **named)

    pipeline.scheduler.step = watched
    stylized(pipeline, pictures[:1], **settings)
    start = noise_fields(pipeline, np.stack(pictures[:1]), noise).ravel()[:4]
    assert np.abs(drawn[0].numpy() - start).max() > 0.1


def test_what_a_scheduler_draws_between_keyframes_does_not_depend_on_the_batch_size() -> None:
    """Keyframes and what is filled in between them are asked for in another order then."""
    pipeline = tiny_pipeline()
    pipeline.scheduler = EulerAncestralDiscreteScheduler.from_config(pipeline.scheduler.config)
    pictures = [texture(5)[:, :128].copy() for _ in range(9)]
    for k in (1, 4, 7):
        pictures[k][:, 20:64] = 150
    settings = {"keyframe_interval": 3, "noise": "independent", "num_inference_steps": 3}
    evaluations = Evaluations(pipeline)
    stylized(pipeline, [pictures[0]] * 9, **settings)
    keyframes, evaluations.count = evaluations.count, 0
    one = stylized(pipeline, pictures, batch_size=1, **settings)
    assert evaluations.count > keyframes
    np.testing.assert_allclose(one, stylized(pipeline, pictures, batch_size=9, **settings), atol=1)


def moment(number: int, cut: bool) -> Moment:
    still = Motion(*torch.zeros(5, 1, 2, 1, 1))
    return Moment(VideoFrame(np.zeros((1, 1, 3), np.uint8), number), None if cut else still, torch.zeros(1), 0, number)


def test_a_keyframe_at_every_interval_and_at_both_ends_of_a_shot() -> None:
    cuts = {0, 4, 5}
    segments = keyframe_segments((moment(k, k in cuts) for k in range(13)), 3)
    assert [[m.frame.pts for m in segment] for segment in segments] == [
        [0, 1, 2],
        [3],
        [4],
        [5, 6, 7],
        [8, 9, 10],
        [11],
        [12],
    ]


@pytest.mark.parametrize(("interval", "batch_size"), [(1, 2), (4, 1), (3, 9)])
def test_no_more_frames_are_read_ahead_than_two_intervals_and_a_batch(
    pipeline: sav.StyleAVideoPipeline, interval: int, batch_size: int
) -> None:
    read = 0

    def source() -> Iterator[VideoFrame]:
        nonlocal read
        for frame in video(shot(10, 30)):
            read += 1
            yield frame

    settings = Settings(**ONE_STEP, keyframe_interval=interval, batch_size=batch_size)
    for done, _ in enumerate(stylized_frames(pipeline, source(), "a cat", settings, load_refiner())):
        assert read - done <= 2 * interval + batch_size


def test_a_still_shot_is_its_first_keyframe_and_costs_no_more_than_its_ends(pipeline: sav.StyleAVideoPipeline) -> None:
    pictures = [texture(1)[:, :64]] * 7
    evaluations = Evaluations(pipeline)
    whole = stylized(pipeline, pictures, keyframe_interval=7)
    alone = evaluations.count
    assert np.abs(whole - whole[0]).max() <= 1
    evaluations.count = 0
    stylized(pipeline, pictures[:1])
    assert alone == 2 * evaluations.count


def test_frames_between_move_with_the_picture(pipeline: sav.StyleAVideoPipeline) -> None:
    """Noise of their own would make them differ; they are the keyframe, moved by 2 pixels a frame."""
    pictures = shot(2, 4)
    found = stylized(pipeline, pictures, keyframe_interval=8, noise="independent")
    inner = np.s_[6:-6, 6:-12]
    moved = np.abs(found[3][inner] - found[0][6:-6, 12:-6]).mean()
    in_full = stylized(pipeline, pictures, keyframe_interval=1, noise="independent")
    assert moved < 0.2 * np.abs(in_full[3][inner] - in_full[0][6:-6, 12:-6]).mean()


@pytest.mark.parametrize(
    "settings",
    [{"keyframe_interval": 3}, {"keyframe_interval": 2, "anchor": True}, {"keyframe_interval": 1, "noise": "warped"}],
)
@pytest.mark.parametrize("refines", [False, True])
def test_no_shot_leaves_a_trace_in_the_next(
    pipeline: sav.StyleAVideoPipeline, settings: dict[str, Any], refines: bool
) -> None:
    """A shot, a flash, a black frame, another shot: each as if it stood alone."""
    refiner = load_refiner() if refines else None
    first, second = shot(3, 5), [255 - picture for picture in shot(4, 4)]
    flash, black = np.full_like(first[0], 255), np.zeros_like(first[0])
    together = stylized(pipeline, [*first, flash, black, *second], refiner, **settings)
    for pictures, where in (
        (first, slice(0, 5)),
        ([flash], slice(5, 6)),
        ([black], slice(6, 7)),
        (second, slice(7, 11)),
    ):
        assert np.abs(together[where] - stylized(pipeline, pictures, refiner, **settings)).max() <= 1


def test_the_model_fills_in_what_no_keyframe_shows(pipeline: sav.StyleAVideoPipeline) -> None:
    """A sheet slides over the picture and back: what it shows in between, no keyframe ever did."""
    pictures = [texture(5)[:, :128].copy() for _ in range(5)]
    pictures[2][:, 20:44] = 150
    evaluations = Evaluations(pipeline)
    stylized(pipeline, [pictures[0]] * 5, keyframe_interval=4)
    quiet, evaluations.count = evaluations.count, 0
    found = stylized(pipeline, pictures, keyframe_interval=4)
    assert evaluations.count > quiet
    assert np.abs(found[2] - found[0])[:, 26:38].mean() > 2 * np.abs(found[2] - found[0])[:, 90:].mean()


class Painter:
    """A model that fills in ever brighter grey, and remembers where."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def from_the_middle(self, moments: list[Moment], begun: list[torch.Tensor]) -> list[torch.Tensor]:
        self.asked += [moment.frame.pts for moment in moments]
        return [torch.full_like(picture, 0.4 * len(self.asked)) for picture in begun]


def still_run(holes: list[slice | None]) -> Run:
    """A black shot that stands still. At frame k nothing leads back from the columns `holes[k]`, which are white from then on; in a last frame
    all is black again."""
    still, ones = torch.zeros(1, 2, 32, 48), torch.ones(1, 1, 32, 48)
    pixels = np.zeros((len(holes) + 1, 32, 48, 3), np.uint8)
    masks = [ones.clone() for _ in pixels]
    for k, hole in enumerate(holes):
        if hole:
            masks[k][..., 8:24, hole] = masks[-1][..., 8:24, hole] = 0
            pixels[k:-1, 8:24, hole] = 255
    motions = [None, *(Motion(still, mask, still, ones, 0 * ones) for mask in masks[1:-1])]
    motions.append(Motion(still, masks[-1], still, masks[-1], 0 * ones))
    moments = [Moment(VideoFrame(pixels[k], k), motion, torch.empty(0), 0, k) for k, motion in enumerate(motions)]
    return Run.of(moments)


def pictures_between(painter: Painter, run: Run, first: torch.Tensor, last: torch.Tensor) -> list[torch.Tensor]:
    end = len(run.moments) - 1
    before, after = run.reference(0, first, range(1, end + 1)), run.reference(end, last, range(1, end))
    return [picture for _, picture in frames_between(painter, run, before, after)]  # type: ignore[arg-type]


def grey(light: float) -> torch.Tensor:
    return torch.full((1, 3, 32, 48), light)


def test_what_the_model_filled_in_is_carried_on_and_not_asked_for_again() -> None:
    """A patch that no keyframe shows: one request, and the same patch in every frame."""
    painter = Painter()
    pictures = pictures_between(painter, still_run([None, slice(8, 24), None, None]), grey(0.0), grey(0.0))
    assert len(painter.asked) == 1
    for picture in pictures:
        assert float(picture[..., 14:18, 14:18].min()) == pytest.approx(0.4, abs=1e-3)
        assert float(picture[..., :, 30:].max()) == pytest.approx(0, abs=1e-3)


def test_the_frame_that_misses_most_is_asked_for_and_those_before_it_take_from_it() -> None:
    """A second patch joins the first one late: the last frame shows both, and what it shows of the first serves the first frame."""
    painter = Painter()
    pictures = pictures_between(painter, still_run([None, slice(4, 16), None, slice(28, 44)]), grey(0.0), grey(0.0))
    assert painter.asked == [3]
    for picture in pictures:
        assert float(picture[..., 14:18, 9:11].min()) == pytest.approx(0.4, abs=1e-3)
    assert float(pictures[2][..., 14:18, 34:38].min()) == pytest.approx(0.4, abs=1e-3)
    assert float(pictures[1][..., :, 28:].max()) == pytest.approx(0, abs=1e-3)


def test_frames_pass_from_the_nearer_keyframes_marks_to_the_others_and_their_light_evenly() -> None:
    painter = Painter()
    stripes = 0.1 * (torch.arange(48) % 2 - 0.5).expand(1, 3, 32, 48)
    pictures = pictures_between(painter, still_run([None] * 8), 0.2 + stripes, 0.8 - stripes)
    assert [float(picture.mean()) for picture in pictures] == pytest.approx(
        [0.2 + 0.075 * k for k in range(1, 8)], abs=1e-3
    )
    likeness = [float(((picture - picture.mean()) * stripes).sum() / stripes.square().sum()) for picture in pictures]
    # The very opposite of marks, so that half-way nothing is left; of the quarters the depth is given back in part.
    assert likeness[:2] + likeness[5:] == pytest.approx([1, 1, -1, -1], abs=0.1)
    assert 0.5 < likeness[2] < 0.9
    assert -0.9 < likeness[4] < -0.5
    assert likeness[3] == pytest.approx(0, abs=0.05)
    assert painter.asked == []


def test_light_changes_where_the_picture_has_moved_to() -> None:
    """The right half of a scene grows brighter, evenly, while the camera passes over it, 8 pixels a frame."""
    motion_x = torch.tensor([8.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 64, 256)
    ones = torch.ones(1, 1, 64, 256)
    motion = Motion(motion_x, ones, -motion_x, ones, 0 * ones)
    frames = [VideoFrame(np.full((64, 256, 3), 128, np.uint8), k) for k in range(9)]
    run = Run.of([Moment(frame, motion if k else None, torch.empty(0), 0, k) for k, frame in enumerate(frames)])

    def scene(k: int) -> torch.Tensor:
        return 0.3 + 0.05 * k * torch.sigmoid((torch.arange(256.0) + 8 * k - 160) / 16).expand(1, 3, 64, 256)

    found = pictures_between(Painter(), run, scene(0), scene(8))
    errors = [float((picture - scene(k + 1))[..., 16:176].abs().max()) for k, picture in enumerate(found)]
    assert max(errors) < 0.04


def test_the_anchor_changes_every_frame_of_a_shot_but_its_first(pipeline: sav.StyleAVideoPipeline) -> None:
    pictures = [*shot(7, 3), *(255 - picture for picture in shot(8, 3))]
    settings = Settings(**ONE_STEP)
    for name, weight in pipeline.unet.named_parameters():
        if "attn1.to_" in name:
            weight.mul_(6)  # A random model hardly attends.
    stream = with_motion(video(pictures), dis_flow(), ShotDetector().begins_shot)
    moments = list(with_noise(pipeline, stream, settings))
    plain = torch.cat(Model(pipeline, "a cat", settings, None).in_full(moments))
    with anchor_attention(pipeline.unet) as anchor:
        anchored = torch.cat(Model(pipeline, "a cat", settings, anchor).in_full(moments))
    changed = (plain - anchored).abs().amax(dim=(1, 2, 3))
    assert float(changed[[0, 3]].max()) < 1e-5
    assert float(changed[[1, 2, 4, 5]].min()) > 1e-3


def test_the_packages_refiner_steadies_flickering_frames(pipeline: sav.StyleAVideoPipeline) -> None:
    """A still picture with noise of its own in every frame."""
    pictures = [texture(9)[:, :64]] * 9
    settings = {"noise": "independent", "keyframe_interval": 1}
    plain, steady = (stylized(pipeline, pictures, refiner, **settings) for refiner in (None, load_refiner()))
    before, after = (np.abs(np.diff(frames, axis=0)).mean() for frames in (plain, steady))
    assert 0 < after <= 0.6 * before
    assert steady.std() > 0.8 * plain.std()


def test_the_refiner_follows_the_shot_and_stops_at_its_end(pipeline: sav.StyleAVideoPipeline) -> None:
    """An untrained refiner goes half of what it may back to the frame before: not at the first frame of a shot."""
    torch.manual_seed(0)
    refiner = Refiner("warped")
    grain = np.random.default_rng(0).integers(60, 110, (12, 16, 3), dtype=np.uint8)
    picture = np.asarray(PIL.Image.fromarray(grain).resize((64, 48), PIL.Image.Resampling.BICUBIC))
    pictures = [picture, picture, picture, 255 - picture, 255 - picture]
    plain, steady = (
        stylized(pipeline, pictures, r, noise="independent", keyframe_interval=1, batch_size=2) for r in (None, refiner)
    )
    changed = [np.abs(one - other).mean() for one, other in zip(plain, steady, strict=True)]
    assert changed[0] == changed[3] == 0
    assert min(changed[1], changed[2], changed[4]) > 1
    half_way = plain[1] + MOST_KEPT / 2 * (plain[0] - plain[1])
    half_way, newest = (torch.from_numpy(f).float().permute(2, 0, 1)[None] / 255 for f in (half_way, plain[1]))
    wanted = with_marks(half_way, fine_marks(newest))[0].permute(1, 2, 0).numpy() * 255
    np.testing.assert_allclose(steady[1], wanted, atol=8)

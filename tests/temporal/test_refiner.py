"""The refiner: what an untrained one does, what a shot's beginning does, and the warped form's gate."""

import pytest
import torch

import style_a_video as sav
from style_a_video.temporal import Refined, Refiner, refine
from style_a_video.temporal.refiner import MAX_KEPT
from tests.temporal.test_warp import warp_loop


def motion_of(flow, mask=1.0):
    ones = torch.ones_like(flow[:, :1])
    return sav.temporal.Motion(flow, mask * ones, -flow, ones, 0 * ones)


@pytest.fixture
def frames():
    return torch.rand(3, 2, 3, 18, 22, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def motion():
    flow = torch.zeros(2, 2, 18, 22)
    flow[:, 0], flow[:, 1] = 1.0, -2.0
    return motion_of(flow)


def test_an_untrained_one_of_the_papers_form_hardly_changes_the_frame(frames, motion):
    torch.manual_seed(0)
    now, before, refined = frames
    assert (Refiner("paper")(now, before, refined, motion) - now).abs().max() < 0.02


def test_an_untrained_one_of_the_warped_form_goes_half_of_what_it_may_to_the_warped_frame(frames, motion):
    torch.manual_seed(0)
    now, before, refined = frames
    found = Refiner("warped")(now, before, refined, motion)
    # Whole-pixel motion: bicubic or bilinear, the warp is a shift.
    shifted = torch.stack(
        [torch.from_numpy(warp_loop(r.numpy(), f.numpy())) for r, f in zip(refined, motion.backward, strict=True)]
    )
    inner = (found - now - MAX_KEPT / 2 * (shifted - now))[..., 4:-4, 4:-4]
    assert inner.abs().max() < 0.03


def change_through_the_gate(frames, motion):
    """By R^{f-1} alone, |difference| of two results (B, 3, H, W): the network's layers do not see it."""
    torch.manual_seed(0)
    now, before, refined = frames
    refiner = Refiner("warped")
    for branch in (refiner.refined, refiner.pair):
        branch.weight.data.zero_()
    return (refiner(now, before, refined, motion) - refiner(now, before, 1 - refined, motion)).abs()


def test_the_gate_is_shut_where_the_flow_is_not_trusted(frames):
    hidden = motion_of(torch.zeros(2, 2, 18, 22), mask=0.0)
    assert float(change_through_the_gate(frames, hidden).max()) < 1e-5


def test_the_gate_is_shut_where_the_flow_stretches_marks(frames):
    """By more than a fifth, half shut at a tenth; a turn and a zoom leave marks their shape."""
    x = torch.arange(22.0).expand(2, 1, 18, 22) - 11
    y = (torch.arange(18.0)[:, None] - 9).expand(2, 1, 18, 22)

    def change(across, down):
        moved = motion_of(torch.cat([across, down], dim=1))
        return float(change_through_the_gate(frames, moved)[..., 6:-6, 6:-6].mean())

    assert change(0.25 * x, 0 * y) < 1e-5
    assert change(0.25 * x, 0.25 * y) > 0.01
    assert change(0.25 * y, -0.25 * x) > 0.01
    assert change(0.1 * x, 0 * y) == pytest.approx(change(0 * x, 0 * y) / 2, rel=0.25)


@pytest.mark.parametrize("form", ["warped", "paper"])
@pytest.mark.parametrize("size", [(16, 20), (17, 23)])
def test_any_size_and_what_is_saved_is_what_is_loaded(tmp_path, form, size):
    torch.manual_seed(0)
    frames = torch.rand(3, 1, 3, *size)
    motion = motion_of(torch.zeros(1, 2, *size))
    refiner = Refiner(form, width=8, blocks=1)
    refiner.save_pretrained(tmp_path)
    again = Refiner.from_pretrained(tmp_path)
    assert refiner(*frames, motion).shape == (1, 3, *size)
    torch.testing.assert_close(again(*frames, motion), refiner(*frames, motion))


def test_a_shot_begins_with_the_frame_itself(frames, motion):
    now, before, _ = frames
    started = refine(Refiner("warped"), now, Refined(before, before), None)
    assert started.refined is now
    went_on = refine(Refiner("warped"), now, Refined(before, before), motion)
    assert went_on.stylized is now
    assert (went_on.refined - now).abs().max() > 0.05
    assert went_on.refined.min() >= 0
    assert went_on.refined.max() <= 1


@pytest.mark.parametrize("form", ["warped", "paper"])
def test_flat_pictures_stay_flat(form):
    """The four channels that make one plane may differ; pixels beside one another must not for that."""
    torch.manual_seed(0)
    refiner = Refiner(form)
    with torch.no_grad():
        for parameter in refiner.out.parameters():
            parameter.mul_(100)
    now, before, refined = (torch.full((1, 3, 80, 80), value) for value in (0.5, 0.4, 0.3))
    found = refiner(now, before, refined, motion_of(torch.zeros(1, 2, 80, 80)))[..., 36:-36, 36:-36]
    assert (found - now[..., 36:-36, 36:-36]).abs().max() > 0.01
    torch.testing.assert_close(found, found[..., :1, :1].expand_as(found))


def test_no_checkerboard_adds_up_over_a_shot():
    """The shipped refiner over a picture whose colour flickers: no more of the finest frequency than in what it is
    given."""
    from style_a_video.demo import demo_clip
    from style_a_video.models.loading import load_refiner

    frames = torch.from_numpy(demo_clip(12, 96, 64).frames).permute(0, 3, 1, 2)[:, None] / 255
    gains = 1 + 0.1 * torch.randn(12, 1, 3, 1, 1, generator=torch.Generator().manual_seed(0))
    refiner, flow, before = load_refiner(), sav.temporal.dis_flow(), None
    signs = torch.tensor([1.0, -1.0])[(torch.arange(64)[:, None] + torch.arange(96)) % 2]
    strength = []
    with torch.no_grad():
        for f, picture in enumerate((frames * gains).clamp(0, 1)):
            motion = sav.temporal.motion_between(flow, frames[f - 1], frames[f]) if f else None
            before = refine(refiner, picture, before, motion)
            strength.append(
                [
                    float(torch.nn.functional.avg_pool2d(p.mean(1, keepdim=True) * signs, 8, 4).abs().mean())
                    for p in (picture, before.refined)
                ]
            )
    given, found = torch.tensor(strength)[6:].mean(0)
    assert found < 1.1 * given

"""Flow estimators against motion that is known."""

import pytest
import torch

import style_a_video as sav
from style_a_video.demo import DemoClip, demo_clip


@pytest.fixture(scope="module")
def clip():
    """The demo clip's last frames, where the balloon crosses the picture."""
    whole = demo_clip()
    return DemoClip(whole.frames[-9:], whole.flows[-8:], whole.visible[-8:])


def frames_of(clip):
    return torch.from_numpy(clip.frames).permute(0, 3, 1, 2).float() / 255


@pytest.mark.parametrize(("fast", "share"), [(False, 0.12), (True, 0.2)])
def test_dis_finds_the_demo_clips_motion(clip, fast, share):
    """Its error as a share of that of standing still; OpenCV's own preset has 0.25."""
    frames, true, visible = frames_of(clip), torch.from_numpy(clip.flows), torch.from_numpy(clip.visible)
    flow = sav.temporal.dis_flow(fast)(frames[1:], frames[:-1])
    found, standing_still = (
        (estimate - true).norm(dim=1)[visible].mean() for estimate in (flow, torch.zeros_like(flow))
    )
    assert found < share * standing_still


def test_the_mask_agrees_with_what_was_really_visible(clip):
    frames, visible = frames_of(clip), torch.from_numpy(clip.visible)
    flow, mask = sav.temporal.flow_both_ways(sav.temporal.dis_flow(), frames[1:], frames[:-1])
    assert flow.shape == (8, 2, 256, 384)
    trusted = mask[:, 0] > 0
    assert trusted[visible].float().mean() > 0.9
    assert trusted[~visible].float().mean() < 0.7


def test_small_pictures():
    frames = torch.rand(1, 3, 16, 20, generator=torch.Generator().manual_seed(0))
    assert sav.temporal.dis_flow()(frames, frames).abs().max() < 0.5


def test_raft_says_what_it_needs(monkeypatch):
    monkeypatch.setattr("style_a_video.temporal.flow.find_spec", lambda _: None)
    with pytest.raises(sav.InputError, match="torchvision"):
        sav.temporal.raft_flow()

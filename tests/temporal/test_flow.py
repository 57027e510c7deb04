"""Flow estimators against motion that is known."""

import sys
from types import ModuleType, SimpleNamespace
from urllib.error import URLError

import pytest
import torch

import style_a_video as sav
from style_a_video.demo import demo_clip


@pytest.fixture(scope="module")
def clip():
    """The demo clip at eight times its speed."""
    return demo_clip(frames=9)


def frames_of(clip):
    return torch.from_numpy(clip.frames).permute(0, 3, 1, 2).float() / 255


@pytest.mark.parametrize(("fast", "share"), [(False, 0.12), (True, 0.2)])
def test_dis_finds_the_demo_clips_motion(clip, fast, share):
    """Its error as a share of that of standing still; OpenCV's own preset has 0.25."""
    frames, true, visible = frames_of(clip), torch.from_numpy(clip.flows), torch.from_numpy(clip.visible)
    flow = sav.temporal.dis_flow(fast=fast)(frames[1:], frames[:-1])
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


@pytest.mark.parametrize("fast", [False, True])
def test_small_pictures(fast):
    grain = torch.rand(1, 3, 6, 7, generator=torch.Generator().manual_seed(0))
    wide = torch.nn.functional.interpolate(grain, (24, 28), mode="bicubic").clamp(0, 1)
    flow = sav.temporal.dis_flow(fast=fast)(wide[..., :20, 1:21], wide[..., :20, :20])
    assert float(flow[:, 0].median()) == pytest.approx(1, abs=0.2)
    assert float(flow[:, 1].median()) == pytest.approx(0, abs=0.2)


class Raft(torch.nn.Module):
    """In torchvision's place: says where it looked, and moves everything by 3 pixels to the left."""

    def forward(self, frames, others):
        self.seen = frames
        return [torch.tensor([-3.0, 0.0]).view(1, 2, 1, 1).expand(len(frames), 2, *frames.shape[-2:])]


def with_torchvision(monkeypatch, raft_small):
    module = ModuleType("torchvision.models.optical_flow")
    vars(module).update(Raft_Small_Weights=SimpleNamespace(DEFAULT="weights"), raft_small=raft_small)
    monkeypatch.setattr("style_a_video.dependencies.find_spec", lambda _: True)
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", ModuleType("torchvision.models"))
    monkeypatch.setitem(sys.modules, "torchvision.models.optical_flow", module)


def test_raft_sees_padded_pictures_in_its_range(monkeypatch):
    network = Raft()
    with_torchvision(monkeypatch, lambda weights: network)
    frames = torch.rand(2, 3, 60, 203)
    flow = sav.temporal.raft_flow()(frames, frames)
    assert flow.shape == (2, 2, 60, 203)
    assert float(flow[:, 0].max()) == -3
    assert network.seen.shape == (2, 3, 128, 208)
    torch.testing.assert_close(network.seen[..., :60, :203], frames * 2 - 1)


def test_raft_without_its_weights_is_one_line(monkeypatch):
    def offline(weights):
        raise URLError("no network")

    with_torchvision(monkeypatch, offline)
    with pytest.raises(sav.InputError, match="weights cannot be fetched"):
        sav.temporal.raft_flow()


def test_raft_says_what_it_needs(monkeypatch):
    monkeypatch.setattr("style_a_video.dependencies.find_spec", lambda _: None)
    with pytest.raises(sav.InputError, match="torchvision"):
        sav.temporal.raft_flow()

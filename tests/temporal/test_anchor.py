"""Anchor attention: one layer against NumPy, and what recording and replaying leave alone."""

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import Attention

from style_a_video.temporal import anchor_attention
from tests.conftest import tiny_unet


def softmax(values):
    values = np.exp(values - values.max(axis=-1, keepdims=True))
    return values / values.sum(axis=-1, keepdims=True)


class OneLayer(torch.nn.Module):
    """A UNet's shape, with one self-attention layer in it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.attn1 = Attention(query_dim=8, heads=2, dim_head=4, bias=False)

    @property
    def attn_processors(self):
        return {"block.attn1.processor": self.attn1.processor}

    def set_attn_processor(self, processors):
        self.attn1.set_processor(processors["block.attn1.processor"])


@torch.no_grad()
def test_a_layer_attends_to_itself_and_to_its_own_branch_of_the_anchor():
    unet = OneLayer()
    rng = np.random.default_rng(0)
    anchor = rng.standard_normal((2, 5, 8)).astype(np.float32)  # two branches
    frames = rng.standard_normal((6, 5, 8)).astype(np.float32)  # two branches of three frames
    with anchor_attention(unet) as attention:
        attention.mode = "record"
        alone = unet.attn1(torch.from_numpy(anchor))
        attention.mode = "replay"
        found = unet.attn1(torch.from_numpy(frames)).numpy()
    torch.testing.assert_close(alone, unet.attn1(torch.from_numpy(anchor)))
    weights = {name: getattr(unet.attn1, name).weight.numpy().T for name in ("to_q", "to_k", "to_v")}
    for row, frame in enumerate(frames):
        seen = np.concatenate([frame, anchor[row // 3]])
        heads = []
        for head in (slice(0, 4), slice(4, 8)):
            scores = softmax((frame @ weights["to_q"][:, head]) @ (seen @ weights["to_k"][:, head]).T / 2.0)
            heads.append(scores @ (seen @ weights["to_v"][:, head]))
        wanted = (
            np.concatenate(heads, axis=1) @ unet.attn1.to_out[0].weight.numpy().T + unet.attn1.to_out[0].bias.numpy()
        )
        np.testing.assert_allclose(found[row], wanted, atol=1e-5)


@torch.no_grad()
def test_off_and_afterwards_the_unet_is_what_it_was():
    torch.manual_seed(0)
    unet = tiny_unet().eval()
    arguments = torch.rand(2, 8, 8, 8), 10, torch.rand(2, 5, 16)
    plain = unet(*arguments).sample
    with anchor_attention(unet) as attention:
        torch.testing.assert_close(unet(*arguments).sample, plain)
        attention.mode = "record"
        torch.testing.assert_close(unet(arguments[0][:1], 10, arguments[2][:1]).sample, plain[:1])
        attention.mode = "replay"
        replayed = unet(*arguments).sample
    assert (replayed - plain).abs().max() > 1e-4
    # The anchor beside itself changes nothing: every key stands there twice.
    torch.testing.assert_close(replayed[0], plain[0], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(unet(*arguments).sample, plain)


@torch.no_grad()
def test_batch_after_batch_and_call_after_call_see_the_same_anchor():
    torch.manual_seed(0)
    unet = tiny_unet().eval()
    sample, text = torch.rand(4, 8, 8, 8), torch.rand(1, 5, 16)
    with anchor_attention(unet) as attention:
        attention.mode = "record"
        for timestep in (900, 400):
            unet(sample[:1], timestep, text)
        attention.mode = "replay"
        found = [
            [unet(batch, timestep, text.expand(len(batch), -1, -1)).sample for timestep in (900, 400)]
            for batch in (sample[1:3], sample[3:])
        ]
        attention.mode = "replay"
        together = [unet(sample[1:], timestep, text.expand(3, -1, -1)).sample for timestep in (900, 400)]
    for call in range(2):
        torch.testing.assert_close(torch.cat([batch[call] for batch in found]), together[call])


@pytest.mark.parametrize("mode", ["replay", "off"])
def test_without_an_anchor_nothing_is_added(mode):
    with anchor_attention(tiny_unet()) as attention:
        attention.mode = mode
        hidden = torch.rand(1, 3, 4)
        assert attention.seen_by("layer", hidden) is hidden

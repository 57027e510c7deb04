"""The self-attention condition against NumPy loops, and the recorder against softmax(QKᵀ/√d)·V from the layer's own
weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from style_a_video.self_attention import attention_mask, default_layer, layer_grid, record_attention, upsample_mask
from tests.conftest import tiny_unet


def test_mask_is_above_its_own_mean() -> None:
    output = torch.randn(3, 24, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mask = attention_mask(output, (4, 6))
    assert mask.shape == (3, 1, 4, 6)
    assert mask.dtype == torch.bool
    values = output.numpy()
    for frame in range(3):
        average = [sum(values[frame, position]) / 8 for position in range(24)]
        psi = sum(average) / 24
        for position in range(24):
            assert mask[frame, 0, position // 6, position % 6] == (average[position] > psi)


@given(
    st.integers(1, 4), st.integers(2, 6), st.integers(2, 6), st.floats(0.1, 10), st.floats(-5, 5), st.integers(0, 999)
)
def test_mask_ignores_scale_and_offset(batch: int, h: int, w: int, scale: float, offset: float, seed: int) -> None:
    output = torch.randn(batch, h * w, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    average = output.mean(dim=2)
    margin = (average - average.mean(dim=1, keepdim=True)).abs().min()
    if margin > 1e-4:
        torch.testing.assert_close(attention_mask(output, (h, w)), attention_mask(scale * output + offset, (h, w)))


def test_mask_is_per_frame() -> None:
    output = torch.randn(2, 16, 4, generator=torch.Generator().manual_seed(1))
    together = attention_mask(output, (4, 4))
    assert torch.equal(together[1:], attention_mask(output[1:], (4, 4)))


def test_grid_must_fit() -> None:
    with pytest.raises(ValueError, match="3x4"):
        attention_mask(torch.zeros(1, 16, 2), (3, 4))


def test_upsampling_is_nearest() -> None:
    mask = torch.tensor([[[[True, False], [False, True]]]])
    expected = np.kron(mask[0, 0].numpy(), np.ones((3, 3), bool))
    assert np.array_equal(upsample_mask(mask, (6, 6))[0, 0].numpy(), expected)


@pytest.mark.parametrize(
    ("positions", "size", "grid"),
    [(32 * 32, (32, 32), (32, 32)), (16 * 32, (32, 64), (16, 32)), (5 * 6, (9, 11), (5, 6)), (3 * 3, (9, 11), (3, 3))],
)
def test_layer_grid(positions: int, size: tuple[int, int], grid: tuple[int, int]) -> None:
    assert layer_grid(positions, size) == grid


def test_layer_grid_that_no_level_has() -> None:
    with pytest.raises(ValueError, match="7 positions"):
        layer_grid(7, (8, 8))


def test_record_is_softmax_of_queries_and_keys_times_values() -> None:
    torch.manual_seed(0)
    unet = tiny_unet().double().eval()
    layer = default_layer(unet)
    attention = dict(unet.named_modules())[layer]
    seen: list[torch.Tensor] = []
    attention.to_q.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    with torch.no_grad(), record_attention(unet, layer) as record:
        unet(torch.randn(2, 8, 6, 4).double(), 10, torch.randn(2, 5, 16).double())
    hidden = seen[-1].numpy()
    query, key, value = (
        hidden @ linear.weight.detach().numpy().T for linear in (attention.to_q, attention.to_k, attention.to_v)
    )
    heads, width = attention.heads, query.shape[2] // attention.heads
    expected = np.zeros_like(query)
    for frame, head in np.ndindex(2, heads):
        part = slice(head * width, (head + 1) * width)
        for position in range(hidden.shape[1]):
            scores = np.array(
                [query[frame, position, part] @ key[frame, other, part] for other in range(hidden.shape[1])]
            )
            weights = np.exp(scores / np.sqrt(width) - (scores / np.sqrt(width)).max())
            expected[frame, position, part] = (weights / weights.sum()) @ value[frame, :, part]
    np.testing.assert_allclose(record.output.numpy(), expected, atol=1e-5)


def test_default_layer_is_the_last_self_attention_of_the_decoder() -> None:
    assert default_layer(tiny_unet()) == "up_blocks.1.attentions.1.transformer_blocks.0.attn1"


def test_recording_ends_with_the_context() -> None:
    unet = tiny_unet()
    with record_attention(unet, default_layer(unet)) as record:
        pass
    unet(torch.randn(1, 8, 4, 4), 1, torch.randn(1, 5, 16))
    assert record.output is None


def test_unknown_layer_names_the_default() -> None:
    unet = tiny_unet()
    with pytest.raises(ValueError, match=r"up_blocks\.1"), record_attention(unet, "nowhere"):
        pass

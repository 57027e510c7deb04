"""Rewritten layers give the same numbers for less work."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from style_a_video.models import lean
from style_a_video.training import first_stage, unet
from tests.conftest import tiny_unet


@pytest.mark.parametrize("bias", [True, False])
def test_doubling_and_convolution_are_one_transposed_convolution(bias: bool) -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 5, 3, padding=1, bias=bias)
    picture = torch.randn(2, 3, 6, 7)
    expected = convolution(nn.functional.interpolate(picture, scale_factor=2, mode="nearest"))
    kernel = lean.doubled_then_convolved(convolution.weight.detach())
    found = lean.Rewritten(convolution, kernel, doubles=True)(picture)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_a_convolution_that_looks_at_one_pixel_is_merged_into_the_next() -> None:
    torch.manual_seed(0)
    first, second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 3, padding=1, stride=2)
    assert not lean.looks_at_one_pixel(first)
    with torch.no_grad():
        centre = first.weight[:, :, 1, 1].clone()
        first.weight.zero_()
        first.weight[:, :, 1, 1] = centre
    assert not lean.looks_at_one_pixel(first)  # it has a bias, which a border of zeros does not have
    nn.init.zeros_(first.bias)
    assert lean.looks_at_one_pixel(first)
    picture = torch.randn(1, 3, 9, 8)
    found = lean.Rewritten(second, lean.merged(first.weight, second.weight), doubles=False)(picture)
    torch.testing.assert_close(found, second(first(picture)), atol=1e-5, rtol=1e-5)


def test_the_first_stage_gives_the_same_numbers_for_less_than_half_the_work() -> None:
    torch.manual_seed(0)
    stock = first_stage.stock_form(first_stage.build())
    made_lean = copy.deepcopy(stock)
    lean.make_lean(made_lean, tiny_unet())
    pictures = torch.rand(1, 3, 40, 24) * 2 - 1
    work, results = [], []
    for vae in (stock, made_lean):
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            latents = vae.encode(pictures).latents
            results.append((latents, vae.decode(latents).sample))
        work.append(counter.get_total_flops())
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    assert work[1] < 0.75 * work[0]
    kept = made_lean.state_dict()
    assert stock.state_dict().keys() == kept.keys()  # so it is saved as it was loaded
    assert all(torch.equal(value, kept[name]) for name, value in stock.state_dict().items())


@pytest.mark.parametrize("size", [(16, 16), (13, 18)])
def test_a_unet_gives_the_same_numbers_at_any_size(size: tuple[int, int]) -> None:
    """Also where a side is odd, which is no doubling."""
    torch.manual_seed(0)
    stock = unet.build(4, 16).eval()
    made_lean = copy.deepcopy(stock)
    lean.make_lean(nn.Identity(), made_lean)
    assert any(isinstance(layer, lean.TransposedUpsample) for layer in made_lean.modules())
    latents, text = torch.randn(1, 8, *size), torch.randn(1, 5, 16)
    with torch.no_grad():
        expected = stock(latents, torch.tensor([500]), text).sample
        found = made_lean(latents, torch.tensor([500]), text).sample
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert stock.state_dict().keys() == made_lean.state_dict().keys()

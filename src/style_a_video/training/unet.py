"""The UNet: the objective of docs/method.md, section 2.1, on the latents of the pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from numpy.typing import NDArray
from torch import Tensor

from ..styles.spec import plain_sentence
from .captions import caption
from .pairs import Pairs

GRID = 64
"""Side of the latents of a picture."""


def build(latent_channels: int, text_width: int) -> UNet2DConditionModel:
    """An untrained UNet with the image slot.

    The text also enters the timestep embedding (`addition_embed_type`). Its scale and shift reach every block, also
    those at the two finest levels, which have no attention. The embedding is wide: in the usual four times the first
    level's width, sentences were learnt several times as slowly.
    """
    return UNet2DConditionModel(
        sample_size=GRID,
        in_channels=2 * latent_channels,
        out_channels=latent_channels,
        block_out_channels=(32, 96, 192, 240),
        time_embedding_dim=384,
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=16,
        attention_head_dim=8,  # diffusers means the number of heads
        cross_attention_dim=text_width,
        addition_embed_type="text",
        addition_embed_type_num_heads=8,
        resnet_time_scale_shift="scale_shift",
    )


def build_scheduler() -> DDIMScheduler:
    """v-prediction, zero terminal SNR, trailing spacing (Lin et al., 2024): few steps start from pure noise."""
    return DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
    )


@dataclass(frozen=True)
class Dropout:
    """How often each condition is missing in training, so that every branch of section 2.3 is in distribution."""

    text: float = 0.06
    image: float = 0.04
    both: float = 0.02
    mask: float = 0.06
    """Of the samples that keep their image; half of them lose their text."""


FRESH_SHARE, FRESH_BELOW = 0.25, 700
"""Of samples at timesteps below this, so many are mixed with noise that knows nothing of their marks.

A picture from elsewhere, such as a warped frame (section 2.6), is noised so too.
"""
CONTENT_SHARE = 0.03
"""Of the samples, so many ask for the untouched content."""
PLAIN_SHARE = 0.8
"""Of the samples, so many have their spec's plain caption: what the reader makes of any sentence."""
QUARTER_SHARE = 0.75
"""Of the batches, so many show 4 quarters for every whole picture.

They cost as much and say four times as many sentences. Marks are as large in a quarter as in the whole.
"""


def random_mask(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """A blob mask (size, size) that keeps a random half or so: what 1(A > ψ) looks like."""
    coarse = torch.from_numpy(rng.standard_normal((1, 1, max(2, size // 4), max(2, size // 4))).astype(np.float32))
    field = F.interpolate(coarse, size=(size // 2, size // 2), mode="bicubic")
    mask = (field > float(rng.uniform(-0.6, 0.6))).float()
    return F.interpolate(mask, size=(size, size), mode="nearest")[0, 0].numpy()


def quarter(array: NDArray[np.float32], part: int) -> NDArray[np.float32]:
    """Part 0 to 3, row by row, of (..., h, w)."""
    height, width = (side // 2 for side in array.shape[-2:])
    top, left = part // 2 * height, part % 2 * width
    return array[..., top : top + height, left : left + width]


def biased_timesteps(rng: np.random.Generator, batch: int, biased: float = 0.5) -> NDArray[np.int64]:
    """Half uniform over the schedule, half in its last tenth, where few-step sampling starts."""
    late = rng.random(batch) < biased
    return np.where(late, rng.integers(900, 1000, batch), rng.integers(0, 1000, batch))


class Batch(NamedTuple):
    """Pictures with their conditions."""

    clean: Tensor
    """Stylized latents, (B, C, h, w)."""
    noise: Tensor
    """That the marks of each hang on, and that it is mixed with; (B, C, h, w)."""
    frame: Tensor
    """The image slot, (B, C, h, w)."""
    text: Tensor
    """What the UNet attends to, (B, tokens, width)."""
    drawn: tuple[tuple[int, int], ...]
    """Row and column of every picture among the pairs."""


class Latents(NamedTuple):
    """Of all pairs, what the first stage makes of them."""

    wholes: NDArray[np.float16]
    """(N, columns, 1, C, h, w)."""
    quarters: NDArray[np.float16]
    """Of the pictures' quarters, row by row: (N, columns, 4, C, h / 2, w / 2)."""


Draw = Callable[[np.random.Generator], Batch]


def random_pictures(
    latents: Latents,
    pairs: Pairs,
    states: Callable[[list[str]], Tensor],
    batch: int,
    dropout: Dropout = Dropout(),
) -> Draw:
    """A drawer of pictures with their conditions: `batch` whole ones, or 4 · `batch` quarters.

    Args:
        latents: of the pairs; column 0 is the content.
        pairs: the specs, and the noise. Of two random pictures the one whose
            spec names the scale of its marks is taken: words that few pictures show are learnt last.
        states: the text encoder's hidden states of sentences.
        dropout: how often conditions are missing.
    """
    rows, columns = latents.wholes.shape[:2]
    shares = np.r_[CONTENT_SHARE, np.full(columns - 1, (1 - CONTENT_SHARE) / (columns - 1))]

    def draw(rng: np.random.Generator) -> Batch:
        cleans, noises, frames, sentences, places = [], [], [], [], []
        in_quarters = rng.random() < QUARTER_SHARE
        chosen = latents.quarters if in_quarters else latents.wholes
        for _ in range(4 * batch if in_quarters else batch):
            drawn = [(int(rng.integers(rows)), int(rng.choice(columns, p=shares))) for _ in range(2)]
            row, column = max(drawn, key=lambda at: _says_scale(pairs, *at))
            spec = pairs.spec(row, column)
            is_plain = spec is not None and rng.random() < PLAIN_SHARE
            words = plain_sentence(spec) if spec is not None and is_plain else caption(spec, rng)
            part = int(rng.integers(chosen.shape[2]))
            frame = chosen[row, 0, part].astype(np.float32)
            fate = rng.random()
            if fate < dropout.text + dropout.both:
                words = ""
            if dropout.text <= fate < dropout.text + dropout.both + dropout.image:
                frame = np.zeros_like(frame)
            elif rng.random() < dropout.mask:
                frame = frame * random_mask(rng, frame.shape[-1])
                words = "" if rng.random() < 0.5 else words
            cleans.append(chosen[row, column, part].astype(np.float32))
            whole_noise = pairs.noise(row, column)
            noises.append(quarter(whole_noise, part) if in_quarters else whole_noise)
            frames.append(frame)
            sentences.append(words)
            places.append((row, column))
        clean, noise, image = (torch.from_numpy(np.stack(part)) for part in (cleans, noises, frames))
        return Batch(clean, noise, image, states(sentences), tuple(places))

    return draw


def _says_scale(pairs: Pairs, row: int, column: int) -> bool:
    spec = pairs.spec(row, column)
    return spec is not None and spec.scale != ""


def denoising_loss(unet: UNet2DConditionModel, draw: Draw) -> Callable[[np.random.Generator], Tensor]:
    """`‖v − v_θ(z_t, t, c_I, c_T, c_M)‖²`: equation 2.1 in v-prediction."""
    # The fused kernel's backward pass takes three fifths of a step on a CPU; the plain one is 1.6 times faster in all.
    unet.set_attn_processor(AttnProcessor())
    scheduler = build_scheduler()
    device = next(unet.parameters()).device

    def loss(rng: np.random.Generator) -> Tensor:
        clean, noise, frame, text = (part.to(device) for part in draw(rng)[:4])
        timesteps = torch.from_numpy(biased_timesteps(rng, len(clean))).to(device)
        fresh = torch.from_numpy(rng.random(len(clean)) < FRESH_SHARE).to(device) & (timesteps < FRESH_BELOW)
        other = torch.from_numpy(rng.standard_normal(noise.shape, dtype=np.float32)).to(device)
        noise = torch.where(fresh.view(-1, 1, 1, 1), other, noise)
        noisy = scheduler.add_noise(clean, noise, timesteps)
        predicted = unet(torch.cat([noisy, frame], dim=1).to(unet.dtype), timesteps, text.to(unet.dtype)).sample
        return F.mse_loss(predicted.float(), scheduler.get_velocity(clean, noise, timesteps))

    return loss

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
from transformers import CLIPTextModel, CLIPTokenizer

from ..devices import autocast
from ..styles.spec import StyleSpec
from .captions import caption
from .exercises import Exercises
from .pairs import ALIGNMENT, Pairs


def build(latent_channels: int, text_width: int) -> UNet2DConditionModel:
    """An untrained UNet with the image slot.

    The text also enters the timestep embedding (`addition_embed_type`). Its scale and shift reach every block, also
    those at the two finest levels, which have no attention.
    """
    return UNet2DConditionModel(
        sample_size=64,
        in_channels=2 * latent_channels,
        out_channels=latent_channels,
        block_out_channels=(64, 96, 192, 224),
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

    text: float = 0.08
    image: float = 0.06
    both: float = 0.04
    mask: float = 0.12
    """Of the samples that keep their image; half of them lose their text."""


EXERCISE_SHARE = 0.25
"""Of the windows of the first stage of training."""
FRESH_SHARE, FRESH_BELOW = 0.25, 700
"""Of samples at timesteps below this, so many are mixed with noise that knows nothing of their marks.

A picture from elsewhere, such as a warped frame (section 2.6), is noised so too.
"""


@torch.no_grad()
def embed_captions(encoder: CLIPTextModel, tokenizer: CLIPTokenizer, captions: list[str]) -> Tensor:
    """Hidden states of every caption, (N, tokens, width), as the pipeline gives them to the UNet."""
    tokens = tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
    with autocast(encoder.device):
        return encoder(tokens.input_ids.to(encoder.device))[0]


def random_mask(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """A blob mask (size, size) that keeps a random half or so: what 1(A > ψ) looks like."""
    coarse = torch.from_numpy(rng.standard_normal((1, 1, max(2, size // 4), max(2, size // 4))).astype(np.float32))
    field = F.interpolate(coarse, size=(size // 2, size // 2), mode="bicubic")
    mask = (field > float(rng.uniform(-0.6, 0.6))).float()
    return F.interpolate(mask, size=(size, size), mode="nearest")[0, 0].numpy()


def biased_timesteps(rng: np.random.Generator, batch: int, biased: float = 0.5) -> NDArray[np.int64]:
    """Half uniform over the schedule, half in its last tenth, where few-step sampling starts."""
    late = rng.random(batch) < biased
    return np.where(late, rng.integers(900, 1000, batch), rng.integers(0, 1000, batch))


class Windows(NamedTuple):
    """A batch of windows of pictures."""

    clean: Tensor
    """Stylized latents, (B, C, h, w)."""
    noise: Tensor
    """That the marks of each hang on, and that it is mixed with; (B, C, h, w)."""
    image: Tensor
    """The image slot, (B, C, h, w)."""
    words: list[str]


Draw = Callable[[np.random.Generator], Windows]


def random_windows(
    latents: NDArray[np.float16],
    pairs: Pairs,
    batch: int,
    size: int,
    dropout: Dropout = Dropout(),
    exercises: Exercises | None = None,
) -> Draw:
    """A drawer of random `size`² windows of the latents with their conditions.

    Args:
        latents: (N, columns, C, h, w); column 0 is the content.
        pairs: the specs, which every draw says in other words, and the noise. Of two random pictures the one whose
            spec names the scale of its marks is taken: words that few pictures show are learnt last.
        size: a multiple of ALIGNMENT; so are the windows' corners.
        dropout: how often conditions are missing.
        exercises: if given, EXERCISE_SHARE of the windows are theirs, without a frame.
    """
    rows_in_all, columns_in_all, _, height, width = latents.shape
    shares = np.r_[0.03, np.full(columns_in_all - 1, 0.97 / (columns_in_all - 1))]

    def draw(rng: np.random.Generator) -> Windows:
        parts: list[list[NDArray[np.float32]]] = [[], [], []]
        text = []
        for _ in range(batch):
            if exercises is not None and rng.random() < EXERCISE_SHARE:
                clean, noise_there, words = exercises.window(rng, size)
                for part, values in zip(parts, (clean, noise_there, np.zeros_like(clean)), strict=True):
                    part.append(values)
                text.append(words)
                continue
            drawn = [(int(rng.integers(rows_in_all)), int(rng.choice(columns_in_all, p=shares))) for _ in range(2)]
            row, column = max(drawn, key=lambda at: _says_scale(pairs.spec(*at)))
            top, left = (ALIGNMENT * int(rng.integers((side - size) // ALIGNMENT + 1)) for side in (height, width))
            window = np.s_[:, top : top + size, left : left + size]
            condition = latents[row, 0][window].astype(np.float32)
            words = caption(pairs.spec(row, column), rng)
            fate = rng.random()
            if fate < dropout.text + dropout.both:
                words = ""
            if dropout.text <= fate < dropout.text + dropout.both + dropout.image:
                condition = np.zeros_like(condition)
            elif rng.random() < dropout.mask:
                condition = condition * random_mask(rng, size)
                words = "" if rng.random() < 0.5 else words
            clean = latents[row, column][window].astype(np.float32)
            for part, values in zip(parts, (clean, pairs.noise(row, column)[window], condition), strict=True):
                part.append(values)
            text.append(words)
        clean_latents, noise, image = (torch.from_numpy(np.stack(part)) for part in parts)
        return Windows(clean_latents, noise, image, text)

    return draw


def _says_scale(spec: StyleSpec | None) -> bool:
    return spec is not None and spec.scale != ""


def denoising_loss(
    unet: UNet2DConditionModel, draw: Draw, encoder: CLIPTextModel, tokenizer: CLIPTokenizer
) -> Callable[[np.random.Generator], Tensor]:
    """`‖v − v_θ(z_t, t, c_I, c_T, c_M)‖²`: equation 2.1 in v-prediction."""
    # The fused kernel's backward pass takes three fifths of a step on a CPU; the plain one is 1.6 times faster in all.
    unet.set_attn_processor(AttnProcessor())
    scheduler = build_scheduler()
    device = next(unet.parameters()).device

    def loss(rng: np.random.Generator) -> Tensor:
        clean, noise, image, words = draw(rng)
        clean, noise, image = clean.to(device), noise.to(device), image.to(device)
        timesteps = torch.from_numpy(biased_timesteps(rng, len(clean))).to(device)
        fresh = torch.from_numpy(rng.random(len(clean)) < FRESH_SHARE).to(device) & (timesteps < FRESH_BELOW)
        other = torch.from_numpy(rng.standard_normal(noise.shape, dtype=np.float32)).to(device)
        noise = torch.where(fresh.view(-1, 1, 1, 1), other, noise)
        noisy = scheduler.add_noise(clean, noise, timesteps)
        text = embed_captions(encoder, tokenizer, words).to(unet.dtype)
        predicted = unet(torch.cat([noisy, image], dim=1).to(unet.dtype), timesteps, text).sample
        return F.mse_loss(predicted.float(), scheduler.get_velocity(clean, noise, timesteps))

    return loss

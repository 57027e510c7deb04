"""The UNet: DESIGN 2.1's objective on the latents of the pairs."""

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

from ..models.looks import Look
from ..models.styles import STYLE_NAMES
from ..optimization import predict_clean
from .captions import caption
from .exercises import Exercises
from .pairs import ALIGNMENT, Pairs
from .texture import sliced_distance


def build(latent_channels: int, text_width: int) -> UNet2DConditionModel:
    """An untrained UNet with the image slot. The text also enters the timestep embedding (`addition_embed_type`), whose
    scale-and-shift reaches every block, also those at the two finest levels, which have no attention."""
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
    """v-prediction, zero terminal SNR, trailing spacing (Lin et al., 2024): the first of few steps starts from pure noise."""
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
    """How often each condition is missing in training, so that every branch of DESIGN 2.3 is in distribution."""

    text: float = 0.04
    image: float = 0.03
    both: float = 0.02
    mask: float = 0.06
    """Of the samples that keep their image; half of them lose their text."""


DRAWN_TWICE = (
    "watercolor", "pencil", "gouache", "pop art", "stained glass", "oil painting", "paper cut", "georgia o'keeffe",
    "peter mohrbacher", "anime", "comic",
)  # fmt: skip
DRAWN_THRICE = (
    "van gogh", "pixel art", "low-poly", "pointillism", "cubism", "ukiyo-e", "mosaic", "paul kenton", "feng zhu",
    "thomas kinkade",
)  # fmt: skip
"""Media that are learnt last are drawn so many times as often as the others."""
EXERCISE_SHARE = 0.1
"""Of the windows of the first stage of training."""
FRESH_SHARE, FRESH_BELOW = 0.25, 700
"""Of the samples at timesteps below this, where marks can be seen, so many are mixed with noise that knows nothing of them: what comes from
elsewhere, such as a warped frame (DESIGN 2.6), is noised so too."""


@torch.no_grad()
def embed_captions(encoder: CLIPTextModel, tokenizer: CLIPTokenizer, captions: list[str]) -> Tensor:
    """Hidden states of every caption, (N, tokens, width), as the pipeline gives them to the UNet."""
    tokens = tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
    with torch.autocast(encoder.device.type, dtype=torch.bfloat16):
        return encoder(tokens.input_ids.to(encoder.device))[0]


def random_mask(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """A blob mask (size, size) that keeps a random half or so: what 1(A > ψ) looks like."""
    coarse = torch.from_numpy(rng.standard_normal((1, 1, max(2, size // 4), max(2, size // 4))).astype(np.float32))
    field = F.interpolate(coarse, size=(size // 2, size // 2), mode="bicubic")
    mask = (field > float(rng.uniform(-0.6, 0.6))).float()
    return F.interpolate(mask, size=(size, size), mode="nearest")[0, 0].numpy()


TIMESTEPS = (999, 749, 499, 249)
"""Those of four steps, among them those of two and of one."""
SHARES = (0.45, 0.07, 0.41, 0.07)
"""Of the samples at one of these: most at the two of the defaults' two steps."""
UNIFORM_SHARE = 0.1
"""Of all samples, at any timestep: whoever asks for more steps meets them."""
OWN_SHARE = 0.6
"""Of the samples at the second of two steps, so many are mixed with what the UNet itself made at the first, as in sampling, instead of with the
teacher's: its second step then meets what it will meet."""


def few_step_timesteps(rng: np.random.Generator, batch: int) -> NDArray[np.int64]:
    """Mostly those of few steps (`SHARES`), some anywhere."""
    anywhere = rng.random(batch) < UNIFORM_SHARE
    return np.where(anywhere, rng.integers(0, 1000, batch), rng.choice(TIMESTEPS, batch, p=SHARES))


class Windows(NamedTuple):
    """A batch of windows of pictures."""

    clean: Tensor
    """Stylized latents, (B, C, h, w)."""
    noise: Tensor
    """That the marks of each hang on, and that it is mixed with; (B, C, h, w)."""
    image: Tensor
    """The image slot, (B, C, h, w)."""
    words: list[str]


def column_shares() -> NDArray[np.float64]:
    """How often each column of the pairs is drawn: the content itself, then every medium."""
    times = np.array([1.0 + (name in DRAWN_TWICE) + 2.0 * (name in DRAWN_THRICE) for name in STYLE_NAMES])
    return np.r_[0.03, 0.97 * times / times.sum()]


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
        pairs: the looks, which every draw says in other words, and the noise. Of two random pictures the one whose look names
            the scale of its marks is taken: words that few pictures show are learnt last.
        size: a multiple of ALIGNMENT; so are the windows' corners.
        dropout: how often conditions are missing.
        exercises: if given, EXERCISE_SHARE of the windows are theirs, without a frame.
    """
    rows_in_all, _, _, height, width = latents.shape
    shares = column_shares()

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
            drawn = [(int(rng.integers(rows_in_all)), int(rng.choice(len(shares), p=shares))) for _ in range(2)]
            row, column = max(drawn, key=lambda at: _says_scale(pairs.look(*at)))
            top, left = (ALIGNMENT * int(rng.integers((side - size) // ALIGNMENT + 1)) for side in (height, width))
            window = np.s_[:, top : top + size, left : left + size]
            condition = latents[row, 0][window].astype(np.float32)
            words = caption(pairs.look(row, column), rng)
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


def _says_scale(look: Look | None) -> bool:
    return look is not None and look.scale != ""


class Prediction(NamedTuple):
    """The UNet's answer for a batch of windows, and what is wanted of it."""

    velocity: Tensor
    wanted_velocity: Tensor
    clean: Tensor
    """x̂_0, (B, C, h, w)."""
    signal: Tensor
    """ᾱ_t, (B, 1, 1, 1)."""
    text: Tensor
    """(B, tokens, width)."""

    def squared_error(self) -> Tensor:
        return F.mse_loss(self.velocity, self.wanted_velocity)


def predict(
    unet: UNet2DConditionModel,
    windows: Windows,
    encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    rng: np.random.Generator,
) -> Prediction:
    """Noise the windows to timesteps of few-step sampling, at the second step partly from the UNet's own first, and ask the UNet."""
    device = next(unet.parameters()).device
    clean, noise, image = (part.to(device) for part in (windows.clean, windows.noise, windows.image))
    timesteps = torch.from_numpy(few_step_timesteps(rng, len(clean))).to(device)
    fresh = torch.from_numpy(rng.random(len(clean)) < FRESH_SHARE).to(device) & (timesteps < FRESH_BELOW)
    other = torch.from_numpy(rng.standard_normal(noise.shape, dtype=np.float32)).to(device)
    noise = torch.where(fresh.view(-1, 1, 1, 1), other, noise)
    text = embed_captions(encoder, tokenizer, windows.words)
    own = torch.from_numpy(rng.random(len(clean)) < OWN_SHARE).to(device) & (timesteps == TIMESTEPS[2]) & ~fresh
    known = clean
    if own.any():
        known = clean.clone()
        known[own] = first_step(unet, noise[own], image[own], text[own])
    signal = build_scheduler().alphas_cumprod.to(device)[timesteps].view(-1, 1, 1, 1)
    noisy = signal.sqrt() * known + (1 - signal).sqrt() * noise
    inputs = torch.cat([noisy, image], dim=1).to(unet.dtype)
    velocity = unet(inputs, timesteps, text.to(unet.dtype)).sample.float()
    # The velocity by which x̂_0 is the teacher's, whatever was mixed in.
    wanted = (signal.sqrt() * noisy - clean) / (1 - signal).sqrt()
    return Prediction(velocity, wanted, predict_clean(velocity, noisy, signal, "v_prediction"), signal, text)


@torch.no_grad()
def first_step(unet: UNet2DConditionModel, noise: Tensor, image: Tensor, text: Tensor) -> Tensor:
    """x̂_0 at zero terminal SNR, where the sample is the noise and x̂_0 the velocity's negative."""
    timesteps = torch.full((len(noise),), TIMESTEPS[0], device=noise.device)
    inputs = torch.cat([noise, image], dim=1).to(unet.dtype)
    return -unet(inputs, timesteps, text.to(unet.dtype)).sample.float()


def denoising_loss(
    unet: UNet2DConditionModel,
    draw: Draw,
    encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    texture_weight: float = 1.0,
) -> Callable[[np.random.Generator], dict[str, Tensor]]:
    """`‖v − v_θ(z_t, t, c_I, c_T, c_M)‖²`, DESIGN 2.1 in v-prediction, and the texture term of x̂_0."""
    # The fused kernel's backward pass takes three fifths of a step on a CPU; the plain one is 1.6 times faster in all.
    unet.set_attn_processor(AttnProcessor())

    def loss(rng: np.random.Generator) -> dict[str, Tensor]:
        windows = draw(rng)
        found = predict(unet, windows, encoder, tokenizer, rng)
        texture = sliced_distance(found.clean, windows.clean.to(found.clean.device))
        return {"squared": found.squared_error(), "texture": texture_weight * texture}

    return loss

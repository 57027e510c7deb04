"""StyleAVideoPipeline: DESIGN section 2 from top to bottom, as a diffusers pipeline."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import PIL.Image
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, DiffusionPipeline, UNet2DConditionModel
from diffusers.schedulers import KarrasDiffusionSchedulers
from diffusers.utils import BaseOutput
from diffusers.utils.torch_utils import randn_tensor
from numpy.typing import NDArray
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection
from transformers.image_processing_utils import BaseImageProcessor

from .errors import InputError
from .frames import Video, frames_to_tensor, pad_to_multiple, tensor_to_output
from .guidance import MASK, Guidance, branch_weights
from .optimization import Optimization, clip_image_embedding
from .sampling import Conditions, ContentGuide, denoise, step_arguments
from .self_attention import MaskRefresh, default_layer, record_attention

Noise = Literal["shared", "independent"]
Generators = torch.Generator | list[torch.Generator] | None
Callback = Callable[["StyleAVideoPipeline", int, Any, dict[str, Tensor]], dict[str, Tensor]]

FALLBACK_DEFAULTS: dict[str, Any] = {
    "num_inference_steps": 30, "guidance": "joint", "guidance_scale": 7.5, "image_guidance_scale": 1.5,
    "mask_guidance_scale": 0.0, "content_weight": 0.0, "size": 512,
}  # fmt: skip
"""Settings for a model that stores none of its own (hub checkpoints): InstructPix2Pix's."""


@dataclass
class StyleAVideoOutput(BaseOutput):
    """`frames`: (F, H, W, 3) float32 array in [0, 1] ("np"), (F, 3, H, W) tensor ("pt") or list of PIL images ("pil")."""

    frames: NDArray[np.float32] | Tensor | list[PIL.Image.Image]


class StyleAVideoPipeline(DiffusionPipeline):
    """Text-driven style transfer of video frames (Huang, Zhang and Dong, 2023).

    Args:
        vae: the first stage E, D. The latents of an AutoencoderTiny are used as they are: its scale must be the UNet's.
        text_encoder, tokenizer: make c_T.
        unet: a UNet whose input is z_t beside the frame latent c_I (InstructPix2Pix layout), see `load_pipeline`.
        scheduler: any diffusers scheduler with `alphas_cumprod`; ε-, v- or sample-prediction.
        image_encoder, feature_extractor: φ; may be None, then `content_weight` must be 0.
        sampling_defaults: the settings that suit the model, stored in its folder; see `FALLBACK_DEFAULTS` for the keys.
        fast_defaults: those that `fast=True` changes, of a model trained for few evaluations.
    """

    model_cpu_offload_seq = "text_encoder->image_encoder->unet->vae"
    _optional_components = ["image_encoder", "feature_extractor"]  # noqa: RUF012  (diffusers' own protocol)

    def __init__(
        self,
        vae: AutoencoderKL | AutoencoderTiny,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        unet: UNet2DConditionModel,
        scheduler: KarrasDiffusionSchedulers,
        image_encoder: CLIPVisionModelWithProjection | None = None,
        feature_extractor: BaseImageProcessor | None = None,
        sampling_defaults: dict[str, Any] | None = None,
        fast_defaults: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.register_modules(
            vae=vae, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet, scheduler=scheduler,
            image_encoder=image_encoder, feature_extractor=feature_extractor,
        )  # fmt: skip
        self.register_to_config(sampling_defaults=sampling_defaults, fast_defaults=fast_defaults)
        self.vae_scale_factor = 2 ** (len(vae.config.block_out_channels) - 1)
        self.advise: Callable[[str], list[str]] | None = None
        """What to tell a person of a prompt, in lines, where it is known which words the model knows; `load_pipeline` sets it."""

    def defaults(self, fast: bool = False) -> dict[str, Any]:
        """The settings used for whatever a call leaves out. Raises InputError for `fast` when the model has no fast mode."""
        if fast and not self.config.fast_defaults:
            raise InputError("this model has no fast mode: leave `fast` out, or give it a smaller num_inference_steps")
        return FALLBACK_DEFAULTS | (self.config.sampling_defaults or {}) | (self.config.fast_defaults if fast else {})

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | None,
        video: Video,
        negative_prompt: str = "",
        fast: bool = False,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        image_guidance_scale: float | None = None,
        mask_guidance_scale: float | None = None,
        guidance: Guidance | None = None,
        mask_refresh: MaskRefresh = "lagged",
        mask_layer: str | None = None,
        content_weight: float | None = None,
        optimization: Optimization = "decoder",
        noise: Noise = "shared",
        eta: float = 0.0,
        generator: Generators = None,
        latents: Tensor | None = None,
        prompt_embeds: Tensor | None = None,
        negative_prompt_embeds: Tensor | None = None,
        initial_frames: Tensor | None = None,
        strength: float = 1.0,
        batch_size: int = 8,
        output_type: Literal["np", "pil", "pt"] = "np",
        callback_on_step_end: Callback | None = None,
    ) -> StyleAVideoOutput:
        """Stylize frames. Settings left at None are the model's own defaults.

        Args:
            prompt: the style, one sentence.
            video: (F, H, W, 3) uint8 or float array in [0, 1], (F, 3, H, W) tensor in [0, 1], or a list of PIL images.
            negative_prompt: stands for ∅, the missing text.
            fast: take the model's settings for speed where a setting is left at None.
            num_inference_steps: denoising steps, ≥ 1.
            guidance_scale, image_guidance_scale, mask_guidance_scale: s_T, s_I, s_M of 2.3.
            guidance: "independent" (the paper's) or "joint" (nested, as InstructPix2Pix).
            mask_refresh: "exact" or "lagged" (2.2). `mask_layer`: the UNet layer that makes the mask, by name.
            content_weight: λ of 2.4; `optimization`: "exact" or "decoder".
            noise: "shared", one noise field for all frames (steady), or "independent", one for each.
            eta: of DDIM; other schedulers ignore it.
            generator: of starting noise, and of the noise that some schedulers draw at their steps; as in diffusers one, or a list of one a
                frame.
            latents: starting noise (F or 1, C, ⌈H/f⌉, ⌈W/f⌉), f = `vae_scale_factor`, variance 1, instead of drawing it from `generator`.
            prompt_embeds, negative_prompt_embeds: what `encode_prompt` made of the prompts, (1, tokens, width), for who calls again and
                again; `prompt` may then be None.
            initial_frames: stylized frames (F, 3, H, W) in [0, 1] to start from (2.6) instead of from noise alone: the noise is
                added to their latents, and only the last `strength` of the steps is taken.
            strength: share of the steps that is taken, above 0 and up to 1, as in diffusers' image-to-image pipelines.
            batch_size: frames denoised together; changes the result of deterministic schedulers by rounding only.
            callback_on_step_end: called as (pipe, step, timestep, {"latents": ...}); may return new latents in a dict.

        Returns:
            The stylized frames, of the input's height and width.

        Raises:
            InputError: for an empty prompt, no frames, or a setting that is out of its range.
        """
        settings = self.check_settings(
            fast=fast, num_inference_steps=num_inference_steps, guidance_scale=guidance_scale, guidance=guidance,
            image_guidance_scale=image_guidance_scale, mask_guidance_scale=mask_guidance_scale, content_weight=content_weight,
            mask_refresh=mask_refresh, optimization=optimization, noise=noise, eta=eta, batch_size=batch_size,
            output_type=output_type, strength=strength,
        )  # fmt: skip
        frames = frames_to_tensor(video)
        if isinstance(generator, list) and len(generator) != len(frames):
            raise InputError(f"{len(generator)} generators for {len(frames)} frames: give one, or one a frame")
        padded = pad_to_multiple(frames, self.vae_scale_factor)
        begun = self._begun(frames, initial_frames, strength)
        weights = branch_weights(
            settings["guidance"],
            settings["image_guidance_scale"],
            settings["guidance_scale"],
            settings["mask_guidance_scale"],
        )
        text = self.encode_prompt(prompt) if prompt_embeds is None else prompt_embeds
        no_text = negative_prompt_embeds
        if no_text is None:
            no_text = self.encode_prompt(negative_prompt, allow_empty=True)
        start = self.prepare_latents(padded, noise, generator, latents)
        layer = (mask_layer or default_layer(self.unet)) if MASK in weights else None

        stylized = []
        for k, (images, z) in enumerate(zip(padded.split(batch_size), start.split(batch_size), strict=True)):
            images = images.to(start.device)
            some = slice(k * batch_size, k * batch_size + len(z))
            generators = generator[some] if isinstance(generator, list) else generator
            self.scheduler.set_timesteps(settings["num_inference_steps"], device=start.device)
            timesteps = self.scheduler.timesteps
            if begun is None:
                z = z * self.scheduler.init_noise_sigma
            else:
                timesteps = self._last_timesteps(strength)
                z = self._noised(begun[some], z, timesteps[:1])
            conditions = Conditions(self.encode_frames(images), text, no_text)
            with record_attention(self.unet, layer) if layer else nullcontext() as record:
                z = denoise(
                    self.unet, self.scheduler, z, timesteps, weights, conditions, record, mask_refresh,
                    self.content_guide(images, settings["content_weight"], optimization),
                    step_arguments(self.scheduler, generators, eta), self._on_step_end(callback_on_step_end),
                )  # fmt: skip
            stylized.append(self.decode_latents(z).float().cpu())
        height, width = frames.shape[-2:]
        return StyleAVideoOutput(tensor_to_output(torch.cat(stylized)[..., :height, :width], output_type))

    def encode_prompt(self, prompt: str | None, allow_empty: bool = False) -> Tensor:
        """c_T, (1, tokens, width). Warns of words that mean nothing to the model, where that is known, and of those beyond the
        tokenizer's length, which it quotes.

        Raises InputError for an empty prompt unless `allow_empty`.
        """
        if not isinstance(prompt, str):
            raise InputError(f"the prompt is {type(prompt).__name__}: give one sentence, a string")
        if not prompt.strip() and not allow_empty:
            raise InputError('the prompt is empty: describe the style, e.g. "Make it an Ukiyo-e painting."')
        if self.advise and not allow_empty:
            for line in self.advise(prompt):
                warnings.warn(line, stacklevel=3)
        limit = self.tokenizer.model_max_length
        tokens = self.tokenizer(prompt, padding="max_length", max_length=limit, truncation=True, return_tensors="pt")
        everything = self.tokenizer(prompt, truncation=False, verbose=False).input_ids
        if len(everything) > limit:
            lost = self.tokenizer.decode(everything[limit - 1 : -1])
            warnings.warn(
                f"the prompt is longer than this model's {limit} tokens; it does not see: {lost!r}", stacklevel=3
            )
        return self.text_encoder(tokens.input_ids.to(self._execution_device))[0].to(self.unet.dtype)

    def prepare_latents(self, frames: Tensor, noise: Noise, generator: Generators, latents: Tensor | None) -> Tensor:
        """Starting noise z_T / init_noise_sigma for padded frames: (F, C, h, w) float32, variance 1."""
        count, _, height, width = frames.shape
        device = self._execution_device
        shape = (1, self.vae.config.latent_channels, height // self.vae_scale_factor, width // self.vae_scale_factor)
        if latents is not None:
            if latents.shape[1:] != shape[1:] or len(latents) not in (1, count):
                raise InputError(f"latents are {tuple(latents.shape)}; these frames need {(count, *shape[1:])}")
            return latents.to(device, torch.float32).expand(count, -1, -1, -1)
        # One field at a time, so that a frame's noise does not depend on how many frames come with it.
        generators = generator if isinstance(generator, list) else [generator] * count
        fields = [
            randn_tensor(shape, generator=own, device=device, dtype=torch.float32)
            for own in generators[: count if noise == "independent" else 1]
        ]
        return torch.cat(fields).expand(count, -1, -1, -1)

    def _begun(self, frames: Tensor, initial_frames: Tensor | None, strength: float) -> Tensor | None:
        """The initial frames, padded as the video is."""
        if initial_frames is None:
            if strength != 1:
                raise InputError(f"strength is {strength}: it is for initial_frames, and there are none")
            return None
        begun = frames_to_tensor(initial_frames)
        if begun.shape != frames.shape:
            raise InputError(f"initial_frames are {tuple(begun.shape)}: the video is {tuple(frames.shape)}")
        return pad_to_multiple(begun, self.vae_scale_factor)

    def _last_timesteps(self, strength: float) -> Tensor:
        """The timesteps of the last `strength` of the steps, one at least; the scheduler is told where it begins."""
        steps = self.scheduler.num_inference_steps
        skipped = steps - max(1, min(steps, int(steps * strength + 1e-6)))
        order: int = self.scheduler.order
        if hasattr(self.scheduler, "set_begin_index"):
            self.scheduler.set_begin_index(skipped * order)
        timesteps: Tensor = self.scheduler.timesteps[skipped * order :]
        return timesteps

    def _noised(self, stylized: Tensor, noise: Tensor, timestep: Tensor) -> Tensor:
        """z_t of stylized frames (F, 3, H, W) in [0, 1]: their scaled latents with `noise` (F, C, h, w) added as at `timestep` (1,)."""
        clean = self.encode_frames(stylized.to(noise.device)).float() * self.vae.config.scaling_factor
        noised: Tensor = self.scheduler.add_noise(clean, noise, timestep.expand(len(clean)))
        return noised

    def encode_frames(self, images: Tensor) -> Tensor:
        """c_I = mode of E(I^f), not scaled (2.1). `images`: (F, 3, H, W) in [0, 1], H and W multiples of the grid."""
        encoded = self.vae.encode((images * 2 - 1).to(self.vae.dtype))
        # AutoencoderTiny has latents where AutoencoderKL has a posterior.
        latents: Tensor = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mode()
        return latents.to(self.unet.dtype)

    def decode_latents(self, latents: Tensor) -> Tensor:
        """D: (F, C, h, w) -> (F, 3, H, W) in [0, 1]."""
        images = self.vae.decode((latents / self.vae.config.scaling_factor).to(self.vae.dtype)).sample
        return (images / 2 + 0.5).clamp(0, 1)

    def content_guide(self, images: Tensor, weight: float, mode: Optimization) -> ContentGuide | None:
        """What 2.4 needs for these frames; None when λ = 0. Raises InputError when the model has no φ."""
        if weight == 0:
            return None
        if self.image_encoder is None:
            raise InputError("this model has no image encoder: use content_weight=0, or load it with image_encoder=...")
        embed = clip_image_embedding(self.image_encoder, self.feature_extractor)
        return ContentGuide(embed(images), embed, self.decode_latents, weight, mode)

    def check_settings(self, fast: bool = False, **given: Any) -> dict[str, Any]:
        """The given settings of a call over the model's defaults (for those that are None).

        Raises InputError for one that is not of its kind or out of its range.
        """
        settings = self.defaults(fast) | {name: value for name, value in given.items() if value is not None}
        for name, value in settings.items():
            if name in ("num_inference_steps", "batch_size"):
                if not isinstance(value, Integral) or value < 1:
                    raise InputError(f"{name} is {value!r}: give a whole number, 1 or more")
            elif name in _SCALES and not (isinstance(value, Real) and math.isfinite(value)):
                raise InputError(f"{name} is {value!r}: give a finite number")
        most = self.scheduler.config.num_train_timesteps
        if settings["num_inference_steps"] > most:
            raise InputError(
                f"num_inference_steps is {settings['num_inference_steps']}: this scheduler has {most} at the most"
            )
        if not 0 < settings.get("strength", 1.0) <= 1:
            raise InputError(f"strength is {settings['strength']}: give a number above 0 and up to 1")
        if settings["content_weight"] < 0:
            raise InputError(f"content_weight is {settings['content_weight']}: give 0 or more")
        for name, choices in _CHOICES.items():
            if name in settings and settings[name] not in choices:
                raise InputError(f"{name} is {settings[name]!r}: choose one of {', '.join(choices)}")
        return settings

    def _on_step_end(self, callback: Callback | None) -> Callable[[int, Any, Tensor], Tensor] | None:
        if callback is None:
            return None
        return lambda index, timestep, z: (callback(self, index, timestep, {"latents": z}) or {}).get("latents", z)


_SCALES = ("guidance_scale", "image_guidance_scale", "mask_guidance_scale", "content_weight", "eta", "strength")
_CHOICES = {
    "guidance": ("independent", "joint"), "mask_refresh": ("exact", "lagged"), "optimization": ("exact", "decoder"),
    "noise": ("shared", "independent"), "output_type": ("np", "pil", "pt"),
}  # fmt: skip

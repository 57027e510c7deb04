"""StyleAVideoPipeline: section 2 of docs/method.md from top to bottom, as a diffusers pipeline."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, DiffusionPipeline, UNet2DConditionModel
from diffusers.schedulers import KarrasDiffusionSchedulers
from diffusers.utils import BaseOutput
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor
from transformers import BertModel, BertTokenizerFast, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection
from transformers.image_processing_utils import BaseImageProcessor

from .errors import InputError
from .frames import Picture, Video, pad_to_multiple, picture_to_tensor, tensor_to_output, video_to_tensor
from .guidance import MASK, branch_weights
from .optimization import clip_image_embedding, normalized
from .sampling import Conditions, ContentGuide, denoise, last_timesteps, step_arguments
from .schedulers import scheduler_by_name
from .self_attention import default_layer, record_attention
from .settings import (
    INSTRUCT_PIX2PIX_DEFAULTS,
    CallSettings,
    FrameNoise,
    Guidance,
    MaskRefresh,
    Optimization,
    OutputType,
    ResolvedSettings,
    Settings,
)
from .style_pictures import style_tokens

Generators = torch.Generator | list[torch.Generator] | None
Callback = Callable[["StyleAVideoPipeline", int, Any, dict[str, Tensor]], dict[str, Tensor]]


@dataclass
class StyleAVideoOutput(BaseOutput):
    """What a call of the pipeline returns."""

    frames: Any
    """(F, H, W, 3) float32 array in [0, 1] ("np"), (F, 3, H, W) tensor ("pt") or list of PIL images ("pil")."""


class StyleAVideoPipeline(DiffusionPipeline):
    """Text-driven style transfer of video frames (Huang, Zhang and Dong, 2023).

    Args:
        vae: the first stage E, D. The latents of an AutoencoderTiny are used as they are: its scale must be the UNet's.
        text_encoder, tokenizer: make c_T.
        unet: a UNet whose input is z_t beside the frame latent c_I (InstructPix2Pix layout), see `load_pipeline`.
        scheduler: any diffusers scheduler with `alphas_cumprod`; ε-, v- or sample-prediction.
        image_encoder, feature_extractor: φ. Without them `content_weight` must be 0.
        sampling_defaults: settings that suit the model, stored in its folder. Keys as in `INSTRUCT_PIX2PIX_DEFAULTS`.
        fast_defaults: overrides for `fast=True`, of a model that was trained for few steps.
        style_pictures: whether the UNet was trained to read φ's tokens of a style picture.
    """

    model_cpu_offload_seq = "text_encoder->image_encoder->unet->vae"
    _optional_components = ["image_encoder", "feature_extractor"]  # noqa: RUF012  (diffusers' own protocol)

    def __init__(
        self,
        vae: AutoencoderKL | AutoencoderTiny,
        text_encoder: CLIPTextModel | BertModel,
        tokenizer: CLIPTokenizer | BertTokenizerFast,
        unet: UNet2DConditionModel,
        scheduler: KarrasDiffusionSchedulers,
        image_encoder: CLIPVisionModelWithProjection | None = None,
        feature_extractor: BaseImageProcessor | None = None,
        sampling_defaults: dict[str, Any] | None = None,
        fast_defaults: dict[str, Any] | None = None,
        style_pictures: bool = False,
    ) -> None:
        super().__init__()
        self.register_modules(
            vae=vae, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet, scheduler=scheduler,
            image_encoder=image_encoder, feature_extractor=feature_extractor,
        )  # fmt: skip
        self.register_to_config(
            sampling_defaults=sampling_defaults, fast_defaults=fast_defaults, style_pictures=style_pictures
        )
        self.vae_scale_factor = 2 ** (len(vae.config.block_out_channels) - 1)
        self.understand: Callable[[str], tuple[str, list[str]]] | None = None
        """The sentence for the UNet that a prompt means, and warnings. `load_pipeline` sets it where a reader is."""

    def defaults(self, fast: bool = False) -> dict[str, Any]:
        """The settings used for whatever a call leaves out. Raises InputError for `fast` without a fast mode."""
        if fast and not self.config.fast_defaults:
            raise InputError("this model has no fast mode: leave `fast` out, or give it a smaller num_inference_steps")
        own = self.config.sampling_defaults or {}
        return INSTRUCT_PIX2PIX_DEFAULTS | own | (self.config.fast_defaults if fast else {})

    def resolve(self, settings: Settings) -> ResolvedSettings:
        """A job's settings with this model's defaults in place of None.

        Raises InputError for too many steps, and for `fast` where the model has no fast mode.
        """
        resolved = settings.resolve(self.defaults(settings.fast))
        self._check_steps(resolved.num_inference_steps)
        return resolved

    def with_scheduler(self, name: str | None) -> StyleAVideoPipeline:
        """This pipeline with another scheduler (`schedulers.SCHEDULERS`), all models shared; itself for None."""
        if name is None:
            return self
        parts = self.components | {"scheduler": scheduler_by_name(name, self.scheduler)}
        own = ("sampling_defaults", "fast_defaults", "style_pictures")
        other = type(self)(**parts, **{name: self.config[name] for name in own})
        other.understand = self.understand
        return other

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
        noise: FrameNoise = "shared",
        eta: float = 0.0,
        generator: Generators = None,
        latents: Tensor | None = None,
        style_image: Picture | None = None,
        style_image_weight: float = 1.0,
        prompt_embeds: Tensor | None = None,
        negative_prompt_embeds: Tensor | None = None,
        initial_frames: Tensor | None = None,
        initial_strength: float = 1.0,
        strength: float = 1.0,
        batch_size: int = 8,
        output_type: OutputType = "np",
        callback_on_step_end: Callback | None = None,
    ) -> StyleAVideoOutput:
        """Stylize frames. Settings left at None are the model's own defaults.

        Args:
            prompt: the style, one sentence. May be None where `style_image` shows it.
            video: (F, H, W, 3) uint8 or float array in [0, 1], (F, 3, H, W) tensor in [0, 1], or a list of PIL images.
            negative_prompt: stands for ∅, the missing text.
            fast: take the model's settings for speed where a setting is left at None.
            num_inference_steps: denoising steps, 1 or more.
            guidance_scale, image_guidance_scale, mask_guidance_scale: s_T, s_I, s_M of section 2.3.
            guidance: "independent" (the paper's) or "joint" (nested, as in InstructPix2Pix).
            mask_refresh: "exact" or "lagged" (section 2.2).
            mask_layer: name of the UNet layer that makes the mask.
            content_weight: λ of section 2.4; `optimization` is "exact" or "decoder".
            noise: "shared", one noise field for all frames (steady), or "independent", one for each.
            eta: of DDIM; other schedulers ignore it.
            generator: of starting noise, and of noise that a scheduler draws at its steps: one, or a list of one a
                frame.
            latents: starting noise (F or 1, C, ⌈H/f⌉, ⌈W/f⌉), f = `vae_scale_factor`, of variance 1, instead of
                drawing it from `generator`.
            style_image: a picture in the wanted style: (H, W, 3) uint8 or float array in [0, 1], (3, H, W) tensor in
                [0, 1], or PIL image.
            style_image_weight: how much of it is heeded beside the text, 0 or more.
            prompt_embeds, negative_prompt_embeds: results of `encode_style`, (1, tokens, width), for repeated calls.
                `prompt` may then be None.
            initial_frames: stylized frames (F, 3, H, W) in [0, 1] to start from, as in image-to-image pipelines. Noise
                is added to their latents, and only the last `initial_strength` of the steps is taken.
            initial_strength: share of the steps that is taken, above 0 and up to 1. At 1 all is noise and nothing is
                left of `initial_frames`.
            strength: how far the style changes the frame, 0 to 1 (section 2.3).
            batch_size: frames denoised together. With deterministic schedulers it changes the result by rounding only.
            callback_on_step_end: called as (pipe, step, timestep, {"latents": …}); may return new latents in a dict.

        Returns:
            The stylized frames, of the input's height and width.

        Raises:
            InputError: for an empty prompt, no frames, or a setting that is out of its range.
        """
        given: dict[str, Any] = {
            "num_inference_steps": num_inference_steps,
            "guidance": guidance,
            "guidance_scale": guidance_scale,
            "image_guidance_scale": image_guidance_scale,
            "mask_guidance_scale": mask_guidance_scale,
            "content_weight": content_weight,
        }
        settings = CallSettings(
            **{name: self.defaults(fast)[name] if value is None else value for name, value in given.items()},
            mask_refresh=mask_refresh, optimization=optimization, noise=noise, eta=eta, strength=strength,
            initial_strength=initial_strength, batch_size=batch_size, output_type=output_type,
        )  # fmt: skip
        self._check_steps(settings.num_inference_steps)
        frames = video_to_tensor(video)
        if isinstance(generator, list) and len(generator) != len(frames):
            raise InputError(f"{len(generator)} generators for {len(frames)} frames: give one, or one per frame")
        text, no_text = prompt_embeds, negative_prompt_embeds
        if text is None or no_text is None:
            encoded = self.encode_style(prompt or "", negative_prompt, style_image, style_image_weight)
            text = encoded[0] if text is None else text
            no_text = encoded[1] if no_text is None else no_text
        padded = pad_to_multiple(frames, self.vae_scale_factor)
        initial = self._padded_initial_frames(frames, initial_frames, settings.initial_strength)
        start = self.prepare_latents(padded, settings.noise, generator, latents)
        stylized = []
        for first in range(0, len(frames), batch_size):
            some = slice(first, first + batch_size)
            stylized.append(
                self._stylize_batch(
                    padded[some].to(start.device), start[some], None if initial is None else initial[some],
                    text, no_text, settings, generator[some] if isinstance(generator, list) else generator,
                    mask_layer, callback_on_step_end,
                )
            )  # fmt: skip
        height, width = frames.shape[-2:]
        return StyleAVideoOutput(tensor_to_output(torch.cat(stylized)[..., :height, :width], settings.output_type))

    def _stylize_batch(
        self,
        images: Tensor,
        noise: Tensor,
        initial_frames: Tensor | None,
        text: Tensor,
        no_text: Tensor,
        settings: CallSettings,
        generator: Generators,
        mask_layer: str | None,
        callback: Callback | None,
    ) -> Tensor:
        """Stylize padded frames (F, 3, H, W) in [0, 1] from noise (F, C, h, w); the result is on the CPU."""
        weights = branch_weights(
            settings.guidance,
            settings.image_guidance_scale,
            settings.guidance_scale,
            settings.mask_guidance_scale,
        )
        layer = (mask_layer or default_layer(self.unet)) if MASK in weights else None
        try:
            self.scheduler.set_timesteps(settings.num_inference_steps, device=noise.device)
        except ValueError as error:
            name = type(self.scheduler).__name__
            raise InputError(f"{name} cannot take {settings.num_inference_steps} steps: {error}") from error
        timesteps = last_timesteps(self.scheduler, settings.initial_strength)
        # Where no step is skipped, all is noise: as in diffusers' inpainting.
        z = noise * self.scheduler.init_noise_sigma
        if initial_frames is not None and len(timesteps) < len(self.scheduler.timesteps):
            z = self._add_noise(initial_frames, noise, timesteps[:1])
        conditions = Conditions(self.encode_frames(images), text, no_text)
        frame_latents = conditions.frame.float() * self.vae.config.scaling_factor
        with record_attention(self.unet, layer) if layer else nullcontext() as record:
            z = denoise(
                self.unet, self.scheduler, z, timesteps, weights, conditions, record, settings.mask_refresh,
                self.content_guide(images, settings.content_weight, settings.optimization),
                step_arguments(self.scheduler, generator, settings.eta), self._on_step_end(callback),
                settings.strength, frame_latents,
            )  # fmt: skip
        return self.decode_latents(z).float().cpu()

    def encode_style(
        self,
        prompt: str,
        negative_prompt: str = "",
        style_image: Picture | None = None,
        style_image_weight: float = 1.0,
    ) -> tuple[Tensor, Tensor]:
        """c_T and ∅, (1, tokens, width): states of the sentences, and after them the tokens of a style picture.

        Raises InputError for an empty prompt without a picture, and for a picture where the model has no φ whose
        tokens its UNet can read.
        """
        text = self.encode_prompt(prompt, allow_empty=style_image is not None)
        no_text = self.encode_prompt(negative_prompt, allow_empty=True)
        if style_image is None:
            return text, no_text
        width = None if self.image_encoder is None else self.image_encoder.config.projection_dim
        if width != text.shape[-1] or not self.config.style_pictures:
            raise InputError("this model cannot take its style from a picture: leave style_image out, say it in words")
        pixels = picture_to_tensor(style_image).to(self._execution_device)
        tokens = style_tokens(self.image_encoder, normalized(pixels, self.image_encoder, self.feature_extractor))
        tokens = style_image_weight * tokens.to(text.dtype)
        return torch.cat([text, tokens], dim=1), torch.cat([no_text, torch.zeros_like(tokens)], dim=1)

    def encode_prompt(self, prompt: str | None, allow_empty: bool = False) -> Tensor:
        """c_T, (1, tokens, width). Raises InputError for an empty prompt unless `allow_empty`.

        Warns of a prompt far from all that a model of this project was taught, and of words beyond its token limit.
        """
        if not isinstance(prompt, str):
            raise InputError(f"the prompt is {type(prompt).__name__}: give one sentence, a string")
        if not prompt.strip() and not allow_empty:
            raise InputError('the prompt is empty: describe the style, e.g. "Make it an Ukiyo-e painting."')
        if self.understand and prompt.strip():
            prompt, lines = self.understand(prompt)
            for line in lines if not allow_empty else ():
                warnings.warn(line, stacklevel=3)
        limit = self.tokenizer.model_max_length
        tokens = self.tokenizer(prompt, padding="max_length", max_length=limit, truncation=True, return_tensors="pt")
        everything = self.tokenizer(prompt, truncation=False, verbose=False).input_ids
        if len(everything) > limit:
            lost = self.tokenizer.decode(everything[limit - 1 : -1])
            warnings.warn(
                f"the prompt is longer than this model's {limit} tokens; it does not see: {lost!r}", stacklevel=3
            )
        tokens = tokens.to(self._execution_device)
        # As diffusers' own pipelines do it.
        masked = getattr(self.text_encoder.config, "use_attention_mask", False)
        mask = tokens.attention_mask if masked else None
        return self.text_encoder(tokens.input_ids, attention_mask=mask)[0].to(self.unet.dtype)

    def prepare_latents(
        self, frames: Tensor, noise: FrameNoise, generator: Generators, latents: Tensor | None
    ) -> Tensor:
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

    def _padded_initial_frames(self, frames: Tensor, initial_frames: Tensor | None, share: float) -> Tensor | None:
        """The initial frames, padded as the video is."""
        if initial_frames is None:
            if share != 1:
                raise InputError(f"initial_strength is {share}: it is for initial_frames, and there are none")
            return None
        initial = video_to_tensor(initial_frames)
        if initial.shape != frames.shape:
            raise InputError(f"initial_frames are {tuple(initial.shape)}: the video is {tuple(frames.shape)}")
        return pad_to_multiple(initial, self.vae_scale_factor)

    def _add_noise(self, stylized: Tensor, noise: Tensor, timestep: Tensor) -> Tensor:
        """z_t of stylized frames (F, 3, H, W) in [0, 1].

        `noise` (F, C, h, w) is added to their scaled latents as at `timestep` (1,).
        """
        clean = self.encode_frames(stylized.to(noise.device)).float() * self.vae.config.scaling_factor
        noised: Tensor = self.scheduler.add_noise(clean, noise, timestep.expand(len(clean)))
        return noised

    def encode_frames(self, images: Tensor) -> Tensor:
        """c_I = mode of E(I^f), not scaled (section 2.1).

        `images` are (F, 3, H, W) in [0, 1], H and W multiples of `vae_scale_factor`.
        """
        encoded = self.vae.encode((images * 2 - 1).to(self.vae.dtype))
        # AutoencoderTiny has latents where AutoencoderKL has a posterior.
        latents: Tensor = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mode()
        return latents.to(self.unet.dtype)

    def decode_latents(self, latents: Tensor) -> Tensor:
        """D: (F, C, h, w) -> (F, 3, H, W) in [0, 1]."""
        images = self.vae.decode((latents / self.vae.config.scaling_factor).to(self.vae.dtype)).sample
        return (images / 2 + 0.5).clamp(0, 1)

    def content_guide(self, images: Tensor, weight: float, mode: Optimization) -> ContentGuide | None:
        """What section 2.4 needs for these frames; None when λ = 0. Raises InputError when the model has no φ."""
        if weight == 0:
            return None
        if self.image_encoder is None:
            raise InputError("this model has no image encoder: use content_weight=0, or load it with image_encoder=...")
        # At zero terminal SNR a constant prediction has no gradient.
        if mode == "decoder" and len(self.scheduler.timesteps) == 1 and self.scheduler.config.rescale_betas_zero_snr:
            raise InputError("content_weight does nothing in a single step: take two, or optimization 'exact'")
        embed = clip_image_embedding(self.image_encoder, self.feature_extractor)
        return ContentGuide(embed(images), embed, self.decode_latents, weight, mode)

    def _check_steps(self, steps: int) -> None:
        most = self.scheduler.config.num_train_timesteps
        if steps > most:
            raise InputError(f"num_inference_steps is {steps}: this scheduler has {most} at the most")

    def _on_step_end(self, callback: Callback | None) -> Callable[[int, Any, Tensor], Tensor] | None:
        if callback is None:
            return None
        return lambda index, timestep, z: (callback(self, index, timestep, {"latents": z}) or {}).get("latents", z)

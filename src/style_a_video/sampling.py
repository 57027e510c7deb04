"""The denoising loop: sections 2.2 to 2.4 of docs/method.md at every step.

State is passed in. Nothing here knows where frames come from.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .guidance import IMAGE, MASK, Branch, combine
from .optimization import (
    ImageEmbedding,
    alpha_cumprod_at,
    constant_prediction,
    content_gradient,
    content_loss,
    predict_clean,
    prediction_of,
)
from .self_attention import AttentionRecord, attention_mask, layer_grid, upsample_mask
from .settings import MaskRefresh, Optimization

StepEnd = Callable[[int, Any, Tensor], Tensor]
"""Called after every step with (index, timestep, latents); returns the latents to go on with."""


@dataclass(frozen=True)
class Conditions:
    """What the UNet is told about F frames."""

    frame: Tensor
    """c_I: (F, C, h, w), the mode of E(I^f), unscaled."""
    text: Tensor
    """c_T: (1, tokens, width)."""
    no_text: Tensor
    """∅, or the negative prompt: (1, tokens, width)."""


@dataclass(frozen=True)
class ContentGuide:
    """What section 2.4 needs."""

    target: Tensor
    """φ(I^f), (F, D)."""
    embed: ImageEmbedding
    """φ."""
    decode: Callable[[Tensor], Tensor]
    """D: latents -> (F, 3, H, W) in [0, 1]."""
    weight: float
    """λ."""
    mode: Optimization


def evaluate_branches(
    unet: Any, sample: Tensor, timestep: Any, branches: Iterable[Branch], conditions: Conditions, mask: Tensor | None
) -> dict[Branch, Tensor]:
    """The UNet's output for every branch, all branches x frames in one batch.

    `sample` is (F, C, h, w), `mask` bool (F, 1, h, w).
    """
    branches = list(branches)
    frames = len(sample)
    slots = {"none": torch.zeros_like(conditions.frame), "frame": conditions.frame}
    if mask is not None:
        slots["mask"] = mask.to(conditions.frame.dtype) * conditions.frame
    inputs = torch.cat(
        [torch.cat([sample.to(conditions.frame.dtype), slots[branch.image]], dim=1) for branch in branches]
    )
    texts = torch.cat(
        [(conditions.text if branch.text else conditions.no_text).expand(frames, -1, -1) for branch in branches]
    )
    output = unet(inputs, timestep, encoder_hidden_states=texts).sample
    return dict(zip(branches, output.to(sample.dtype).chunk(len(branches)), strict=True))


def evaluate_with_mask(
    unet: Any,
    sample: Tensor,
    timestep: Any,
    weights: Mapping[Branch, float],
    conditions: Conditions,
    record: AttentionRecord,
    lagged_mask: Tensor | None,
) -> tuple[dict[Branch, Tensor], Tensor]:
    """The branches when one of them is c_M, and the mask M of this step (section 2.2).

    Without a lagged mask, (c_I, ∅) comes first: its attention makes M, and the other branches follow in a second call.
    With one, everything goes in one call on the mask of the step before.
    """
    others = [branch for branch in weights if branch != IMAGE]
    if lagged_mask is None:
        predictions = evaluate_branches(unet, sample, timestep, [IMAGE], conditions, None)
        mask = _mask_of_record(record, sample)
        return predictions | evaluate_branches(unet, sample, timestep, others, conditions, mask), mask
    predictions = evaluate_branches(unet, sample, timestep, [IMAGE, *others], conditions, lagged_mask)
    return predictions, _mask_of_record(record, sample)


def _mask_of_record(record: AttentionRecord, sample: Tensor) -> Tensor:
    """M on the latent grid from the recorded (c_I, ∅) branch, which leads its batch."""
    if record.output is None:
        raise RuntimeError("the attention layer was not reached by the UNet")
    output = record.output[: len(sample)].detach()
    size = (sample.shape[-2], sample.shape[-1])
    return upsample_mask(attention_mask(output, layer_grid(output.shape[1], size)), size)


def denoise(
    unet: Any,
    scheduler: Any,
    latents: Tensor,
    timesteps: Iterable[Any],
    weights: Mapping[Branch, float],
    conditions: Conditions,
    record: AttentionRecord | None = None,
    mask_refresh: MaskRefresh = "lagged",
    content: ContentGuide | None = None,
    step_arguments: Mapping[str, Any] | None = None,
    on_step_end: StepEnd | None = None,
    strength: float = 1.0,
    frame_latents: Tensor | None = None,
) -> Tensor:
    """From latents at the first timestep to latents at the end, (F, C, h, w).

    With a `strength` below 1, every step's ε̃ is drawn towards the prediction whose x̂_0 are the `frame_latents`
    (F, C, h, w), scaled as z_0 is.

    `record` (of the layer that makes M) is needed when `weights` holds the mask branch. A step calls the UNet once,
    once more when the mask is exact, and once more when `content` is given: ε̃ is then evaluated again at z_t − λ·Δz_t.
    """
    if MASK in weights and record is None:
        raise ValueError("a mask branch needs the record of the layer that makes its mask")
    evaluate = partial(guided_prediction, unet, scheduler, weights, conditions, record)
    mask: Tensor | None = None
    for index, timestep in enumerate(timesteps):
        lagged = mask if mask_refresh == "lagged" else None
        if content is None:
            prediction, mask = evaluate(latents, timestep, lagged)
        else:
            gradient, mask = _content_gradient(evaluate, scheduler, latents, timestep, lagged, content)
            # The step is taken from there too. From z_t, the shift itself would return in x̂_0 with the opposite sign.
            latents = latents - content.weight * gradient
            shifted = scheduler.scale_model_input(latents, timestep)
            prediction = combine(evaluate_branches(unet, shifted, timestep, weights, conditions, mask), weights)
        if strength < 1 and frame_latents is not None:
            sample, alpha = scheduler.scale_model_input(latents, timestep), alpha_cumprod_at(scheduler, timestep)
            keep = prediction_of(frame_latents, sample, alpha, scheduler.config.prediction_type)
            prediction = torch.lerp(keep, prediction, strength)
        latents = scheduler.step(prediction, timestep, latents, **(step_arguments or {}), return_dict=False)[0]
        if on_step_end is not None:
            latents = on_step_end(index, timestep, latents)
    return latents


def guided_prediction(
    unet: Any,
    scheduler: Any,
    weights: Mapping[Branch, float],
    conditions: Conditions,
    record: AttentionRecord | None,
    latents: Tensor,
    timestep: Any,
    lagged_mask: Tensor | None,
) -> tuple[Tensor, Tensor | None]:
    """ε̃ of section 2.3 at z_t, and the mask M of this step (None without a mask branch)."""
    sample = scheduler.scale_model_input(latents, timestep)
    if record is None or MASK not in weights:
        return combine(evaluate_branches(unet, sample, timestep, weights, conditions, None), weights), None
    predictions, mask = evaluate_with_mask(unet, sample, timestep, weights, conditions, record, lagged_mask)
    return combine(predictions, weights), mask


def _content_gradient(
    evaluate: Callable[[Tensor, Any, Tensor | None], tuple[Tensor, Tensor | None]],
    scheduler: Any,
    latents: Tensor,
    timestep: Any,
    lagged_mask: Tensor | None,
    content: ContentGuide,
) -> tuple[Tensor, Tensor | None]:
    """Δz_t of section 2.4, and the mask that was made on the way."""
    with torch.enable_grad():
        z = latents.detach().requires_grad_(True)
        with torch.set_grad_enabled(content.mode == "exact"):
            prediction, mask = evaluate(z, timestep, lagged_mask)
        alpha_cumprod = alpha_cumprod_at(scheduler, timestep)
        sample = scheduler.scale_model_input(z, timestep)
        kind = scheduler.config.prediction_type
        if content.mode == "decoder":
            prediction, kind = constant_prediction(prediction, sample, alpha_cumprod, kind)
        clean = predict_clean(prediction, sample, alpha_cumprod, kind)
        loss = content_loss(content.embed(content.decode(clean)), content.target)
        return content_gradient(loss, z), mask


def last_timesteps(scheduler: Any, share: float) -> Tensor:
    """The timesteps of the last `share` of the steps, at least one. The scheduler is told where it begins."""
    steps = scheduler.num_inference_steps
    skipped = steps - max(1, min(steps, int(steps * share + 1e-6)))
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(skipped * scheduler.order)
    timesteps: Tensor = scheduler.timesteps[skipped * scheduler.order :]
    return timesteps


def step_arguments(scheduler: Any, generator: Any, eta: float) -> dict[str, Any]:
    """`eta` and `generator` for the schedulers whose `step` takes them."""
    accepted = inspect.signature(scheduler.step).parameters
    return {name: value for name, value in (("eta", eta), ("generator", generator)) if name in accepted}

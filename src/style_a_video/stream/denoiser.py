"""The pipeline with everything that is the same for all frames of a job."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..frames import read_image
from ..pipeline import StyleAVideoPipeline
from ..settings import ResolvedSettings
from ..temporal import AnchorAttention
from .contexts import FrameContext, frame_seed


class Denoiser:
    """Makes stylized pictures (1, 3, H, W) in [0, 1] of frames, from noise or from pictures that are almost there.

    Args:
        anchor: the `AnchorAttention` in use, or None.
    """

    def __init__(
        self, pipeline: StyleAVideoPipeline, prompt: str, settings: ResolvedSettings, anchor: AnchorAttention | None
    ) -> None:
        self.pipeline, self.settings, self.anchor = pipeline.with_scheduler(settings.scheduler), settings, anchor
        with torch.no_grad():
            picture = read_image(Path(settings.style_image)) if settings.style_image else None
            self.text, self.no_text = pipeline.encode_style(
                prompt, settings.negative_prompt, picture, settings.style_image_weight
            )

    def denoise(self, contexts: list[FrameContext]) -> list[Tensor]:
        """All steps, from the frames' noise. With an anchor, frames also attend to the first frame of their shot."""
        if self.anchor is None:
            return self._run(contexts)
        pictures = []
        for _, group in groupby(contexts, lambda context: context.shot):
            rest = list(group)
            if rest[0].motion is None:
                self.anchor.mode = "record"
                pictures += self._run(rest[:1])
                rest = rest[1:]
            self.anchor.mode = "replay"
            pictures += self._run(rest) if rest else []
        return pictures

    def image_to_image(self, contexts: list[FrameContext], initial_frames: list[Tensor]) -> list[Tensor]:
        """The last steps only, from initial pictures (1, 3, H, W) in [0, 1]."""
        if self.anchor is not None:
            self.anchor.mode = "off"
        return self._run(contexts, initial_frames)

    def _run(self, contexts: list[FrameContext], initial_frames: list[Tensor] | None = None) -> list[Tensor]:
        """Pictures with numbers that are not finite are made again once: memory and GPUs err now and then.

        Raises InputError where they come out so again.
        """
        pictures = self._pictures(contexts, initial_frames)
        for k, context in enumerate(contexts):
            if not bool(torch.isfinite(pictures[k]).all()):
                pictures[k] = self._pictures([context], initial_frames and [initial_frames[k]])[0]
                if not bool(torch.isfinite(pictures[k]).all()):
                    raise InputError(
                        f"frame {context.index} comes out with numbers that are not finite, twice: give another --seed "
                        "or --size, or smaller scales"
                    )
        return pictures

    def _pictures(self, contexts: list[FrameContext], initial_frames: list[Tensor] | None) -> list[Tensor]:
        stylized: Tensor = self.pipeline(
            None,
            np.stack([context.frame.pixels for context in contexts]),
            prompt_embeds=self.text,
            negative_prompt_embeds=self.no_text,
            latents=torch.cat([context.noise for context in contexts]),
            initial_frames=None if initial_frames is None else torch.cat(initial_frames),
            initial_strength=1.0 if initial_frames is None else self.settings.keyframes.fill_strength,
            generator=self._step_generators(contexts, from_noise=initial_frames is None),
            output_type="pt",
            **self.settings.call_arguments(),
        ).frames
        return list(stylized.split(1))

    def _step_generators(self, contexts: list[FrameContext], from_noise: bool) -> list[torch.Generator]:
        """For the noise that some schedulers draw at their steps, which must not be the noise of the start again.

        It is the same for every frame, or each frame's own where noise is independent.
        """
        seed = self.settings.seed
        if self.settings.noise == "independent":
            # By the frame's number, not by the order of calls, which depends on the batch size.
            seeds = [frame_seed(seed, context.index, 1 + from_noise) for context in contexts]
        else:
            seeds = [seed + 2] * len(contexts)
        return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]

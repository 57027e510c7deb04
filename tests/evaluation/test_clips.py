"""A clip keeps what was found of it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from style_a_video.evaluation import studies


def test_a_clip_is_embedded_once(study: studies.Study) -> None:
    asked: list[int] = []

    def images(pictures: Tensor) -> Tensor:
        asked.append(len(pictures))
        return pictures.flatten(1)[:, :8]

    counting = replace(study.encoder, images=images)
    first, again = (study.clips[0].embedding(1, counting) for _ in range(2))
    assert torch.equal(first, again)
    assert asked == [1]

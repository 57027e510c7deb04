"""Kept results: each belongs to everything that would change it, and is whole or not there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ..digests import weights_digest
from ..pipeline import StyleAVideoPipeline
from ..temporal import Refiner
from .clips import Clip
from .encoders import Encoder
from .methods import Method

LIBRARIES = ("torch", "diffusers", "transformers", "cv2", "scenedetect", "skimage", "numpy")
"""What pictures and measures are computed with: a kept result belongs to their versions."""


@dataclass(frozen=True)
class Cell:
    """One method on one clip for one prompt."""

    method: str
    clip: str
    prompt: str
    encoder: str
    means: Mapping[str, float | None]
    """Of every measure, and "seconds" and "evaluations" (of the UNet) a frame. Empty where it failed."""
    error: str = ""
    video: str = ""
    """File name in the work folder of the output as MP4; empty where it failed, as are the next two."""
    heat_map: str = ""
    """Mean heat maps to the frame before and, beside it, to the shot's first."""
    time_slice: str = ""
    """The middle scan line over time."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the method ran with: its identity."""


def kept_cell(work: Path, key: str) -> Cell | None:
    """A cell that an earlier run left whole, or None."""
    try:
        cell = Cell(**json.loads((work / f"{key}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return cell if all((work / name).is_file() for name in (cell.video, cell.heat_map, cell.time_slice)) else None


def model_fingerprint(pipeline: StyleAVideoPipeline, refiner: Refiner) -> str:
    """What changes with anything of the model that changes its pictures."""
    modules = [pipeline.unet, pipeline.vae, pipeline.text_encoder, refiner]
    modules += [pipeline.image_encoder] if pipeline.image_encoder is not None else []
    configs = [part.config.to_dict() if hasattr(part.config, "to_dict") else dict(part.config) for part in modules]
    # Where it was loaded from does not matter.
    configs = [{name: value for name, value in config.items() if name != "_name_or_path"} for config in configs]
    processor = pipeline.feature_extractor.to_dict() if pipeline.feature_extractor is not None else {}
    contents = [
        source_digest(), weights_digest(*modules), configs, pipeline.tokenizer.get_vocab(), processor,
        pipeline.defaults(),
        pipeline.config.fast_defaults, dict(pipeline.scheduler.config), str(pipeline.unet.dtype),
        str(pipeline.unet.device),
        {name: import_module(name).__version__ for name in LIBRARIES},
    ]  # fmt: skip
    return json.dumps(contents, sort_keys=True, default=str)


@cache
def source_digest() -> str:
    """Of the package's code: what it computes may change with any line."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def cell_key(method: Method, clip: Clip, prompt: str, encoder: Encoder, fingerprint: str) -> str:
    """A name that changes with whatever would change the cell."""
    text = json.dumps(
        [
            method.identity,
            clip.name,
            clip.pixels.shape,
            str(clip.rate),
            prompt,
            encoder.digest,
            fingerprint,
        ],
        sort_keys=True,
    )
    return hashlib.sha256(text.encode() + clip.pixels.tobytes()).hexdigest()[:20]

"""How an output was made: what its record says, and what a job that goes on must have in common with its beginning."""

from __future__ import annotations

import datetime
import hashlib
import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import diffusers
import numpy as np
import torch

from . import __version__
from .checkpoints import REFINER_FOLDER, bundled_folder
from .pipeline import StyleAVideoPipeline
from .plan import Plan
from .schedulers import SCHEDULERS
from .settings import BUNDLED, ResolvedSettings

SAMPLE_BYTES = 1 << 20
"""Read from the beginning and from the end of an input to tell it from others."""


@dataclass(frozen=True)
class StylizeResult:
    """What a job made."""

    output: Path
    record: Path
    """JSON: everything needed to make the output again."""
    frames: int
    source_size: tuple[int, int]
    """Width and height, as are the other sizes."""
    working_size: tuple[int, int]
    output_size: tuple[int, int]
    seconds: float
    """Wall time from the first frame read to the file closed, without loading the model."""


def describe(plan: Plan, settings: ResolvedSettings, pipeline: StyleAVideoPipeline) -> dict[str, Any]:
    """Everything needed to make the output again, as JSON can hold it."""
    model = pipeline.config.get("_name_or_path") or settings.model
    if settings.model == BUNDLED and Path(model) == bundled_folder():
        model = BUNDLED
    return {
        "input": str(plan.reader.info.path.resolve()),
        "fingerprint": fingerprint(plan.reader.info.path),
        "prompt": plan.prompt,
        "preview": plan.preview,
        "requested": plan.settings.model_dump(),
        "settings": settings.model_dump() | {"model": model},
        "scheduler": SCHEDULERS[settings.scheduler] if settings.scheduler else type(pipeline.scheduler).__name__,
        "device": str(pipeline.device),
        "dtype": str(pipeline.dtype).removeprefix("torch."),
        "versions": {
            "style-a-video": __version__,
            "torch": torch.__version__,
            "diffusers": diffusers.__version__,
            "python": platform.python_version(),
            "av": av.__version__,
            "opencv": cv2.__version__,
            "numpy": np.__version__,
        },
    }


def describe_result(result: StylizeResult) -> dict[str, Any]:
    """What came out."""
    return {
        "output": result.output.name,
        "frames": result.frames,
        "source_size": result.source_size,
        "working_size": result.working_size,
        "output_size": result.output_size,
        "seconds": round(result.seconds, 3),
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def recipe_of(described: dict[str, Any], source: Path, suffix: str) -> dict[str, Any]:
    """All that the parts depend on: the description with the contents of input and model in place of their paths.

    Args:
        suffix: of the output.
    """
    settings = described["settings"]
    folder = bundled_folder() if settings["model"] == BUNDLED else Path(settings["model"])
    weights = sorted(folder.rglob("*.safetensors")) if folder.is_dir() else []
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in weights]
    return described | {
        "input": fingerprint(source),
        "output": suffix,
        "refiner": [(path.name, path.stat().st_size) for path in REFINER_FOLDER.iterdir()],
        "style picture": fingerprint(Path(settings["style_image"])) if settings["style_image"] else None,
        "weights": _digest(json.dumps(stats).encode()),
    }


def fingerprint(path: Path) -> dict[str, Any]:
    """What tells an input from others, without reading all of a long film."""
    if path.is_dir():
        names = sorted((child.name, child.stat().st_size) for child in path.iterdir() if child.is_file())
        return {"files": len(names), "sha256": _digest(json.dumps(names).encode())}
    size = path.stat().st_size
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
        file.seek(max(0, size - SAMPLE_BYTES))
        sample += file.read()
    return {"bytes": size, "sha256": _digest(sample)}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

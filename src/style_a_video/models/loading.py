"""Loading a pipeline: the bundled model, a folder in diffusers' layout, or a hub id."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import diffusers.utils.logging
import torch
import transformers.utils.logging
from diffusers import UNet2DConditionModel
from huggingface_hub import HfApi
from safetensors import SafetensorError

from ..checkpoints import REFINER_FOLDER, find_model
from ..devices import best_device, check_device, compute_dtype
from ..errors import InputError
from ..pipeline import StyleAVideoPipeline
from ..settings import BUNDLED
from ..temporal import Refiner
from .lean import make_lean
from .parts import load_networks
from .reader import Reader
from .understanding import PhraseIndex, understood

HUB_TIMEOUT_S = 20.0
"""So long a hub may take to answer."""


def load_refiner(folder: Path | None = None) -> Refiner:
    """The refiner that the package ships, or the one in `folder`. Raises InputError when there is none."""
    folder = folder or REFINER_FOLDER
    if not (folder / "config.json").is_file():
        raise InputError(f"there is no refiner in {folder}: train one with `style-a-video train refiner`")
    try:
        # Pictures are on the CPU between the models.
        refiner: Refiner = Refiner.from_pretrained(folder, use_safetensors=True, torch_dtype=compute_dtype("cpu"))
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise InputError(
            f"cannot read the refiner in {folder}: train one with `style-a-video train refiner`"
        ) from error
    return refiner.to(memory_format=torch.channels_last).eval()


def load_pipeline(
    model: str | Path = BUNDLED, device: str | None = None, dtype: torch.dtype | None = None
) -> StyleAVideoPipeline:
    """A StyleAVideoPipeline on `device` (best one by default) in `dtype` (fastest good one by default).

    Args:
        model: "bundled", a folder in diffusers' layout, or a hub id. InstructPix2Pix layouts (a UNet with twice the
            latent channels as input) load unchanged; plain text-to-image layouts are widened with zeros and say so.

    Only safetensors weights are read; no pickle, no code from the model's folder.

    Raises:
        InputError: when there is no such model, or it is not a latent text-to-image layout.
    """
    device = device or best_device()
    folder = find_model(model)
    check_device(device)
    try:
        with quiet_libraries():
            folder = folder if isinstance(folder, Path) else _downloaded(folder)
            networks = load_networks(folder, dtype or compute_dtype(device))
            pipeline = StyleAVideoPipeline.from_pretrained(str(folder), **_ignored_components(folder), **networks)
    except InputError:
        raise
    except Exception as error:  # a wrong folder makes libraries raise anything
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"cannot load the model {str(model)!r} ({reason}): give 'bundled', a diffusers folder or a hub id"
        ) from error
    widen_image_slot(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.understand = _understanding_of(pipeline, folder)
    make_lean(pipeline.vae, pipeline.unet)
    for part in (pipeline.unet, pipeline.vae):
        # A third less time in the first stage on a CPU, and the layout that GPUs compute in.
        part.to(memory_format=torch.channels_last)
    return pipeline.to(device)


def _downloaded(model: str) -> Path:
    """The folder of a hub's model: what was downloaded before, where the hub does not answer.

    Raises what the hub's library raises where there is neither.
    """
    try:
        HfApi().model_info(model, timeout=HUB_TIMEOUT_S)
    except Exception:  # of the network, of the hub, of the name
        with suppress(Exception):
            return Path(StyleAVideoPipeline.download(model, use_safetensors=True, local_files_only=True))
        raise
    return Path(StyleAVideoPipeline.download(model, use_safetensors=True))


def _understanding_of(pipeline: StyleAVideoPipeline, folder: Path) -> Callable[[str], tuple[str, list[str]]] | None:
    """What a model of this project's recipe makes of a prompt; None for any other model."""
    try:
        parts = PhraseIndex.read(folder), Reader.load(folder)
    except (OSError, KeyError, TypeError, RuntimeError, SafetensorError):
        return None
    return partial(understood, *parts, pipeline.text_encoder, pipeline.tokenizer)


def widen_image_slot(pipeline: StyleAVideoPipeline) -> None:
    """Give a plain text-to-image UNet the frame's input channels (docs/method.md, section 2.1).

    They start at zero; all other weights are kept.

    Raises InputError when the input channels are neither one nor two times the latent's.
    """
    unet: UNet2DConditionModel = pipeline.unet
    latent_channels, channels = pipeline.vae.config.latent_channels, unet.config.in_channels
    if channels == 2 * latent_channels:
        return
    if channels != latent_channels:
        raise InputError(
            f"the UNet takes {channels} channels where the first stage makes {latent_channels}: "
            f"a text-to-image ({latent_channels}) or InstructPix2Pix ({2 * latent_channels}) layout is needed"
        )
    old = unet.conv_in
    wide: Any = torch.nn.Conv2d(channels * 2, old.out_channels, old.kernel_size, old.stride, old.padding).to(old.weight)
    with torch.no_grad():
        wide.weight.zero_()
        wide.weight[:, :channels] = old.weight
        wide.bias.copy_(old.bias)
    unet.conv_in = wide
    unet.register_to_config(in_channels=2 * channels)
    warnings.warn(
        "this is a plain text-to-image model: its image slot is new, so frames do not guide it until it is trained",
        stacklevel=3,
    )


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Their loading bars and hints about optional packages are not news to somebody who stylizes a video."""
    libraries = (diffusers.utils.logging, transformers.utils.logging)
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it tells every retry
    levels = [library.get_verbosity() for library in libraries]
    for library in libraries:
        library.disable_progress_bar()
        library.set_verbosity_error()
    try:
        yield
    finally:
        for library, level in zip(libraries, levels, strict=True):
            library.enable_progress_bar()
            library.set_verbosity(level)


def _ignored_components(model: str | Path) -> dict[str, Any]:
    """Components that other pipelines save and this one has no use for: told not to load them."""
    index = Path(model) / "model_index.json"
    components = json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {"safety_checker": []}
    return {"safety_checker": None} if "safety_checker" in components else {}

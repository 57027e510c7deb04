"""The parts of a model's folder, which nobody vouches for.

Sizes are checked before memory is taken. Only safetensors inside the folder are read. Every tensor must be there, be
finite, and have its shape.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from diffusers import ModelMixin
from safetensors import safe_open
from torch import nn
from transformers import PreTrainedModel

from ..errors import InputError

LIBRARIES = ("diffusers", "transformers")
MOST_TIMESTEPS = 100_000
"""Of a noise schedule, which is held in memory."""
VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model")


def load_networks(folder: Path, dtype: torch.dtype) -> dict[str, nn.Module]:
    """Every neural network that a folder's `model_index.json` names, by its name there.

    Args:
        folder: in diffusers' layout.
        dtype: of their weights.

    Raises:
        InputError: a part is missing, incomplete or not finite, or its configuration does not fit its weights.
    """
    networks: dict[str, nn.Module] = {}
    for name, library, kind in _components(folder):
        part = folder / name
        if not part.is_dir():
            raise InputError(f"{folder} lacks the folder {name}, which its model_index.json names: download it again")
        if name == "scheduler":
            _check_integers(part / "scheduler_config.json", {"": MOST_TIMESTEPS})
        if name == "tokenizer" and not any((part / file).is_file() for file in VOCABULARIES):
            raise InputError(f"{part} holds no vocabulary ({', '.join(VOCABULARIES)}): download it again")
        known = getattr(importlib.import_module(library), kind, None) if library in LIBRARIES else None
        if isinstance(known, type) and issubclass(known, ModelMixin | PreTrainedModel):
            networks[name] = _load(known, part, dtype)
    _check_fit(folder, networks)
    return networks


def _components(folder: Path) -> Iterator[tuple[str, str, str]]:
    """(name, library, class) of what the index names and the pipeline uses."""
    for name, entry in _read_json(folder / "model_index.json").items():
        if name == "safety_checker" or not (isinstance(entry, list) and len(entry) == 2 and all(entry)):
            continue
        if "/" in name or "\\" in name or name.startswith("."):
            raise InputError(
                f"{folder / 'model_index.json'} names {name!r}, which is no folder's name: download it again"
            )
        yield name, str(entry[0]), str(entry[1])


def _load(kind: Any, part: Path, dtype: torch.dtype) -> nn.Module:
    shapes = _shapes(part)
    most = max((side for shape in shapes for side in shape), default=0)
    limits = {"layers": len(shapes), "blocks": len(shapes), "channels": most, "": sum(map(math.prod, shapes))}
    _check_integers(part / "config.json", limits)
    try:
        network, loaded = kind.from_pretrained(
            part, torch_dtype=dtype, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
    except Exception as error:  # a wrong configuration makes libraries raise anything
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        raise InputError(
            f"cannot load {part} ({lines[0].strip()}): its configuration and weights do not fit, download it again"
        ) from error
    if missing := sorted(loaded["missing_keys"]):
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(f"{part} lacks the weights {missing[0]}{others}: download it again")
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise InputError(f"{part}: {name} holds numbers that are not finite: download it again")
    assert isinstance(network, nn.Module)
    return network


def _shapes(part: Path) -> list[list[int]]:
    """Of the tensors in a part's weight files, by their headers."""
    shapes = []
    for file in _weight_files(part):
        try:
            with safe_open(file, "pt") as opened:
                shapes += [opened.get_slice(name).get_shape() for name in opened.keys()]  # noqa: SIM118
        except Exception as error:  # safetensors' own, whose class is not the same in all versions
            raise InputError(f"cannot read {file} ({error}): download it again") from error
    return shapes


def _weight_files(part: Path) -> list[Path]:
    """The safetensors files that a part is loaded from: by its index where it has one."""
    files = []
    for index in part.glob("*.safetensors.index*.json"):
        names = _read_json(index).get("weight_map")
        for name in sorted(set(map(str, names.values()))) if isinstance(names, dict) else ["nothing"]:
            if Path(name).name != name or not name.endswith(".safetensors") or not (part / name).is_file():
                raise InputError(f"{index} names {name!r}: only safetensors files beside it are read")
            files.append(part / name)
    files += part.glob("*.safetensors")
    if not files:
        raise InputError(f"{part} holds no safetensors weights: pickled ones are not read, convert them")
    return list(dict.fromkeys(files))


def _check_integers(config: Path, limits: dict[str, int]) -> None:
    """Raises InputError for integers that no such model has, before anything of that size is made.

    Args:
        limits: by a piece of the setting's name, the largest value; the first that fits counts.
    """
    waiting = list(_read_json(config).items())
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, one) for one in value]
        elif isinstance(value, int) and not isinstance(value, bool) and not name.endswith("_id"):
            limit = next(most for piece, most in limits.items() if piece in name)
            if abs(value) > limit:
                raise InputError(f"{config}: {name} is {value}, which no such model has: download it again")


def _check_fit(folder: Path, networks: dict[str, Any]) -> None:
    """Raises InputError where the UNet cannot read what the text encoder writes."""
    unet, encoder = networks.get("unet"), networks.get("text_encoder")
    if unet is None or encoder is None:
        return
    wanted, given = unet.config.get("cross_attention_dim"), encoder.config.hidden_size
    if isinstance(wanted, int) and unet.config.get("encoder_hid_dim") is None and wanted != given:
        raise InputError(f"{folder}: the UNet reads text of width {wanted}, the text encoder writes {given}")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not JSON"
        raise InputError(f"cannot read {path} ({reason}): download it again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no settings: download it again")
    return content

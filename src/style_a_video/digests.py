"""Digests of models' weights, for what is kept on disk and belongs to them."""

from __future__ import annotations

import hashlib

import torch


def weights_digest(*models: torch.nn.Module) -> str:
    """SHA-256 of all weights, names and shapes, in hexadecimal."""
    digest = hashlib.sha256()
    for model in models:
        for name, value in model.state_dict().items():
            digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
            digest.update(value.detach().cpu().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()

"""Which device computes, and in which dtype it computes well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from .errors import InputError


def best_device() -> str:
    """CUDA, then Apple's MPS, then the CPU."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def check_device(device: str) -> None:
    """Raise InputError where torch cannot use the device."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"there is no device {device!r} here: use {best_device()!r}") from error


def compute_dtype(device: str | torch.device, training: bool = False) -> torch.dtype:
    """The fastest dtype that a device computes well in.

    A CPU without bfloat16 instructions emulates them: a 3x3 convolution takes some 80 times as long as in float32.
    A GPU samples in float16; it trains in bfloat16, whose range needs no scaling of the loss, or in float32.
    """
    kind = torch.device(device).type
    if kind == "cpu":
        return torch.bfloat16 if _cpu_has_bfloat16() else torch.float32
    if not training:
        return torch.float16
    return torch.bfloat16 if kind == "cuda" and torch.cuda.is_bf16_supported() else torch.float32


def autocast(device: str | torch.device) -> AbstractContextManager[object]:
    """Training's forward passes in `compute_dtype`, the weights staying float32."""
    dtype = compute_dtype(device, training=True)
    return nullcontext() if dtype == torch.float32 else torch.autocast(torch.device(device).type, dtype=dtype)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """While open, torch computes in so many threads for the calling one.

    One is right around libraries with threads of their own: torch's others keep a core busy for milliseconds after each
    piece of work, waiting for the next, and OpenCV's flow takes twice as long beside them.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _cpu_has_bfloat16() -> bool:
    """Whether the processor has the instructions, and oneDNN may use them (ONEDNN_MAX_CPU_ISA can forbid it)."""
    checks = (getattr(torch.cpu, f"_is_{name}_supported", lambda: False) for name in ("amx_tile", "avx512_bf16"))
    return any(check() for check in checks) and torch.ops.mkldnn._is_mkldnn_bf16_supported()

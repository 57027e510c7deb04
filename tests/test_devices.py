"""Devices compute in a dtype that they compute well in."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
import torch

import style_a_video as sav
from style_a_video.devices import autocast, best_device, check_device, compute_dtype, threads


def test_a_cpu_without_bfloat16_computes_in_float32() -> None:
    """In a process of its own: oneDNN reads the variable once."""
    program = "from style_a_video.devices import compute_dtype; print(compute_dtype('cpu'), compute_dtype('cpu', True))"
    hidden = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=hidden)
    assert done.stdout.split() == ["torch.float32", "torch.float32"]


@pytest.mark.parametrize(
    ("instructions", "onednn", "expected"),
    [(True, True, torch.bfloat16), (True, False, torch.float32), (False, True, torch.float32)],
)
def test_bfloat16_takes_instructions_and_a_library_that_may_use_them(
    monkeypatch: pytest.MonkeyPatch, instructions: bool, onednn: bool, expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: instructions)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: onednn)
    assert compute_dtype("cpu") == compute_dtype("cpu", training=True) == expected


@pytest.mark.parametrize("supported", [True, False])
def test_a_gpu_samples_in_float16_and_trains_in_what_needs_no_loss_scale(
    monkeypatch: pytest.MonkeyPatch, supported: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: supported)
    assert compute_dtype("cuda") == torch.float16
    assert compute_dtype("cuda", training=True) == (torch.bfloat16 if supported else torch.float32)
    assert compute_dtype("mps", training=True) == torch.float32


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_autocast_computes_in_that_dtype(monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype) -> None:
    monkeypatch.setattr("style_a_video.devices.compute_dtype", lambda *_, **__: dtype)
    layer: Any = torch.nn.Linear(2, 2)
    with autocast("cpu"):
        assert layer(torch.ones(1, 2)).dtype == dtype
    assert layer.weight.dtype == torch.float32


def test_a_device_that_is_not_there_is_one_line() -> None:
    check_device(best_device())
    with pytest.raises(sav.InputError, match="there is no device 'abacus' here"):
        check_device("abacus")


def test_threads_and_then_as_many_as_before() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threads(1):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        with pytest.raises(InterruptedError), threads(1):
            raise InterruptedError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)

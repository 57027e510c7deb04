"""A way of stylizing a clip, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..clips import Clip


@dataclass(frozen=True)
class Method:
    """A way of stylizing a clip."""

    name: str
    run: Callable[[Clip, str], Tensor]
    """(clip, prompt) -> (T, 3, H, W) in [0, 1]. Raises InputError when it cannot."""
    identity: dict[str, Any]
    """What a kept result belongs to. Two methods of equal identity give the same output, whatever they are called."""
    external: bool = False
    """Whether its outputs are read from files. These may change, so they are measured anew; their cost is unknown."""

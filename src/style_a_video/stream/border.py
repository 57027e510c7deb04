"""Where a stream can be cut and gone on with later, to the same pictures bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import safetensors.torch
from torch import Tensor

from ..temporal import Refined


@dataclass(frozen=True)
class Border:
    """Between two frames: all that the frames from `index` on need of those before, besides the input itself."""

    index: int
    """Number of the frame after the border."""
    is_cut: bool = False
    """Whether a shot begins there: then frames need nothing of those before."""
    keyframe: Tensor | None = None
    """That frame stylized, (1, 3, H, W) in [0, 1], where it is a keyframe that was made already."""
    steady: Refined | None = None
    """The frame before the border as the refiner left it."""

    def after(self, steady: Refined | None) -> Border:
        """The same border with the refiner's part."""
        return replace(self, steady=steady)

    def save(self, path: Path) -> None:
        """Write it as safetensors."""
        tensors = {"keyframe": self.keyframe}
        if self.steady is not None:
            tensors |= {"stylized": self.steady.stylized, "refined": self.steady.refined}
        held = {name: tensor.contiguous().clone() for name, tensor in tensors.items() if tensor is not None}
        safetensors.torch.save_file(held, path, {"index": str(self.index), "is_cut": str(self.is_cut)})

    @classmethod
    def load(cls, path: Path) -> Border:
        """What `save` wrote. Raises OSError or safetensors.SafetensorError where it cannot be read."""
        with safetensors.safe_open(path, "pt") as file:
            # Copies lie in memory as all tensors do: some sums depend on where their numbers lie.
            held = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
            index, is_cut = int(file.metadata()["index"]), file.metadata()["is_cut"] == "True"
        steady = Refined(held["stylized"], held["refined"]) if "refined" in held else None
        return cls(index, is_cut, held.get("keyframe"), steady)

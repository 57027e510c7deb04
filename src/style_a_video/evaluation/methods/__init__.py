"""What a comparison runs."""

from .classical import gatys, statistics_transfer, teacher
from .diffusion import instruct_pix2pix, ours, sdedit, with_refiner
from .external import from_outputs, output_stem
from .method import Method

__all__ = [
    "Method",
    "from_outputs",
    "gatys",
    "instruct_pix2pix",
    "ours",
    "output_stem",
    "sdedit",
    "statistics_transfer",
    "teacher",
    "with_refiner",
]

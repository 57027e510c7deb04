"""What a comparison runs."""

from .classical import gatys, renderer, statistics_transfer
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
    "renderer",
    "sdedit",
    "statistics_transfer",
    "with_refiner",
]

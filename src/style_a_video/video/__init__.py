"""Video and audio, in and out, through PyAV; shot cuts through PySceneDetect. Nothing here knows diffusion."""

from .isolation import LONGEST_JOIN_S, IsolatedReader, run_isolated
from .output import FrameWriter, Output, Part
from .reader import VideoFrame, VideoInfo, VideoReader
from .shots import ShotDetector
from .size import working_size
from .writer import check_output, open_writer, output_for

__all__ = [
    "LONGEST_JOIN_S",
    "FrameWriter",
    "IsolatedReader",
    "Output",
    "Part",
    "ShotDetector",
    "VideoFrame",
    "VideoInfo",
    "VideoReader",
    "check_output",
    "open_writer",
    "output_for",
    "run_isolated",
    "working_size",
]

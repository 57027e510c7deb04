"""Video and audio, in and out, through PyAV; shot cuts through PySceneDetect. Nothing here knows diffusion."""

from .reader import VideoFrame, VideoInfo, VideoReader
from .shots import ShotDetector
from .size import working_size
from .writer import check_output, open_writer

__all__ = ["ShotDetector", "VideoFrame", "VideoInfo", "VideoReader", "check_output", "open_writer", "working_size"]

"""Video and audio, in and out, through PyAV. Nothing here knows diffusion."""

from .reader import VideoFrame, VideoInfo, VideoReader
from .writer import check_output, open_writer

__all__ = ["VideoFrame", "VideoInfo", "VideoReader", "check_output", "open_writer"]

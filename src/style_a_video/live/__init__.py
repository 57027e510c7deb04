"""Frames as they come: a camera, a file played in real time, or whatever a program hands over."""

from .source import Captured, LatestFrame, open_source
from .stylizer import LIVE, LiveStylizer, checked

__all__ = ["LIVE", "Captured", "LatestFrame", "LiveStylizer", "checked", "open_source"]

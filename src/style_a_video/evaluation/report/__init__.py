"""What a study found: tables, plots, and one HTML page that needs no network."""

from .heatmaps import HeatMaps
from .page import Report, Section, write_report
from .tables import frames_as_csv

__all__ = ["HeatMaps", "Report", "Section", "frames_as_csv", "write_report"]

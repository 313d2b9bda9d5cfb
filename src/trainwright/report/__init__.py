"""Reports: one self-contained page from a run directory."""

from trainwright.report.build import build_report

__all__ = ["build_report"]

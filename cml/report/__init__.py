"""A record -> a report for people: markdown, charts, a terminal; loads and writes nothing."""

from cml.report.markdown import render
from cml.report.terminal import render as render_terminal

__all__ = ["render", "render_terminal"]

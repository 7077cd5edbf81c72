"""A record -> a report for people: markdown, charts, a terminal; loads and writes nothing."""

from cml.report.junit_xml import junit
from cml.report.markdown import Image, render
from cml.report.metrics_text import openmetrics
from cml.report.terminal import render as render_terminal
from cml.report.words import title

__all__ = ["Image", "junit", "openmetrics", "render", "render_terminal", "title"]

"""A record -> a report for people: markdown, charts, a terminal; loads and writes nothing.

Each view is loaded when it is asked for: a run that is skipped needs one of them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cml.report.junit_xml import junit
    from cml.report.markdown import Image, render
    from cml.report.metrics_text import openmetrics
    from cml.report.terminal import render as render_terminal
    from cml.report.words import title

__all__ = ["Image", "junit", "openmetrics", "render", "render_terminal", "title"]

_VIEWS = {
    "Image": ("markdown", "Image"),
    "junit": ("junit_xml", "junit"),
    "openmetrics": ("metrics_text", "openmetrics"),
    "render": ("markdown", "render"),
    "render_terminal": ("terminal", "render"),
    "title": ("words", "title"),
}


def __getattr__(name: str) -> Any:
    """Load a view by its name (PEP 562)."""
    from importlib import import_module

    if name not in _VIEWS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    file, function = _VIEWS[name]
    return getattr(import_module(f"{__name__}.{file}"), function)

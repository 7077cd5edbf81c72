"""The front door: commands and options in, exit codes out."""

from cml.cli.main import main

__all__ = ["main"]

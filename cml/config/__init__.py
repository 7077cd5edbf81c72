"""The settings of a run, from flags, environment and cml.yaml; reads none of them by itself.

:data:`OPTIONS` is the one table from which the rest follows: the command line's options, the
README's table and the commented cml.yaml.
"""

from cml.config.documents import markdown_table, template
from cml.config.options import OPTIONS, Kind, Option
from cml.config.sources import File, Settings, settings
from cml.config.tokens import TOKEN_NAMES, token
from cml.config.values import Person, Targets

__all__ = [
    "OPTIONS",
    "TOKEN_NAMES",
    "File",
    "Kind",
    "Option",
    "Person",
    "Settings",
    "Targets",
    "markdown_table",
    "settings",
    "template",
    "token",
]

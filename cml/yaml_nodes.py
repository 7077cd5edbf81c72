"""The text of a YAML file -> nodes, which know their lines; knows nothing of the house."""

from typing import Any

TEXT = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "timestamp")}
"""Tags of scalars that are kept as they were written: ranges and shas may look like numbers."""
BOOL = "tag:yaml.org,2002:bool"
NULL = "tag:yaml.org,2002:null"


class MalformedError(ValueError):
    """A text is not YAML; the message begins with line and column, both from 1."""

    def __init__(self, line: int, column: int, problem: object) -> None:
        super().__init__(f"{line + 1}:{column + 1}: not valid YAML: {problem}")


def compose(text: str) -> Any:
    """Parse into nodes; nothing is constructed, so no tag can do harm.

    Returns:
        The root node; None for an empty text.

    Raises:
        MalformedError: it is not YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        return YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context
        raise MalformedError(mark.line, mark.column, problem) from error
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        problem = f"the character U+{ord(text[error.position]):04X} is not allowed"
        raise MalformedError(line, column, problem) from error
    except (YAMLError, RecursionError) as error:
        raise MalformedError(0, 0, error) from error

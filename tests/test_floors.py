"""The house keeps its plan: who may import whom, who touches the world, and how large a part is."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "cml"
DEMO = HOUSE / "demo" / "project"  # a user's scripts, not a room

FLOORS = (
    {"__init__", "errors", "record", "yaml_nodes"},
    {"ci", "config", "metrics", "numerals", "predictions", "checks", "report", "ssh"}
    | {"statistics"},
    {
        "pipeline",
        "repo",
        "bundle",
        "console",
        "credentials",
        "legacy",
        "forges",
        "trackers",
        "clusters",
        "machine",
        "runners",
    },
    {"commands"},
    {"cli", "__main__"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
SHARED_ROOM = {"__main__": "cli"}  # `python -m cml` is the front door's other leaf

DOORS = {
    "google": ("trackers.tensorboard",),
    "appdirs": ("pipeline",),
    "click": ("cli", "__main__"),
    "dvc": ("pipeline",),
    "dulwich": ("pipeline",),
    "dvc_data": ("pipeline",),
    "dvc_gdrive": ("pipeline",),
    "dvc_objects": ("pipeline",),
    "dvc_oss": ("pipeline",),
    "dvc_ssh": ("pipeline",),
    "fsspec": ("pipeline",),
    "git": ("repo",),
    "github": ("forges.github",),
    "gitlab": ("forges.gitlab",),
    "msgspec": ("record",),
    "numpy": ("statistics", "trackers.tensorboard"),
    "pandas": ("predictions",),
    "pathspec": ("legacy",),
    "psutil": ("pipeline", "repo", "runners"),
    "pygit2": ("pipeline",),
    "pynvml": ("machine",),
    "requests": ("forges.gitlab", "runners"),
    "tensorboard": ("trackers.tensorboard",),
    "rich": ("console", "report", "forges.terminal"),
    "ruamel": ("clusters", "legacy", "yaml_nodes"),
    "scipy": ("statistics",),
    "scmrepo": ("pipeline",),
    "vl_convert": ("report",),
    "yaml": ("legacy",),
}

WORLD = {"subprocess", "socket", "time", "random", "requests", "urllib.request", "http.client"}
WORLD_CALLS = {
    "os.environ",
    "os.getenv",
    "os.system",
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "date.today",
}

LONGEST_FUNCTION = 45
LONGEST_FILE = 300


@dataclass(frozen=True)
class Module:
    """One file of the house, by its dotted name below cml."""

    name: str
    source: str

    @property
    def room(self) -> str:
        return self.name.split(".")[0]

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)


def house() -> list[Module]:
    return [
        Module(name_of(path), path.read_text())
        for path in sorted(HOUSE.rglob("*.py"))
        if DEMO not in path.parents
    ]


def name_of(path: Path) -> str:
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of every import, those inside functions too."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)


def doubtful(module: Module) -> Iterator[str]:
    """Yield what the plan forbids in one module, as sentences."""
    if module.room not in FLOOR:
        yield f"cml.{module.name}: give {module.room} a floor in {Path(__file__).name}"
        return
    for line, name in imports(module):
        where = f"cml.{module.name}:{line} imports {name}"
        top = name.split(".")[0]
        if not top:
            yield f"{where}: write imports from the top, 'from cml...'"
        elif top == "cml":
            yield from climbing(module, name, where)
        elif top not in sys.stdlib_module_names:
            yield from outside_its_door(module, top, where)
    if module.room in FLOORS[1]:
        yield from worldly(module)


def climbing(module: Module, name: str, where: str) -> Iterator[str]:
    """A room knows the floors below it, and itself."""
    below = [*name.split("."), "__init__"][1]
    room = below if below in FLOOR else "__init__"
    if (HOUSE / below).is_dir() and below not in FLOOR:
        yield f"{where}: give {below} a floor in {Path(__file__).name}"
    elif FLOOR[room] >= FLOOR[module.room] and room != SHARED_ROOM.get(module.room, module.room):
        yield f"{where}: floor {FLOOR[module.room]} may not know floor {FLOOR[room]}"


def outside_its_door(module: Module, library: str, where: str) -> Iterator[str]:
    """A foreign library is known behind one door only."""
    doors = DOORS.get(library)
    if doors is None:
        yield f"{where}: give {library} a door in {Path(__file__).name}"
    elif not any(f"{module.name}.".startswith(f"{door}.") for door in doors):
        yield f"{where}: {library} is known only to {', '.join(doors)}"


def worldly(module: Module) -> Iterator[str]:
    """Floor 1 is facts and sums: no network, no clock, no environment."""
    for line, name in imports(module):
        if any(f"{name}.".startswith(f"{part}.") for part in WORLD) or name in WORLD_CALLS:
            yield f"cml.{module.name}:{line} imports {name}: floor 1 knows no world"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            used = ".".join(ast.unparse(node).split(".")[-2:])
            if used in WORLD_CALLS:
                yield f"cml.{module.name}:{node.lineno} uses {used}: floor 1 knows no world"


def oversized(module: Module) -> Iterator[str]:
    length = len(module.source.splitlines())
    if length > LONGEST_FILE:
        yield f"cml.{module.name} has {length} lines, more than {LONGEST_FILE}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"cml.{module.name}.{node.name} has {lines} lines, not {LONGEST_FUNCTION}"


def test_every_room_imports_only_what_lies_below_it() -> None:
    modules = house()

    assert len(modules) > 50
    assert [sentence for module in modules for sentence in doubtful(module)] == []


def test_functions_and_files_stay_small() -> None:
    assert [sentence for module in house() for sentence in oversized(module)] == []


@pytest.mark.parametrize(
    ("name", "line", "says"),
    [
        ("metrics", "from cml import report", "floor 1 may not know floor 1"),
        ("record", "from cml.errors import CmlError", "floor 0 may not know floor 0"),
        ("report.charts", "from cml.repo.history import log", "floor 1 may not know floor 2"),
        ("pipeline.update", "from cml import errors, commands", "floor 2 may not know floor 3"),
        ("commands.run", "import cml.cli", "floor 3 may not know floor 4"),
        ("cli", "import cml.__main__", "floor 4 may not know floor 4"),
        ("repo", "from . import history", "from the top"),
        ("attic", "import os", "give attic a floor"),
        ("attic.chest", "import os", "give attic a floor"),
        ("cli.main", "from cml.demo import project", "give demo a floor"),
        ("commands.run", "import dvc.repo", "only to pipeline"),
        ("legacy.stages", "from dvc_data import x", "only to pipeline"),
        ("commands", "from git import Repo", "only to repo"),
        ("forges.github", "import rich", "only to console, report, forges.terminal"),
        ("forges.terminal_two", "import rich", "only to console, report, forges.terminal"),
        ("repo", "import click", "only to cli"),
        ("commands", "import vl_convert", "only to report"),
        ("repo", "import boto3", "give boto3 a door"),
        ("ci.github", "import subprocess", "knows no world"),
        ("ci", "from os import environ", "knows no world"),
        ("ci", "import os\nx = os.environ['A']", "uses os.environ"),
        ("ci", "import os\nx = os.getenv('A')", "uses os.getenv"),
        ("config", "from time import time", "knows no world"),
        ("report", "from datetime import datetime\nx = datetime.now()", "uses datetime.now"),
        ("report", "import datetime\nx = datetime.datetime.now()", "uses datetime.now"),
        ("statistics", "import random", "knows no world"),
        ("commands.past", "from scipy import stats", "only to statistics"),
        ("checks", "import urllib.request", "knows no world"),
    ],
)
def test_a_wrong_import_is_named_also_inside_a_function(name: str, line: str, says: str) -> None:
    inside = "def f():\n" + "".join(f"    {part}\n" for part in line.splitlines())

    for source in (line, inside):
        (sentence,) = doubtful(Module(name, source))
        assert says in sentence
        assert sentence.startswith(f"cml.{name}")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("__main__", "from cml.cli import main"),
        ("cli.main", "from cml.cli import job"),
        ("cli", "from cml import __version__"),
        ("cli", "import cml"),
        ("commands.run", "from cml import report, repo, record"),
        ("forges.terminal", "import rich.console"),
        ("yaml_nodes", "from ruamel.yaml import YAML"),
        ("metrics", "import os.path, math"),
        ("repo.process", "import subprocess, time"),
    ],
)
def test_what_the_plan_allows_is_let_be(name: str, line: str) -> None:
    assert list(doubtful(Module(name, line))) == []


def test_a_part_that_grew_too_large_is_named() -> None:
    long = "def f():\n" + "    x = 1\n" * LONGEST_FUNCTION

    assert list(oversized(Module("repo", long))) == ["cml.repo.f has 46 lines, not 45"]
    assert list(oversized(Module("repo", "x = 1\n" * 301))) == [
        "cml.repo has 301 lines, more than 300"
    ]
    assert list(oversized(Module("repo", "x = 1\n" * 300))) == []

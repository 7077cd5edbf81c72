"""Names, messages and outputs that somebody chose to do harm; secrets that lie about."""

from __future__ import annotations

import json
import os
import re
import stat
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import cmarkgfm
from cmarkgfm.cmark import Options
from main_kit import change, ci, published, results, source_of
from ruamel.yaml import YAML
from test_repo_credentials import BASIC, TOKEN, Server
from test_repo_credentials import server as served  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab

BRANCH = "we$(touch${IFS}pwned)`touch${IFS}pwned`|@all<b>;'\"&-é"
MESSAGE = (
    "$(touch pwned) `touch pwned` @all <script>\n\n::error::said\n##[error]said\n"
    f"Cml-Source: {'0' * 40}\nskip-checks: no"
)
NAMES = (
    *("a|b", "`x`", "new\nline", "@all", "<script>alert(1)</script>", "::error::boom", "", "ключ"),
    *("##[error]boom", "$(touch pwned)", "[l](http://evil)", "\r::warning::x", "x" * 300, "\u202e"),
)
FILES = (
    *("sp ace|`$(touch pwned)`@all.json", "-rf.json", "qu'o\"te<script>.json"),
    *("новый ::error::é🚀.json", "##[error]#*[1]!.json"),
)
WRITE = f"""\
import json, sys
name = {FILES!r}[int(sys.argv[1])]
print("::error::printed\\n ##[error]printed")
json.dump({{key: number for number, key in enumerate({NAMES!r})}}, open(name, "w"))
open(name.replace(".json", ".bin"), "w").write(name)
"""
SCRATCH = (
    "secret.env",
    "id_rsa",
    ".env",
    "scratch/x.log",
    "new\n::error::line.txt",
    "-dash",
    "\udcff",
)


class Tables(HTMLParser):
    """The tables of a page: for each its rows, for each row the number of its cells."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tables: list[list[int]] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.feed(cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append(0)
        elif tag in {"td", "th"}:
            self.tables[-1][-1] += 1


def obeyed(log: str) -> list[str]:
    """What GitHub would take for a command in a job's log, our own apart."""
    found, key = [], None
    for line in log.splitlines():
        if key:
            key = None if line == f"::{key}::" else key
        elif stop := re.fullmatch(r"::stop-commands::([0-9a-f]{32})", line):
            key = stop[1]
        elif line.strip().startswith("::") or "##[" in line:
            found.append(line)
    return found


def hostile(lab: Lab) -> str:
    """Commit a pipeline full of hostile names on a branch with one; return the sha."""
    document = YAML(typ="safe").load(lab.work / "dvc.yaml")
    document["stages"]["edge"] = {
        "foreach": {
            f"$(touch pwned)|`a` <b>\n::error::é -{number}": {
                "number": number,
                "metrics": name,
                "out": name.replace(".json", ".bin"),
            }
            for number, name in enumerate(FILES)
        },
        "do": {
            "cmd": "python3 write.py ${item.number}",
            "deps": ["write.py"],
            "outs": ["${item.out}"],
            "metrics": [{"${item.metrics}": {"cache": False}}],
        },
    }
    lab.git("checkout", "-q", "-b", BRANCH)
    lab.write("dvc.yaml", json.dumps(document, ensure_ascii=False))
    lab.write("write.py", WRITE)
    return lab.commit(MESSAGE)


def test_hostile_names_stay_names_everywhere(lab: Lab) -> None:
    change(lab, 1.0)
    source = hostile(lab)
    for name in SCRATCH:
        lab.write(name, "TOPSECRET")
    status = lab.git("status", "--porcelain")
    done = lab.cml("--publish", "--jobs", "2", **ci(source, BRANCH))
    assert done.returncode == 0, done.stderr
    assert not list(lab.root.rglob("pwned*"))

    (commit,) = results(lab, BRANCH)
    assert source_of(lab, commit) == source
    names = lab.git("show", "--format=", "--name-only", "-z", commit, cwd=lab.origin).split("\0")
    assert {*names} - {""} == {*FILES, ".gitignore", "dvc.lock"}
    assert lab.git("status", "--porcelain") == status
    every = lab.git("log", "--all", "--format=", "--name-only", "-z", cwd=lab.origin).split("\0")
    assert not {*SCRATCH} & {*every}

    record = lab.record()
    assert record["context"]["branch"] == BRANCH
    seen = {(m["path"], m["name"] or m["path"]) for m in record["metrics"]}
    assert {(file, name or file) for file in FILES for name in NAMES} <= seen
    assert len([s for s in record["stages"] if "\n::error::é" in s["name"]]) == len(FILES)

    report = (lab.work / ".cml/report.md").read_text()
    assert obeyed(done.stdout) == obeyed(report) == []
    allowed = {"::group::Reproduce the pipeline", "::endgroup::"}
    assert {*obeyed(done.stderr)} <= allowed
    assert "::error::printed" in done.stderr
    page = Tables(report)
    assert not page.tags & {"script", "b", "a", "img"}
    assert all(len({*rows}) == 1 for rows in page.tables)
    assert sum(len(rows) - 1 for rows in page.tables) >= len(FILES) * len(NAMES)
    assert "TOPSECRET" not in report + done.stdout + done.stderr + json.dumps(record)


def test_what_a_failing_stage_prints_is_shown_and_not_obeyed(lab: Lab) -> None:
    evil = "::error::x\n  ::add-mask::y\n##[error]z\n``" + "`\n<script>|@all\n\x1b[31mred"
    lab.write("train.py", f"print({evil!r})\nraise SystemExit(7)\n")
    source = lab.commit("Break it")
    done = lab.cml(**ci(source))
    assert done.returncode == 3
    assert obeyed(done.stdout) == []
    assert {*obeyed(done.stderr)} <= {"::group::Reproduce the pipeline", "::endgroup::"}
    assert "\x1b" not in done.stdout
    assert "script" not in Tables(done.stdout).tags
    assert "<script>|@all" in done.stdout
    assert "exit status 7" in done.stdout


def spying_git(lab: Lab) -> tuple[Path, dict[str, str]]:
    """Put a git on the PATH that writes down its arguments; return its log and the PATH."""
    real = lab.git("--exec-path") + "/git"
    log = lab.root / "arguments"
    script = f'#!/bin/sh\nprintf "%s\\n" "$0 $*" >> "{log}"\nexec {real} "$@"\n'
    spy = lab.write("../bin/git", script)
    spy.chmod(spy.stat().st_mode | stat.S_IXUSR)
    return log, {"PATH": f"{spy.parent}{os.pathsep}{lab.environ()['PATH']}"}


def test_the_token_reaches_git_alone(lab: Lab, served: Server) -> None:  # noqa: F811 (the fixture)
    lab.git("config", "http.receivepack", "true", cwd=lab.origin)
    source = change(lab)
    lab.git("remote", "set-url", "origin", f"http://127.0.0.1:{served.port}/lab/origin.git")
    arguments, path = spying_git(lab)
    seen = lab.root / "environment"
    during = lab.write("../look.sh", f'env > "{seen}"\necho token "$GITHUB_TOKEN$MY_COPY"\n')
    tokens = {"repo_token": TOKEN, "GITHUB_TOKEN": TOKEN, "MY_COPY": f"https://me:{TOKEN}@host/"}
    done = lab.cml("--verbose", **ci(source), **tokens, **path, DURING=str(during))
    assert done.returncode == 0, done.stderr
    assert results(lab) == [published(lab)["commit"]]

    environment = seen.read_text()
    assert "RUNS_LOG" in environment
    assert not re.search("^(repo_token|GITHUB_TOKEN|MY_COPY)=", environment, re.MULTILINE)
    assert " push " in arguments.read_text()
    said = [environment, arguments.read_text(), done.stdout, done.stderr]
    files = [file for file in lab.work.rglob("*") if file.is_file()]
    assert {"config", "record.json", "report.md", "HEAD"} <= {file.name for file in files}
    for secret in (TOKEN, BASIC):
        assert not [text for text in said if secret in text]
        assert not [file for file in files if secret.encode() in file.read_bytes()]


def test_ten_thousand_metrics_are_compared_and_saved(lab: Lab) -> None:
    metrics = {f"metric {number}": float(number) for number in range(10_000)}
    lab.write("metrics.json", json.dumps(metrics))
    lab.write(
        "evaluate.py",
        "import json\n"
        "new = {f'metric {n}': float(n + n % 2) for n in range(10_000)}\n"
        "json.dump(new, open('metrics.json', 'w'))\n",
    )
    lab.commit("Measure everything", push=False)
    change(lab)
    done = lab.cml("--publish")
    assert done.returncode == 0, done.stderr
    found = {m["name"]: (m["old"], m["new"]) for m in lab.record()["metrics"]}
    assert len(found) == 10_000
    assert (found["metric 4"], found["metric 9999"]) == ((4, 4), (9999, 10_000))
    assert "| `metric 9999` | 9999 | 10000 | +1 |" in done.stdout


def test_a_link_that_a_repository_brings_leads_no_bundle_elsewhere(lab: Lab) -> None:
    home = lab.root / "home"
    precious = [lab.write("../home/precious", "x"), lab.write("../home/record.json", "{}")]
    for name in (".cml", ".cml.old", ".cml.partial"):
        (lab.work / name).symlink_to(home)
    for _ in range(2):
        done = lab.cml()
        assert all(file.exists() for file in precious)
        assert {file.name for file in home.iterdir()} <= {"precious", "record.json", "site-cache"}
        assert done.returncode == 2
        assert "--out" in done.stderr

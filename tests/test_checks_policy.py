import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cml.checks import judging, policy
from cml.checks.model import Check
from cml.errors import ExitCode, UsageError

DOCUMENTED = """\
version: 0
type: "single"
worker:
  container: "tensorflow/tensorflow:1.8.0-gpu"
  command: "nvidia-smi"
  machine-type: "K80"
checks:
  tensorflow:loss:
    target: 0.0..0.5
    aggregate: mean
  defaults:
    precision: 3
"""
EVERYTHING = """\
version: 0
project: "prj1"
experiment: mnist
type: multi-grpc
ports: [5000, 6006]
paths:
  workdir: /src
  artifacts: /artifacts
worker: {container: a, command: b, machine-type: K80, count: 2}
parameter-server: {container: a, command: b, machine-type: K80, count: 1}
checks:
  defaults: {round: up, only-pulls: yes, if-not-found: success, comment-on-pr: false}
  tensorflow:loss/train:total:
    {target: ..0.5, aggregate: stddev, precision: 0, round: down, over: last}
  custom:out/result.json: {target: 5, aggregate: /a/b~1c}
"""


def own(body: str) -> tuple[Check, ...]:
    return policy.read("checks:\n" + body, "cml.yaml").checks


def mistake(text: str, *, gradient: bool = False) -> UsageError:
    read = policy.read_gradient if gradient else policy.read
    with pytest.raises(UsageError) as caught:
        read(text, "f.yaml")
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value


@pytest.mark.parametrize(
    ("series", "status", "words"),
    [
        ([0.4, 0.2], "pass", "is in range"),
        ([0.5], "fail", "is not in range"),
        ([0.5004], "fail", "is not in range"),
        ([0.0], "fail", "is not in range"),
        ([0.0009], "fail", "is not in range"),  # rounded down to 0.000
        ([0.0019], "pass", "is in range"),
    ],
)
def test_the_documented_example_gives_the_documented_result(
    series: list[float], status: str, words: str
) -> None:
    found = policy.read_gradient(DOCUMENTED, ".ps_project/config.yaml")
    (check,) = found.checks

    result = judging.judge(check, judging.Values(series={"loss": series}), gradient=True)

    assert (found.status, check.precision, check.round) == ("ci/gradient", 3, "down")
    assert check.where == ".ps_project/config.yaml:8:3"
    assert result.status == status
    assert result.message == f"Metric tensorflow:loss/mean {words} 0.0..0.5."


def test_every_option_of_gradientci_is_read() -> None:
    first, second = policy.read_gradient(EVERYTHING, "f").checks

    assert (first.source, first.subject) == ("tensorflow", "loss/train:total")
    assert (first.aggregate, first.precision, first.round) == ("stddev", 0, "down")
    assert (first.only_pulls, first.if_not_found, first.over) == (True, "success", "last")
    assert not first.comment_on_pr
    assert (second.source, second.aggregate, second.precision) == ("custom", "/a/b~1c", 2)
    assert (second.round, str(second.target)) == ("up", "5")


@pytest.mark.parametrize("aggregate", ["mean", "stddev", "max", "min", "var", "median"])
def test_every_aggregate_of_gradientci_is_known(aggregate: str) -> None:
    text = DOCUMENTED.replace("aggregate: mean", f"aggregate: {aggregate}")

    assert policy.read_gradient(text, "f").checks[0].aggregate == aggregate


@pytest.mark.parametrize("kind", ["single", "multi-grpc", "multi-mpi"])
def test_every_type_of_gradientci_is_known(kind: str) -> None:
    text = f"version: 0\ntype: {kind}\nworker: {{count: 1}}\n"

    assert policy.read_gradient(text, "f").checks == ()


@pytest.mark.parametrize(
    ("old", "new", "says", "hint"),
    [
        ("aggregate:", "aggregation:", "10:5: unknown key 'aggregation'", "mean 'aggregate'"),
        ("precision", "only-prs", "12:5: unknown key 'only-prs'", "mean 'only-pulls'"),
        ("    aggregate: mean\n", "", "8:3: tensorflow:loss has no aggregate", "mean, stddev"),
        ("    target: 0.0..0.5\n", "", "8:3: tensorflow:loss has no target", "target: 0"),
        ("mean", "average", "10:16: aggregate: unknown aggregate 'average'", "known are mean"),
        ("0.0..0.5", "0.5..0.0", "9:13: target: the range 0.5..0.0 is reversed", None),
        ("precision: 3", "precision: -1", "12:16: precision: a whole number from 0 to 100", None),
        ("precision: 3", "target: 1", "12:5: unknown key 'target'", "known are round"),
        ("precision: 3", "round: off", "12:12: round: one of down, up", "known are down, up"),
        ("precision: 3", "only-pulls: maybe", "12:17: only-pulls: true or false", None),
        ("tensorflow:loss", "Tensorflow:loss", "8:3: unknown source", "mean 'tensorflow'"),
        ("tensorflow:loss", "metrics:loss", "8:3: unknown source", "tensorflow, custom"),
        ("tensorflow:loss", "loss", "8:3: 'loss' does not name a check", "SOURCE:NAME"),
        ("    aggregate: mean", "    level: warn", "10:5: unknown key 'level'", "known are"),
        ("version: 0", "version: 1", "1:10: version: version 0 is expected", "version: 0"),
        ("version: 0\n", "", "1:1: version is missing", "version: 0"),
        ('"single"', "multi", "2:7: type: unknown type 'multi'", "multi-"),
        ('"single"', "multi-mpi", "3:1: worker has no count", "count: 2"),
        ("machine-type", "machine_type", "6:3: unknown key 'machine_type'", "'machine-type'"),
        ("worker", "workers", "3:1: unknown key 'workers'", "mean 'worker'"),
        ("type:", "paths: {workdirs: /a}\ntype:", "2:9: unknown key 'workdirs'", "'workdir'"),
        ("type:", "ports: 0\ntype:", "2:8: ports: a whole number of at least 1", None),
    ],
)
def test_a_mistake_in_gradientcis_file_is_named_with_its_place(
    old: str, new: str, says: str, hint: str | None
) -> None:
    error = mistake(DOCUMENTED.replace(old, new, 1), gradient=True)

    assert error.message.startswith(f"f.yaml:{says}")
    assert (hint is None) or (hint in str(error.hint))


def test_every_rule_of_cml_yaml_is_read_as_it_was_written() -> None:
    found = own("""\
  defaults: {level: warn, branches: [main, "release/*"]}
  metrics:eval/metrics.json:accuracy:
    target: -1..-0.5
    direction: higher
    max-drop: 0.01
    max-drop-percent: 2
    slices: accuracy_*
    size: n_*
    min-size: 50
    level: off
  tensorflow:loss: {target: 5, aggregate: median, over: last}
  custom:result.json: {aggregate: /f1, direction: lower}
  command:wc -c < model.bin: {target: ..1e6}
  command:latency: {target: ..10, command: ./latency.sh, branches: main}
""")

    accuracy, loss, custom, size, latency = found
    assert (accuracy.subject, str(accuracy.target)) == ("eval/metrics.json:accuracy", "-1..-0.5")
    assert (accuracy.max_drop, accuracy.max_drop_percent) == (Decimal("0.01"), Decimal(2))
    assert (accuracy.slices, accuracy.size, accuracy.min_size) == ("accuracy_*", "n_*", 50)
    assert (accuracy.level, loss.level) == ("off", "warn")
    assert (accuracy.precision, accuracy.branches) == (None, ("main", "release/*"))
    assert (str(loss.target), loss.over) == ("5", "last")
    assert (custom.direction, custom.target, custom.relative) == ("lower", None, True)
    assert (size.subject, size.command) == ("wc -c < model.bin", None)
    assert (latency.command, latency.branches) == ("./latency.sh", ("main",))


@pytest.mark.parametrize("text", ["", "# nothing\n", "baseline: main\n", "checks:\n"])
def test_a_file_without_checks_has_none(text: str) -> None:
    assert policy.read(text, "cml.yaml") == policy.Policy()


@pytest.mark.parametrize(
    ("body", "says", "hint"),
    [
        ("metrics:a: {max_drop: 1}", "2:15: unknown key 'max_drop'", "mean 'max-drop'"),
        ("metrics:a: {MAX_DROP: 1}", "2:15: unknown key 'MAX_DROP'", "mean 'max-drop'"),
        ('"metrics:a\\n": {target: 1}', "2:3: 'metrics:a\\n' does not name a check", "NAME"),
        ("metrics:a: {max-drop: 1}", "2:15: max-drop needs a direction", "direction: higher"),
        ("metrics:a: {max-drop: -1, direction: lower}", "2:25: max-drop: a number of", "worse"),
        ("metrics:a: {level: warn}", "2:3: metrics:a has no rule", "target: 0.9.."),
        ("metrics:a: {}", "2:3: metrics:a has no rule", "target: 0.9.."),
        ("metrics:a:", "2:3: metrics:a: keys with values are expected, not nothing", "indented"),
        ("metrics:a: {target: }", "2:15: target: a text or a number is expected", None),
        ("metrics:a: {target: [1]}", "2:23: target: a text or a number is expected", None),
        ("metrics:a: {target: true}", "2:23: target: a text or a number", None),
        ("metrics:a: {target: 1, over: last}", "2:26: over is for checks of tensorflow", "target"),
        ("metrics:a: {target: 1, aggregate: max}", "2:26: aggregate is for checks of", None),
        ("tensorflow:a: {target: 1, aggregate: max, direction: lower}", "2:45: direction is", ""),
        ("tensorflow:a: {target: 1}", "2:3: tensorflow:a has no aggregate", "mean"),
        ("custom:a: {target: 1, aggregate: max}", "2:36: aggregate: a JSON pointer", "/scores"),
        ("metrics:a: {target: 1, size: n_*}", "2:26: size and min-size are given", "n_*"),
        ("metrics:a: {target: 1, size: n_*, min-size: 5}", "2:26: size is for slices", "a"),
        ("metrics:a: {target: 1, slices: a_?, size: n_*, min-size: 5}", "2:39: slices and", "*"),
        ("metrics:a: {target: 1, slices: a_*, min-size: 5}", "2:39: size and min-size", "n_*"),
        ("metrics:a: {target: 1, level: loud}", "2:33: level: one of error, warn, off", "known"),
        ("seconds:a: {level: warn}", "2:3: seconds:a has no target", "target: 0"),
        ("seconds:a: {target: 1, direction: lower}", "2:26: direction is for checks of", "target"),
        ("bytes:a: {level: warn}", "2:3: bytes:a has no rule", "target: 0.9.."),
        ("bytes:a: {target: 1, over: last}", "2:24: over is for checks of tensorflow", "target"),
        ("metrics:a: {direction: up}", "2:26: direction: one of higher, lower", "known are"),
        ("metrics:a: {target: !x 1}", "2:23: target: a text or a number", None),
        ("metric:a: {target: 1}", "2:3: unknown source 'metric'", "mean 'metrics'"),
        ("metrics: {target: 1}", "2:3: 'metrics' does not name a check", "SOURCE:NAME"),
        ("metrics:a: {target: 1, target: 2}", "2:26: target is given twice, first in line 2", ""),
        ("metrics:a: {target: 1}\n  metrics:a: {target: 2}", "3:3: metrics:a is given twice", ""),
        ("metrics:a: {target: 1", "3:1: not valid YAML", None),
        ("defaults: {target: 1}", "2:14: unknown key 'target'", "known are"),
        ("? [a, b]\n  : {target: 1}", "2:5: '[...]' does not name a check", None),
        ("[1]", "2:3: checks: keys with values are expected, not a sequence", None),
    ],
)
def test_a_mistake_in_cml_yaml_is_named_with_its_place(
    body: str, says: str, hint: str | None
) -> None:
    error = mistake(f"checks:\n  {body}\n")

    assert error.message.startswith(f"f.yaml:{says}")
    assert (hint is None) or (hint in str(error.hint))


@pytest.mark.parametrize("text", ["- 1\n", "just words\n"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    assert mistake(text).message.startswith("f.yaml:1:1: keys with values are expected")


def test_what_was_added_removed_or_changed_is_told() -> None:
    old = own("  metrics:a: {target: 0.9.., level: error}\n  metrics:b: {direction: lower}\n")
    new = own(
        "  metrics:c: {direction: lower}\n"
        "  metrics:a: {target: 0.8.., level: warn, only-pulls: yes, branches: [x, y]}\n"
    )

    assert policy.differences(policy.Policy(checks=old), policy.Policy(checks=new)) == [
        "metrics:b is removed.",
        "metrics:c is added.",
        (
            "metrics:a changes: target from 0.9.. to 0.8.., only-pulls from false to true, "
            "branches from nothing to x y, level from error to warn."
        ),
    ]


def test_a_policy_written_differently_is_no_change() -> None:
    old = own("  metrics:a: {target: 0.9}\n")
    new = own("  # a comment\n  metrics:a:\n    target: 0.90..\n    level: error\n")

    assert policy.differences(policy.Policy(checks=old), policy.Policy(checks=new)) == []


PIECES = st.sampled_from(
    [
        "checks:",
        "version: 0",
        "metrics:a:",
        "tensorflow:b:",
        "defaults:",
        "target:",
        "precision:",
        "branches:",
        "direction: lower",
        "size: n_*",
        "aggregate: max",
        "0.5..",
        "\n",
        "\n  ",
        "\n    ",
        " ",
        "{",
        "}",
        "[",
        "]",
        "&a ",
        "*a",
        "<<: ",
        "? ",
        "!!binary ",
        "~",
        "\x00",
        "'",
        "|",
        "---",
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_no_text_breaks_the_reading(text: str) -> None:
    for read in (policy.read, policy.read_gradient):
        with contextlib.suppress(UsageError):
            assert isinstance(read(f"checks:\n  {text}", "f"), policy.Policy)
        with contextlib.suppress(UsageError):
            assert isinstance(read(text, "f"), policy.Policy)

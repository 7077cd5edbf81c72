"""A record -> JUnit XML, as GitLab and other readers of test results take it; loads nothing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape as quoted

from cml.record import CheckResult, Record
from cml.report import escape, words

SUITE = "cml-run"
_KINDS = {"fail": "failure", "inconclusive": "error", "invalid": "error"}


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One result; `kind` is the element that says what happened, None where all is well."""

    name: str
    classname: str = SUITE
    seconds: float = 0
    kind: str | None = None
    message: str = ""
    text: str = ""


def junit(record: Record) -> str:
    """Return the checks of a run as one suite, with a case for the run and one for the verdict.

    A check that failed is a failure, and one that came to no result an error; where a check only
    warns or is off, either is a skipped case. Characters that XML 1.0 forbids are shown as
    escapes. The format is the one that GitLab reads:
    https://docs.gitlab.com/ci/testing/unit_test_reports/
    """
    run = _run(record)
    cases = [run, _verdict(record), *_checks(record.checks)]
    kinds = Counter(case.kind for case in cases)
    suite = _element(
        "testsuite",
        name=SUITE,
        tests=f"{len(cases)}",
        failures=f"{kinds['failure']}",
        errors=f"{kinds['error']}",
        skipped=f"{kinds['skipped']}",
        time=f"{run.seconds:.3f}",
    )
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            "<testsuites>",
            f"  <{suite}>",
            *map(_xml, cases),
            "  </testsuite>",
            "</testsuites>",
            "",
        )
    )


def _run(record: Record) -> _Case:
    seconds = sum(stage.seconds or 0 for stage in record.stages)
    failure = record.failure
    if failure is None:
        return _Case(name="run", seconds=seconds)
    said = (failure.message, failure.hint, failure.output)
    return _Case(
        name="run",
        seconds=seconds,
        kind="error",
        message=failure.message,
        text="\n".join(text for text in said if text),
    )


def _verdict(record: Record) -> _Case:
    if record.verdict == "pass":
        return _Case(name="verdict")
    return _Case(
        name="verdict",
        kind=_KINDS[record.verdict] if record.verdict else "skipped",
        message=words.sentence(record),
        text="\n".join(record.problems),
    )


def _checks(checks: list[CheckResult]) -> Iterator[_Case]:
    seen: Counter[str] = Counter()
    for check in checks:
        name = escape.visible(check.name)
        seen[name] += 1
        # Readers take two cases of one name for one.
        number = f" ({seen[name]})" if seen[name] > 1 else ""
        kind = _KINDS.get(check.status)
        said = check.message or words.outcome(check)
        yield _Case(
            name=f"{name}{number}",
            classname=f"{SUITE}.checks",
            kind="skipped" if kind and check.level != "error" else kind,
            message=said,
            text=_detail(check),
        )


def _detail(check: CheckResult) -> str:
    target = "" if check.target is None else f", target {check.target}"
    return f"{words.outcome(check)}: value {words.value(check.value, repr)}{target}"


def _xml(case: _Case) -> str:
    head = _element(
        "testcase",
        name=escape.visible(case.name) or '""',
        classname=case.classname,
        time=f"{case.seconds:.3f}",
    )
    if case.kind is None:
        return f"    <{head}/>"
    child = _element(case.kind, message=escape.visible(case.message, escape.PARAGRAPH))
    text = quoted("\n".join(escape.output(case.text)))
    return f"    <{head}>\n      <{child}>{text}</{case.kind}>\n    </testcase>"


def _element(tag: str, **attributes: str) -> str:
    return " ".join((tag, *(f'{name}="{quoted(value)}"' for name, value in attributes.items())))

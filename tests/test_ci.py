import pytest

from cml import ci
from cml.record import Context


@pytest.mark.parametrize(
    "environ", [{}, {"CI": "true"}, {"GITHUB_SHA": "1" * 40}, {"GITHUB_ACTIONS": "false"}]
)
def test_outside_a_known_ci_system_the_terminal_is_the_forge(environ: dict[str, str]) -> None:
    terminal = Context(forge="terminal", trusted=True)
    assert ci.context(environ) == terminal
    assert ci.context(environ, {"pull_request": {"number": 7}}) == terminal


@pytest.mark.parametrize("value", ["true", "True", "1", "yes", "on", "woodpecker"])
@pytest.mark.parametrize("name", ["CI", "GITHUB_ACTIONS", "GITLAB_CI"])
def test_a_ci_system_is_known_by_its_variable(name: str, value: str) -> None:
    assert ci.is_ci({name: value})


@pytest.mark.parametrize("value", ["", " ", "0", "false", "False", "no", "off"])
def test_a_ci_variable_that_says_no_is_a_no(value: str) -> None:
    assert not ci.is_ci({"CI": value, "GITHUB_ACTIONS": value, "GITLAB_CI": value})
    assert not ci.is_ci({})

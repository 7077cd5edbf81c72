"""Offering results on a branch of their own, for a pull request."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from git_kit import World, commit, content, git, newcomer, opened, plan, race, run, start, write

from cml.errors import PublishError

if TYPE_CHECKING:
    from pathlib import Path

BRANCH = "refs/heads/cml-run/main"
TAG = "refs/tags/exp-1"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def changed(world: World, source: str) -> str:
    """The paths in which the offered branch differs from a source."""
    return git(world.origin, "diff", "--name-only", source, BRANCH)


def test_the_first_offer_makes_a_branch_with_its_tag_and_moves_nothing_else(world: World) -> None:
    wanted = run(world.work)
    before = world.refs()
    saved = world.checkout.offer(wanted)
    assert world.refs() == {**before, BRANCH: saved.commit, TAG: saved.commit}
    assert git(world.origin, "rev-parse", f"{BRANCH}^") == wanted.source
    assert changed(world, wanted.source) == "metrics.json"
    assert (saved.branch, saved.ref, saved.tag) == ("cml-run/main", BRANCH, "exp-1")
    assert (saved.pushed, saved.adopted) == (True, False)
    assert world.checkout.head == wanted.source
    assert git(world.work, "status", "--porcelain") == "M metrics.json"


def test_an_offer_on_a_source_that_moved_goes_on_without_force(world: World) -> None:
    first = world.checkout.offer(run(world.work, "one"))
    git(world.work, "checkout", "--quiet", "metrics.json")
    source = commit(world.work, "next", params_yaml="rate: 2\n", new_txt="new")
    world.push()
    git(world.origin, "config", "receive.denyNonFastForwards", "true")
    second = world.checkout.offer(run(world.work, "two"))
    assert world.refs()[BRANCH] == second.commit
    parents = git(world.origin, "rev-parse", f"{BRANCH}^1", f"{BRANCH}^2").split()
    assert parents == [source, first.commit]
    assert changed(world, source) == "metrics.json"
    assert content(world, BRANCH) == "two"


def test_what_people_did_on_the_offered_branch_is_no_part_of_a_new_offer(world: World) -> None:
    wanted = run(world.work, "one")
    world.checkout.offer(wanted)
    newcomer(world, branch="cml-run/main")
    saved = world.checkout.offer(run(world.work, "two"))
    assert world.refs()[BRANCH] == saved.commit
    assert changed(world, wanted.source) == "metrics.json"


def test_the_same_offer_again_pushes_nothing(world: World, tmp_path: Path) -> None:
    wanted = run(world.work)
    first = world.checkout.offer(wanted)
    before = world.refs()
    trace = tmp_path / "trace"
    again = opened(world.work, GIT_TRACE=str(trace)).offer(wanted)
    assert world.refs() == before
    assert "built-in: git push" not in trace.read_text()
    assert replace(again, adopted=False) == first
    assert again.adopted


def test_the_same_offer_again_brings_the_tag_that_is_missing(world: World) -> None:
    wanted = run(world.work)
    world.checkout.offer(replace(wanted, tag=None))
    assert TAG not in world.refs()
    saved = world.checkout.offer(wanted)
    assert saved.tag == "exp-1"
    assert world.refs()[TAG] == world.refs()[BRANCH] == saved.commit


def test_a_tag_that_names_something_else_stays_and_is_not_reported(world: World) -> None:
    wanted = run(world.work)
    git(world.work, "push", "--quiet", "origin", f"HEAD:{TAG}")
    saved = world.checkout.offer(wanted)
    assert world.refs()[TAG] == wanted.source
    assert world.refs()[BRANCH] == saved.commit
    assert saved.tag is None


def test_a_branch_that_was_deleted_is_made_anew(world: World) -> None:
    world.checkout.offer(run(world.work, "one"))
    git(world.origin, "update-ref", "-d", BRANCH)
    wanted = plan(run(world.work, "two").source, tag="exp-2")
    saved = world.checkout.offer(wanted)
    assert world.refs()[BRANCH] == saved.commit
    assert git(world.origin, "rev-parse", f"{BRANCH}^@") == wanted.source


def test_a_clone_of_one_commit_is_enough_for_every_offer(world: World) -> None:
    first = world.checkout.offer(run(world.work, "one"))
    git(world.work, "checkout", "--quiet", "metrics.json")
    source = commit(world.work, "next", params_yaml="rate: 2\n")
    world.push()
    folder = world.pulled(source)
    saved = opened(folder).offer(plan(run(folder, "two").source, tag=None))
    parents = git(world.origin, "rev-parse", f"{BRANCH}^@").split()
    assert (world.refs()[BRANCH], parents) == (saved.commit, [source, first.commit])
    assert changed(world, source) == "metrics.json"


def test_results_that_the_source_has_already_are_not_offered(world: World) -> None:
    saved = world.checkout.offer(run(world.work, "{}\n"))
    assert (saved.commit, saved.branch, saved.pushed) == (None, None, False)
    assert list(world.refs()) == ["refs/heads/main"]


RACE = """
import sys
from pathlib import Path
from git_kit import opened, run
folder, metrics = Path(sys.argv[1]), sys.argv[2]
wanted = run(folder, metrics)
checkout = opened(folder)
print("ready", flush=True)
sys.stdin.readline()
print(checkout.offer(wanted).commit)
"""


def test_of_two_offers_at_once_both_arrive_one_after_the_other(world: World) -> None:
    folders = [world.clone(name) for name in ("one", "two")]
    racers = [start(RACE, str(folder), folder.name) for folder in folders]
    made = race(racers)
    tip = world.refs()[BRANCH]
    assert tip in made
    assert made <= {*git(world.origin, "rev-list", BRANCH).split()}
    assert content(world, BRANCH) in {"one", "two"}


def test_an_offer_that_was_overtaken_goes_on_top_of_the_other_one(world: World) -> None:
    mate = world.clone("mate")
    theirs = opened(mate).offer(plan(run(mate, "theirs").source, tag=None))
    git(world.origin, "update-ref", "refs/cml/waiting", str(theirs.commit))
    git(world.origin, "update-ref", "-d", BRANCH)
    hook = write(
        world.origin,
        "hooks/pre-receive",
        f"#!/bin/sh\nunset GIT_QUARANTINE_PATH\nmv hooks/pre-receive hooks/done\n"
        f"git update-ref {BRANCH} {theirs.commit}\n",
    )
    hook.chmod(0o755)
    saved = world.checkout.offer(run(world.work, "ours"))
    assert (world.origin / "hooks/done").exists()
    parents = git(world.origin, "rev-parse", f"{BRANCH}^@").split()
    assert parents == [git(world.work, "rev-parse", "HEAD"), theirs.commit]
    assert world.refs()[BRANCH] == saved.commit
    assert content(world, BRANCH) == "ours"


def test_a_remote_that_refuses_the_branch_is_said(world: World) -> None:
    write(world.origin, "hooks/update", "#!/bin/sh\nexit 1\n").chmod(0o755)
    with pytest.raises(PublishError, match="refused the push"):
        world.checkout.offer(run(world.work))
    assert list(world.refs()) == ["refs/heads/main"]

"""The story of verification: stages run again, and what was recorded of them is compared."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cml import metrics, pipeline
from cml.checks.verifying import Verify
from cml.commands import gate
from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cml.record import Baseline, Record
    from cml.repo import Checkout

log = logging.getLogger(__name__)

SHOWN = 20
UNSAVED = "Verification failed, as the problems say, so nothing was saved."


class Verification:
    """What the rules in force want verified, and what that has shown.

    Attributes:
        problems: sentences, each of which makes the verdict invalid.
    """

    def __init__(self, project: pipeline.Project) -> None:
        self.project = project
        self.problems: list[str] = []
        self._tolerance = Verify().tolerance
        self._verified: Sequence[str] = ()
        self._before: list[Baseline | None] = []

    def begin(self, start: Path, checkout: Checkout, record: Record) -> None:
        """Make the run of the pipeline run stages again, as the rules in force say.

        Raises:
            UsageError: the rules in the work tree name a stage that is not there.
        """
        self._ask(gate.rules_here(start, checkout).own.verify)
        try:
            wanted = gate.rules_in_force(start, checkout, record).own.verify
        except UsageError as error:
            # The judgement will say so: it is invalid, whatever is computed.
            log.warning("nothing is verified: %s", error.message)
            pipeline.run_again(self.project, ())
            return
        self._tolerance = wanted.tolerance
        try:
            self._ask(wanted)
            self._verified = wanted.stages
            self._before = [record.baseline, record.rules]
        except UsageError as error:
            self.problems.append(error.message)
            pipeline.run_again(self.project, ())

    def end(self) -> None:
        """Compare the metrics that the last commit records with those that were computed."""
        recorded, computed = pipeline.claimed_metrics(self.project)
        found = metrics.disagreements(recorded, computed, self._tolerance)
        self.problems += found[:SHOWN]
        if len(found) > SHOWN:
            self.problems.append(f"{len(found) - SHOWN} more metrics are not what was recorded")
        self._see_what_escaped()

    def _see_what_escaped(self) -> None:
        """See that the metrics which verified stages made before are verified still."""
        shas = dict.fromkeys(commit.sha for commit in self._before if commit and self._verified)
        gone = [pipeline.escaped(self.project, self._verified, sha) for sha in shas]
        made = {path: stage for each in gone for path, stage in each.items()}
        self.problems += [
            f"{path}, which the verified stage {stage} made before, is no longer made by a stage "
            "that is verified"
            for path, stage in sorted(made.items())
        ]

    def _ask(self, wanted: Verify) -> None:
        try:
            pipeline.run_again(self.project, wanted.stages)
        except UsageError as error:
            raise UsageError(f"{wanted.where}: {error.message}", hint=error.hint) from error

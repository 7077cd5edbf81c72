"""DVC, and only here: one open project does everything in one process."""

from cml.pipeline.command import answer
from cml.pipeline.compare import PIPELINE, data_changes, read_metrics, read_params
from cml.pipeline.copies import leads_to, made_metrics, maker, open_copy, steers
from cml.pipeline.create import create
from cml.pipeline.freezing import newly_frozen
from cml.pipeline.leftovers import clear_leftovers
from cml.pipeline.parameters import parameter, set_parameter
from cml.pipeline.planning import Plan, PlannedStage, Pull, plan
from cml.pipeline.plotting import plots
from cml.pipeline.project import Project, find_root, open_project
from cml.pipeline.recorded import content, making, stages
from cml.pipeline.reproduce import Listener, reproduce
from cml.pipeline.results import files, holds, inputs, moved
from cml.pipeline.sizes import size
from cml.pipeline.traffic import WORKSPACE
from cml.pipeline.transfer import absent_from_remote, has_remote, lost, pull, push, require_remote
from cml.pipeline.update import update
from cml.pipeline.verifying import claimed_metrics, escaped, run_again

__all__ = [
    "PIPELINE",
    "WORKSPACE",
    "Listener",
    "Plan",
    "PlannedStage",
    "Project",
    "Pull",
    "absent_from_remote",
    "answer",
    "claimed_metrics",
    "clear_leftovers",
    "content",
    "create",
    "data_changes",
    "escaped",
    "files",
    "find_root",
    "has_remote",
    "holds",
    "inputs",
    "leads_to",
    "lost",
    "made_metrics",
    "maker",
    "making",
    "moved",
    "newly_frozen",
    "open_copy",
    "open_project",
    "parameter",
    "plan",
    "plots",
    "pull",
    "push",
    "read_metrics",
    "read_params",
    "reproduce",
    "require_remote",
    "run_again",
    "set_parameter",
    "size",
    "stages",
    "steers",
    "update",
]

"""The table of options; declarations only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from cml.config import values

Kind = Literal["text", "list", "bool", "int", "path"]


@dataclass(frozen=True, kw_only=True)
class Option:
    """One setting of the main job, and every place where it can be given.

    `name` is its field in `Settings`, `env` its `CML_NAME` variable, `bare` the variable of the
    2020 tool, `key` its key in cml.yaml; None where it cannot be given there. `parse` takes the
    text (of a list: the tuple of its names) and raises ValueError. `default` is parsed like what
    people write. Where it is None the field becomes `absent`, `otherwise` says in words what that
    means, and `example` is a value in YAML. `judges` tells that it bears on the verdict.
    """

    name: str
    kind: Kind
    parse: Callable[[Any], object]
    help: str
    env: str
    flag: str | None = None
    metavar: str | None = None
    bare: str | None = None
    key: str | None = None
    default: str | None = None
    absent: object = None
    otherwise: str | None = None
    example: str | None = None
    judges: bool = False

    @property
    def flags(self) -> tuple[str, ...]:
        """What can stand on the command line; a bool has a second flag that says no."""
        if self.flag is None:
            return ()
        return (self.flag, f"--no-{self.flag[2:]}") if self.kind == "bool" else (self.flag,)


OPTIONS = (
    Option(
        name="baseline",
        kind="text",
        parse=values.revision,
        flag="--baseline",
        metavar="REV",
        env="CML_BASELINE",
        bare="baseline",
        key="baseline",
        judges=True,
        default="auto",
        help="The revision to compare with. auto: the merge-base with the pull request's target, "
        "else with the default branch, else the parent commit.",
    ),
    Option(
        name="repro_targets",
        kind="list",
        parse=values.targets,
        flag="--repro-targets",
        metavar="A,B",
        env="CML_REPRO_TARGETS",
        bare="repro_targets",
        key="repro_targets",
        judges=True,
        absent=values.Targets(),
        otherwise="the whole pipeline",
        example="[train, evaluate]",
        help="Stages or files to reproduce, split on commas and spaces; - skips.",
    ),
    Option(
        name="dvc_pull",
        kind="list",
        parse=values.pull_targets,
        flag="--dvc-pull",
        metavar="A,B",
        env="CML_DVC_PULL",
        bare="dvc_pull",
        key="dvc_pull",
        absent=values.Targets(),
        otherwise="only what is needed",
        example="[data/raw.dvc]",
        help="Targets to pull first; all pulls everything, - pulls nothing.",
    ),
    Option(
        name="update",
        kind="list",
        parse=values.files,
        flag="--update",
        metavar="A.dvc,B.dvc",
        env="CML_DVC_UPDATE",
        bare="dvc_update",
        key="dvc_update",
        absent=(),
        otherwise="none",
        example="[data/raw.dvc]",
        help="Imported data to bring up to date before the pipeline runs; - skips.",
    ),
    Option(
        name="metrics_diff_targets",
        kind="list",
        parse=values.targets,
        flag="--metrics-diff-targets",
        metavar="A,B",
        env="CML_METRICS_DIFF_TARGETS",
        bare="metrics_diff_targets",
        key="metrics_diff_targets",
        judges=True,
        absent=values.Targets(),
        otherwise="all metrics files",
        example="[metrics.json]",
        help="Metrics files to compare; - skips.",
    ),
    Option(
        name="metrics_format",
        kind="text",
        parse=values.line,
        flag="--metrics-format",
        metavar="F",
        env="CML_METRICS_FORMAT",
        bare="metrics_format",
        key="metrics_format",
        default="0[.][0000000]",
        help="How to write metrics: a numeral.js format. A value that it would show as zero, or "
        "cannot show, is written with its significant digits.",
    ),
    Option(
        name="logdir",
        kind="path",
        parse=values.line,
        flag="--logdir",
        metavar="DIR",
        env="CML_LOGDIR",
        key="logdir",
        judges=True,
        otherwise="the whole work tree",
        example="runs",
        help="Where the event files of checks on tensorboard scalars lie.",
    ),
    Option(
        name="fail_on",
        kind="list",
        parse=values.verdicts,
        flag="--fail-on",
        metavar="A,B",
        env="CML_FAIL_ON",
        key="fail_on",
        judges=True,
        default="fail,inconclusive,invalid",
        help="Verdicts that end with an error and block a merge; - for none.",
    ),
    Option(
        name="tag_prefix",
        kind="text",
        parse=values.tag_prefix,
        flag="--tag-prefix",
        metavar="P",
        env="CML_TAG_PREFIX",
        bare="tag_prefix",
        key="tag_prefix",
        otherwise="no tags",
        example="exp-",
        help="Tag results as P and the short sha; turns on the latest 5 experiments in the report "
        "and GitLab's release notes.",
    ),
    Option(
        name="forge",
        kind="text",
        parse=values.forge,
        flag="--forge",
        metavar="NAME",
        env="CML_FORGE",
        key="forge",
        otherwise="detected",
        example="terminal",
        help="Whom to tell: github, gitlab, or terminal for nobody else.",
    ),
    Option(
        name="publish",
        kind="bool",
        parse=values.boolean,
        flag="--publish",
        env="CML_PUBLISH",
        key="publish",
        otherwise="in CI yes, from a shell no",
        example="true",
        help="Save and tell the results. Without it a run stops after the bundle: for laptops and "
        "for jobs that have no token.",
    ),
    Option(
        name="publish_as",
        kind="text",
        parse=values.way,
        flag="--publish-as",
        metavar="WAY",
        env="CML_PUBLISH_AS",
        key="publish_as",
        default="push",
        help="How results reach the branch: push, or pull-request for one pull request a branch.",
    ),
    Option(
        name="release",
        kind="bool",
        parse=values.boolean,
        flag="--release",
        env="CML_RELEASE",
        key="release",
        otherwise="on GitLab yes, on GitHub no",
        example="true",
        help="Describe the tag of the results by a release (on GitHub a prerelease) that holds "
        "the report.",
    ),
    Option(
        name="images",
        kind="text",
        parse=values.images,
        flag="--images",
        metavar="HOW",
        env="CML_IMAGES",
        key="images",
        default="auto",
        help="Pictures in comments: auto shows them where readers are sure to see them, inline "
        "everywhere, none hosts none.",
    ),
    Option(
        name="out",
        kind="path",
        parse=values.folder,
        flag="--out",
        metavar="DIR",
        env="CML_OUT",
        default=".cml",
        help="The folder of the bundle, which hides itself from git.",
    ),
    Option(
        name="jobs",
        kind="int",
        parse=values.count,
        flag="--jobs",
        metavar="N",
        env="CML_JOBS",
        key="jobs",
        default="1",
        help="How many independent stages to run at a time.",
    ),
    Option(
        name="name",
        kind="text",
        parse=values.name,
        flag="--name",
        metavar="NAME",
        env="CML_NAME",
        key="name",
        default="cml-run",
        help="The name of the comment and the status, so that two jobs do not fight over them.",
    ),
    Option(
        name="author",
        kind="text",
        parse=values.person,
        env="CML_AUTHOR",
        key="author",
        default="cml-run <cml-run@localhost>",
        help="The author of the commits that hold results.",
    ),
    Option(
        name="committer",
        kind="text",
        parse=values.person,
        env="CML_COMMITTER",
        key="committer",
        otherwise="the author",
        example="cml-run <cml-run@localhost>",
        help="The committer of the commits that hold results.",
    ),
)

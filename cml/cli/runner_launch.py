"""`cml-run runner launch`."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import click

import cml
from cml.cli import job, options, runner_options
from cml.config import values
from cml.errors import UsageError

if TYPE_CHECKING:
    from cml.commands.launch import Plan
    from cml.record import Context

EPILOG = """\b
Examples:
  cml-run runner launch --cloud aws --gpu T4:1 --spot --labels cml,gpu --dry-run
  cml-run runner launch --cloud gcp --region us-central1 --gpu L4:1 --idle-minutes 15
"""
_NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")


@click.command(epilog=EPILOG)
@click.option("--cloud", required=True, metavar="NAME", help="aws, gcp, azure, ... of SkyPilot.")
@click.option("--region", metavar="R", help="Where in the cloud.  [default: the cheapest]")
@click.option("--gpu", metavar="NAME:N", help="Which GPU and how many.  [default: none]")
@click.option("--spot", is_flag=True, help="A cheaper machine that the cloud may take back.")
@click.option("--disk-size", metavar="GB", type=click.IntRange(1), help="Of its disk.")
@click.option(
    "--idle-minutes",
    metavar="N",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="End a runner without a job, and remove a machine without a runner, after so long.",
)
@click.option("--labels", metavar="A,B", default="cml", show_default=True, help="For jobs.")
@click.option("--name", metavar="NAME", default="cml", show_default=True, help="How it begins.")
@click.option("--repository", metavar="OWNER/NAME", help="Take jobs of this repository.")
@click.option("--organisation", "--group", metavar="PATH", help="Take jobs of all of that.")
@click.option("--runner-group", metavar="N", type=int, default=1, help="GitHub's runner group.")
@click.option("--allow-forks", is_flag=True, help="Run strangers' code there.")
@click.option("--package", metavar="SPEC", help="What pip installs there.  [this version]")
@click.option(
    "--wait",
    metavar="MIN",
    type=click.FloatRange(0),
    default=20,
    show_default=True,
    help="How long to wait for the runner; 0 does not.",
)
@click.option("--dry-run", is_flag=True, help="Show SkyPilot's task, and do nothing.")
@options.only("forge")
def command(*, wait: float, dry_run: bool, **flags: Any) -> None:
    """Start a machine in a cloud with SkyPilot that runs one job of this repository, and goes.

    The token in repo_token must be allowed to administer runners; it stays here.
    """
    from cml.commands import launch

    settings, around, context = runner_options.gathered(flags, flags["forge"])
    host = runner_options.host(job.forge(settings, context, around.token))
    plan = _plan(flags, context)
    seen = {name: value for name, value in os.environ.items() if name not in around.secrets}
    if dry_run:
        click.echo(launch.rehearse(plan, host, seen), nl=False)
        return
    watch = launch.Watch(most=wait * 60, poll=10)
    click.echo(launch.launch(plan, host, seen, watch))


def _plan(flags: dict[str, Any], context: Context) -> Plan:
    from cml.clusters.skypilot import Machine
    from cml.commands.launch import Plan

    if not _NAME.fullmatch(flags["name"]):
        raise UsageError(
            f"{flags['name']!r} is no name of a machine",
            hint="use small letters, digits and -, a letter first, up to 30 of them",
        )
    keys = ("cloud", "region", "gpu", "spot", "disk_size", "idle_minutes")
    return Plan(
        name=flags["name"],
        labels=_labels(flags["labels"], flags["gpu"]),
        organisation=flags["organisation"],
        group=flags["runner_group"],
        allow_forks=flags["allow_forks"],
        machine=Machine(**{key: flags[key] for key in keys}),
        package=flags["package"] or f"cml-run=={cml.__version__}",
        kind="authentication" if context.forge == "gitlab" else "just-in-time",
    )


def _labels(wanted: str, gpu: str | None) -> tuple[str, ...]:
    """Return the labels asked for, and what the GPU is: its name as SkyPilot has it, and how many.

    Raises:
        UsageError: one is no label, or `gpu` is asked for without --gpu.
    """
    from cml import machine

    given = values.split(wanted)
    if gpu is None and "gpu" in (label.lower() for label in given):
        raise UsageError("the label gpu is asked for, and no GPU", hint="add one: --gpu T4:1")
    name, _, count = (gpu or "").partition(":")
    added = (name.lower(), f"gpu-count-{count or 1}") if name else ()
    return machine.labels([*given, *added], [], without_gpu=True)

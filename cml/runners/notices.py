"""Notices of clouds that take a cheap machine back; asks only the cloud's own metadata address.

AWS: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
Google: https://docs.cloud.google.com/compute/docs/instances/create-use-spot
Azure: https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cml.ci.values import text

if TYPE_CHECKING:
    import requests

ADDRESS = "http://169.254.169.254"
"""Where each of these clouds answers a machine."""

CLOUDS = ("aws", "gcp", "azure")
SECONDS = 5.0
"""How often a cloud is asked; the notice comes from 30 seconds to 2 minutes ahead."""

_TRIES = 6  # to find out the cloud: for five minutes, if it is asked every five seconds
_TIMEOUT = (1.0, 2.0)
_GOOGLE = {"Metadata-Flavor": "Google"}
_AZURE = {"Metadata": "true"}
_AZURE_VERSION = "api-version=2021-02-01"

Ask = Callable[[str, str, Mapping[str, str]], "requests.Response | None"]


def watch(
    cloud: str | None,
    tell: Callable[[str], object],
    *,
    address: str = ADDRESS,
    seconds: float = SECONDS,
) -> None:
    """Watch for a notice in a thread that ends with the process; tell it once.

    Args:
        cloud: one of :data:`CLOUDS`; None to find out, and to end where it is none.
        tell: called with a sentence, in that thread.
        address: of the metadata service.
        seconds: between two looks.
    """
    arguments = (cloud, tell, address, seconds)
    threading.Thread(target=_watch, args=arguments, daemon=True, name="notices").start()


def notice(cloud: str, ask: Ask) -> str:
    """Look once; return what the cloud says, empty where it says nothing."""
    return {"aws": _aws, "gcp": _google, "azure": _azure}[cloud](ask)


def detect(ask: Ask) -> str | None:
    """Find out by which cloud this machine is run; None for none of the three."""
    if _aws_token(ask):
        return "aws"
    google = ask("GET", "/computeMetadata/v1/", _GOOGLE)
    if google is not None and google.headers.get("Metadata-Flavor") == "Google":
        return "gcp"
    azure = ask("GET", f"/metadata/instance?{_AZURE_VERSION}", _AZURE)
    return "azure" if _json(azure) else None


def asking(address: str) -> Ask:
    """Return what asks a metadata service: past all proxies, never long, None for no answer."""
    import requests

    session = requests.Session()
    session.trust_env = False

    def ask(method: str, path: str, headers: Mapping[str, str]) -> requests.Response | None:
        try:
            answer = session.request(
                method, address + path, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            )
        except requests.RequestException:
            return None
        return answer if answer.ok else None

    return ask


def _watch(cloud: str | None, tell: Callable[[str], object], address: str, seconds: float) -> None:
    ask = asking(address)
    cloud = cloud or _found(ask, seconds)
    if cloud is None:
        return
    while not (said := notice(cloud, ask)):
        time.sleep(seconds)
    tell(said)


def _found(ask: Ask, seconds: float) -> str | None:
    """Find out the cloud; a machine that has just been started may not reach it at once."""
    for tries in range(_TRIES):
        if cloud := detect(ask):
            return cloud
        time.sleep(seconds * 2**tries)
    return None


def _aws_token(ask: Ask) -> str:
    found = ask("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "300"})
    return found.text if found is not None else ""


def _aws(ask: Ask) -> str:
    headers = {"X-aws-ec2-metadata-token": _aws_token(ask)}
    item = _json(ask("GET", "/latest/meta-data/spot/instance-action", headers))
    if "action" not in item:
        return ""
    return f"AWS takes this machine back ({item['action']} at {item.get('time', 'once')})"


def _google(ask: Ask) -> str:
    found = ask("GET", "/computeMetadata/v1/instance/preempted", _GOOGLE)
    preempted = found is not None and found.text.strip().upper() == "TRUE"
    return "Google takes this machine back, within 30 seconds" if preempted else ""


def _azure(ask: Ask) -> str:
    """Look for an event of this machine: others of its set are told of as well."""
    found = _json(ask("GET", "/metadata/scheduledevents?api-version=2020-07-01", _AZURE))
    events = found.get("Events")
    for event in events if isinstance(events, list) else []:
        if text(event, "EventType") == "Preempt" and _is_mine(event, ask):
            return f"Azure takes this machine back (not before {event.get('NotBefore') or 'now'})"
    return ""


def _is_mine(event: dict[str, Any], ask: Ask) -> bool:
    path = f"/metadata/instance/compute/name?{_AZURE_VERSION}&format=text"
    named = ask("GET", path, _AZURE)
    mine = named.text.strip() if named is not None else ""
    return not mine or mine in (event.get("Resources") or [mine])


def _json(answer: requests.Response | None) -> dict[str, Any]:
    try:
        found = {} if answer is None else answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

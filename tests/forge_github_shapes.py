"""The objects of GitHub's API, in full, as its document wants them."""

from __future__ import annotations

from typing import Any

_REPO_LINKS = (
    "archive assignees blobs branches collaborators comments commits compare contents contributors"
    " deployments downloads events forks git_commits git_refs git_tags hooks issue_comment"
    " issue_events issues keys labels languages merges milestones notifications pulls releases"
    " stargazers statuses subscribers subscription tags teams trees"
)
_USER_LINKS = (
    "events followers following gists organizations received_events repos starred subscriptions"
)
_REPO_COUNTS = (
    "forks forks_count open_issues open_issues_count watchers watchers_count size stargazers_count"
    " network_count subscribers_count"
)
_CHANGES = "additions changed_files commits deletions review_comments"
HAS = ("issues", "projects", "downloads", "wiki", "pages", "discussions")
BOT = "github-actions[bot]"


def _object(api: str, what: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "node_id": f"N_{number}",
        "url": f"{api}/{what}",
        **more,
    }


def user(server: str, api: str, login: str) -> dict[str, Any]:
    """Return a person, or the app whose login ends with `[bot]`."""
    address = f"{api}/users/{login}"
    links = {f"{name}_url": f"{address}/{name}" for name in _USER_LINKS.split()}
    number = 41898282 if login == BOT else 1 + sum(login.encode())
    return _object(
        api,
        f"users/{login}",
        number,
        login=login,
        avatar_url=f"{server}/avatars/{number}",
        gravatar_id="",
        html_url=f"{server}/{login}",
        site_admin=False,
        type="Bot" if login.endswith("[bot]") else "User",
        **links,
    )


def account(server: str, api: str, login: str, now: str) -> dict[str, Any]:
    """Return a person as `GET /user` does."""
    unknown: dict[str, Any] = dict.fromkeys(
        ("bio", "blog", "company", "email", "hireable", "location", "name")
    )
    counts = dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0)
    person = user(server, api, login)
    unknown["user_view_type"] = "public"
    return {**person, **unknown, **counts, "created_at": now, "updated_at": now}


def repository(server: str, api: str, path: str, number: int, *, private: bool) -> dict[str, Any]:
    owner, name = path.split("/")
    address = f"{api}/repos/{path}"
    links = {f"{link}_url": f"{address}/{link}" for link in _REPO_LINKS.split()}
    counts = dict.fromkeys(_REPO_COUNTS.split(), 0)
    has = {f"has_{what}": True for what in HAS}
    never = dict.fromkeys(("description", "homepage", "language", "mirror_url", "license"))
    return _object(
        api,
        f"repos/{path}",
        number,
        name=name,
        full_name=path,
        owner=user(server, api, owner),
        private=private,
        visibility="private" if private else "public",
        html_url=f"{server}/{path}",
        fork=number != 1,
        default_branch="main",
        clone_url=f"{server}/{path}.git",
        git_url=f"git:{server.partition(':')[2]}/{path}.git",
        ssh_url=f"git@{server.partition('//')[2]}:{path}.git",
        svn_url=f"{server}/{path}",
        archived=False,
        disabled=False,
        created_at="2025-01-01T00:00:00Z",
        updated_at="2025-01-01T00:00:00Z",
        pushed_at="2025-01-01T00:00:00Z",
        **links,
        **counts,
        **has,
        **never,
    )


def app(server: str, api: str) -> dict[str, Any]:
    """Return the app that GitHub Actions is."""
    return {
        "id": 15368,
        "slug": "github-actions",
        "node_id": "A_15368",
        "owner": user(server, api, "github"),
        "name": "GitHub Actions",
        "description": "Automate your workflow from idea to production",
        "external_url": f"{server}/features/actions",
        "html_url": f"{server}/apps/github-actions",
        "created_at": "2018-07-30T09:30:17Z",
        "updated_at": "2024-04-10T20:33:16Z",
        "permissions": {"checks": "write", "contents": "write", "metadata": "read"},
        "events": ["push", "pull_request"],
    }


def pull(repo: dict[str, Any], number: int, **facts: Any) -> dict[str, Any]:
    """Return a pull request; `facts` are its head, base, title, body, state and times."""
    address, page = f"{repo['url']}/pulls/{number}", f"{repo['html_url']}/pull/{number}"
    issue = f"{repo['url']}/issues/{number}"
    head = f"{repo['url']}/statuses/{facts['head']['sha']}"
    links = {
        "self": address,
        "html": page,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{address}/comments",
        "review_comment": f"{repo['url']}/pulls/comments{{/number}}",
        "commits": f"{address}/commits",
        "statuses": head,
    }
    return {
        "id": 10_000 + number,
        "node_id": f"PR_{number}",
        "url": address,
        "html_url": page,
        "issue_url": issue,
        "number": number,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "comments_url": links["comments"],
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "statuses_url": head,
        "locked": False,
        "draft": False,
        "labels": [],
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "author_association": "CONTRIBUTOR",
        **dict.fromkeys(("assignee", "milestone", "auto_merge", "merged_at", "closed_at")),
        "merge_commit_sha": None,
        "_links": {name: {"href": link} for name, link in links.items()},
        **facts,
    }


def pull_details() -> dict[str, Any]:
    """Return what a pull request has when it is asked for alone."""
    counts = dict.fromkeys(_CHANGES.split(), 1)
    return {
        **counts,
        "comments": 0,
        "mergeable": True,
        "mergeable_state": "clean",
        "rebaseable": True,
        "merged": False,
        "merged_by": None,
        "maintainer_can_modify": False,
    }


def release(address: str, page: str, number: int, **facts: Any) -> dict[str, Any]:
    return {
        "id": number,
        "node_id": f"RE_{number}",
        "url": f"{address}/releases/{number}",
        "html_url": f"{page}/releases/tag/{facts['tag_name']}",
        "assets_url": f"{address}/releases/{number}/assets",
        "upload_url": f"{address}/releases/{number}/assets{{?name,label}}",
        "tarball_url": f"{address}/tarball/{facts['tag_name']}",
        "zipball_url": f"{address}/zipball/{facts['tag_name']}",
        "assets": [],
        **facts,
    }


def check_run(repo: dict[str, Any], number: int, **facts: Any) -> dict[str, Any]:
    address = f"{repo['url']}/check-runs/{number}"
    empty = {"title": None, "summary": None, "text": None}
    output = {**empty, **facts.pop("output", {})}
    output["annotations_count"] = len(output.pop("annotations", []))
    output["annotations_url"] = f"{address}/annotations"
    page = f"{repo['html_url']}/runs/{number}"
    return {
        "id": number,
        "node_id": f"CR_{number}",
        "url": address,
        "html_url": page,
        "external_id": "",
        "check_suite": {"id": 5},
        "pull_requests": [],
        "details_url": page,
        "conclusion": None,
        "completed_at": None,
        **facts,
        "output": output,
    }

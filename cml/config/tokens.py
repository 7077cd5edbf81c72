"""Which environment variables hold a forge's token; no other file knows their names."""

from collections.abc import Mapping

SOURCES = ("CML_REPO_TOKEN", "repo_token", "GITHUB_TOKEN", "GITLAB_TOKEN")

# Not only what we read: all that a CI system, its command-line tools or an action's inputs put
# into a job and that opens the forge. CI_REPOSITORY_URL is a URL with a job token inside.
TOKEN_NAMES = frozenset(
    {
        *SOURCES,
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "ACTIONS_RUNTIME_TOKEN",
        "CI_BUILD_TOKEN",
        "CI_DEPENDENCY_PROXY_PASSWORD",
        "CI_DEPLOY_PASSWORD",
        "CI_JOB_JWT",
        "CI_JOB_JWT_V1",
        "CI_JOB_JWT_V2",
        "CI_JOB_TOKEN",
        "CI_REGISTRY_PASSWORD",
        "CI_REPOSITORY_URL",
        "CML_TOKEN",
        "GH_ENTERPRISE_TOKEN",
        "GH_TOKEN",
        "GITHUB_ENTERPRISE_TOKEN",
        "GITHUB_PAT",
        "GITLAB_ACCESS_TOKEN",
        "GITLAB_PRIVATE_TOKEN",
        "GL_TOKEN",
        "INPUT_GITHUB-TOKEN",
        "INPUT_GITHUB_TOKEN",
        "INPUT_REPO-TOKEN",
        "INPUT_REPO_TOKEN",
        "INPUT_TOKEN",
    }
)


def token(environ: Mapping[str, str]) -> str | None:
    """Return the forge's token: the first variable of :data:`SOURCES` that is not empty.

    White space around it is dropped: secrets pasted with a newline would break HTTP headers.
    """
    found = (environ.get(name, "").strip() for name in SOURCES)
    return next((value for value in found if value), None)

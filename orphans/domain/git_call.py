"""The command line and environment of a git call in a checkout that belongs to somebody else.

Every setting is overridden through which a repository could make git run a program (hooks, fsmonitor, pagers,
transports, signatures), and the environment holds nothing of ours. See the git documentation on
`safe.directory`, GIT_ALLOW_PROTOCOL and GIT_CONFIG_GLOBAL. Whoever makes the call caps its time and output.
"""

from typing import Final

SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=",
    "core.pager=cat",
    "core.editor=false",
    "core.sshCommand=false",
    "core.askPass=",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "credential.helper=",
    "diff.external=",
    "diff.ignoreSubmodules=all",
    "protocol.allow=never",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "log.showSignature=false",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "gpg.program=false",
)


def arguments(checkout: str, *words: str, pathspecs: str = "--literal-pathspecs") -> list[str]:
    """Return the command line of one call in `checkout`, an absolute path with links resolved.

    `pathspecs` is git's own option; anything but the default takes patterns in paths, so no path of a
    repository may be among `words` then.
    """
    settings = [*SETTINGS, f"safe.directory={checkout}"]
    options = [word for setting in settings for word in ("-c", setting)]
    return ["git", "--no-pager", pathspecs, *options, "-C", checkout, *words]


def environment(search_path: str) -> dict[str, str]:
    """Return the whole environment of a call; `search_path` says where git is (PATH)."""
    return {
        "PATH": search_path,
        "LC_ALL": "C",
        "HOME": "/nonexistent",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }

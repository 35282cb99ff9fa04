"""Which lines of a stranger's requirements are taken."""

import pytest

from orphans.domain.errors import InvalidInput
from orphans.domain.requirements import MAX_REQUIREMENTS, MAX_TEXT, declared, of_text

LOCKED = """
# made by a tool
flask==3.1 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via app
redis[hiredis]>=5 ; python_version >= "3.9"  # cache

flask==3.1
"""


def test_a_lock_file_gives_names_versions_and_markers_once() -> None:
    assert of_text(LOCKED, "r.txt") == ("flask==3.1", 'redis[hiredis]>=5; python_version >= "3.9"')


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("--index-url elsewhere", "is an option of pip"),
        ("-e .", "is an option of pip"),
        ("-r /etc/passwd", "is an option of pip"),
        ("x @ https://elsewhere/x.whl", "is a link"),
        ("x @ file:///etc", "is a link"),
        ("git+https://elsewhere/x", "is no requirement"),
        ("../neighbour", "is no requirement"),
        ("/etc/passwd", "is no requirement"),
        ("x; os.system('id')", "is no requirement"),
        ("root:x:0:0:root:/root:/bin/sh", "is no requirement"),
    ],
)
def test_what_could_fetch_or_run_something_else_is_refused_by_name(line: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as refused:
        of_text(f"numpy\n{line}\n", "r.txt")
    assert repr(line[:80]) in str(refused.value)
    assert str(refused.value).startswith("r.txt: ")


def test_too_much_is_refused() -> None:
    with pytest.raises(InvalidInput, match="names 501 packages, over 500"):
        of_text("\n".join(f"p{i}" for i in range(MAX_REQUIREMENTS + 1)), "r.txt")
    with pytest.raises(InvalidInput, match="longer than"):
        of_text("x" * (MAX_TEXT + 1), "r.txt")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"pyproject.toml": '[project]\ndependencies = ["a>1", "b"]', "requirements.txt": "c"}, ("a>1", "b")),
        ({"pyproject.toml": "[tool.x]\n", "requirements.txt": "c"}, ("c",)),
        ({"pyproject.toml": "[project]\ndependencies = []"}, ()),
        ({"requirements.txt": "# none\n"}, ()),
    ],
)
def test_a_repository_says_what_it_needs(texts: dict[str, str], expected: tuple[str, ...]) -> None:
    assert declared(texts) == expected


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ({}, "declares no dependencies"),
        ({"pyproject.toml": "[project]\nname = 'x'"}, "declares no dependencies"),
        ({"pyproject.toml": "[project"}, "pyproject.toml is no TOML"),
        ({"pyproject.toml": "project = 1"}, "declares no dependencies"),
        ({"pyproject.toml": "[project]\ndependencies = 'a'"}, "must be a list of texts"),
        ({"pyproject.toml": "[project]\ndependencies = [1]"}, "must be a list of texts"),
        ({"pyproject.toml": "[project]\ndependencies = ['a @ http://x/a.whl']"}, "is a link"),
    ],
)
def test_a_repository_that_says_nothing_or_nonsense_is_refused(texts: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        declared(texts)

"""Small git repositories for tests."""

import subprocess
from pathlib import Path

MANIFEST = """
[tool.menace]
pipeline = "bot:build"

[tool.menace.value]
metric = "accuracy"
unit_value = 1000.0
cpu_hour_cost = 0.1
cpu_billing_seconds = 60

[tool.menace.budget]
cpu_seconds = 20
trials = 4
"""

BOT = '''
"""A bot that guesses with a tree."""

from sklearn.datasets import load_breast_cancer
from sklearn.tree import DecisionTreeClassifier


def build():
    return {
        "task": "classification",
        "metric": "accuracy",
        "dataset": lambda: load_breast_cancer(return_X_y=True),
        "estimator": lambda params: DecisionTreeClassifier(random_state=0, **params),
        "defaults": {"max_depth": 1},
        "space": {"max_depth": {"type": "int", "low": 1, "high": 6}},
        "test_fraction": 0.4,
    }
'''


def make_repository(root: Path, files: dict[str, str] | None = None, *, commit: bool = True) -> Path:
    """Make a git repository at `root` with one commit of `files` (default: a small bot)."""
    files = {"pyproject.toml": MANIFEST, "bot.py": BOT} if files is None else files
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "init", "-q", "-b", "main")
    if commit:
        git(root, "add", "-A")
        git(root, "commit", "-q", "--allow-empty", "-m", "first")
    return root


def git(root: Path, *words: str) -> str:
    """Run git in `root` as a fixed author."""
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", "-C", str(root), *who, *words], check=True, capture_output=True, text=True
    ).stdout

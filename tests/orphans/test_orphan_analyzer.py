"""Single questions about one module of a checkout."""

from pathlib import Path

import pytest

from orphans.discovery.orphan_analyzer import analyze_redundancy, find_twin, is_legacy
from tests.orphans.domain.modules import LEDGER, SIBLING, UNRELATED, renamed


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A shop with a copied ledger in its attic."""
    files = {
        "shop/ledger.py": LEDGER,
        "shop/colours.py": UNRELATED,
        "shop/legacy/prices.py": "x = 1\n",
        "attic/booklet.py": renamed(LEDGER),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_copy_is_redundant_and_names_its_twin(repo: Path) -> None:
    assert analyze_redundancy("attic/booklet.py", repo)
    twin = find_twin(repo / "attic/booklet.py", str(repo))
    assert twin is not None
    assert twin.path == "shop/ledger.py"


def test_a_module_of_its_own_is_not_redundant(repo: Path) -> None:
    assert not analyze_redundancy("shop/colours.py", repo)
    (repo / "shop/basket.py").write_text(SIBLING)
    assert not analyze_redundancy("shop/basket.py", repo)


def test_a_broken_module_has_no_twin(repo: Path) -> None:
    (repo / "attic/broken.py").write_text(LEDGER + "\n(((")
    assert not analyze_redundancy("attic/broken.py", repo)


def test_a_place_set_aside_is_legacy(repo: Path) -> None:
    assert is_legacy("shop/legacy/prices.py", repo)
    assert not is_legacy("shop/ledger.py", repo)


def test_what_is_no_module_of_the_checkout_is_refused(repo: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"shop/none\.py"):
        analyze_redundancy("shop/none.py", repo)
    with pytest.raises(ValueError, match="subpath"):
        analyze_redundancy("../elsewhere.py", repo)

"""Retired is what says so itself, lies aside or was left; a word in passing says nothing."""

import pytest

from orphans.domain.history import ModuleHistory, RemovedImport
from orphans.domain.legacy import legacy_evidence, naming_evidence, superseded_evidence

LEFT = RemovedImport(commit="a" * 40, at=1, importer="app/views.py", instead=("app.tables",))


def kind(source: str, path: str = "app/rows.py", history: ModuleHistory | None = None) -> str | None:
    """Return the kind of a module's legacy evidence."""
    found = legacy_evidence(source, path, history)
    return None if found is None else found.kind


@pytest.mark.parametrize(
    "source",
    [
        "import warnings\nwarnings.warn('gone soon', DeprecationWarning, stacklevel=2)\n",
        "from warnings import warn\nwarn('gone soon', category=PendingDeprecationWarning)\n",
        "import warnings\nif True:\n    warnings.warn('x', RemovedInShop60Warning)\n",
        "import warnings\ntry:\n    import a\nfinally:\n    warnings.warn('x', DeprecationWarning)\n",
        "import warnings\nwarnings.warn(DeprecationWarning('gone soon'))\n",
    ],
    ids=["plain", "keyword", "branch", "finally", "instance"],
)
def test_a_module_that_warns_on_import_is_legacy(source: str) -> None:
    assert kind(source) == "deprecation_warning"


@pytest.mark.parametrize(
    "source",
    [
        "import warnings\ndef f():\n    warnings.warn('x', DeprecationWarning)\n",
        "import warnings\nclass A:\n    def g(self):\n        warnings.warn('x', DeprecationWarning)\n",
        "import warnings\nwarnings.warn('deprecated', UserWarning)\n",
        "import warnings\nwarnings.filterwarnings('ignore', category=DeprecationWarning)\n",
        "import warnings\ndef __getattr__(name):\n    warnings.warn(name, DeprecationWarning)\n",
        "# deprecated, legacy, old\nDEPRECATED = 'legacy'\ndef deprecated(f): return f\n",
        '"""Mark functions as deprecated.\n\nDeprecated functions warn.\n"""\n',
        '"""Deprecations of this release."""\n',
    ],
    ids=["function", "method", "other", "filter", "getattr", "words", "subject", "opening"],
)
def test_a_module_about_deprecation_is_not_legacy(source: str) -> None:
    assert kind(source) is None


@pytest.mark.parametrize(
    "docstring",
    [
        "Deprecated: use app.tables.",
        "DEPRECATED",
        ".. deprecated:: 2.0\n   Use app.tables.",
        "This module is deprecated.",
        "**Deprecated** since 3.1",
        "The module has been deprecated in favour of app.tables",
    ],
)
def test_a_docstring_that_begins_with_it_retires_the_module(docstring: str) -> None:
    assert kind(f'"""{docstring}"""\nx = 1\n') == "docstring"


@pytest.mark.parametrize(
    "path",
    ["app/legacy/rows.py", "old/rows.py", "app/_deprecated/x/rows.py", "old_helper.py", "app/rows_legacy.py"],
)
def test_a_place_set_aside_retires_the_module(path: str) -> None:
    assert kind("x = 1\n", path) == "legacy_path"


@pytest.mark.parametrize(
    "path", ["app/threshold.py", "app/gold.py", "app/very_old_news.py", "folder/holder.py"]
)
def test_letters_inside_a_name_say_nothing(path: str) -> None:
    assert kind("x = 1\n", path) is None


def test_the_place_counts_for_what_cannot_be_parsed() -> None:
    assert kind("print 'two'\n", "legacy/rows.py") == "legacy_path"
    assert kind("print 'two'\n") is None


def test_left_and_untouched_for_long_is_legacy() -> None:
    past = ModuleHistory(idle_days=400, removed_imports=(LEFT,))
    found = legacy_evidence("x = 1\n", "app/rows.py", past)
    assert found is not None
    assert found.kind == "abandoned"
    assert found.detail == (
        "no commit for 13 months of the checkout's history, and app/views.py stopped importing it in commit "
        "aaaaaaaaaaaa"
    )


@pytest.mark.parametrize(
    "past",
    [
        ModuleHistory(idle_days=4000),
        ModuleHistory(removed_imports=(LEFT,)),
        ModuleHistory(idle_days=300, removed_imports=(LEFT,)),
        ModuleHistory(),
    ],
    ids=["only old", "only left", "too young", "nothing"],
)
def test_half_of_that_is_not(past: ModuleHistory) -> None:
    assert kind("x = 1\n", history=past) is None


def test_the_number_of_months_can_be_chosen() -> None:
    past = ModuleHistory(idle_days=100, removed_imports=(LEFT,))
    assert legacy_evidence("", "a.py", past, idle_months=3) is not None
    assert legacy_evidence("", "a.py", past, idle_months=4) is None


def test_its_own_words_come_before_its_place_and_its_past() -> None:
    past = ModuleHistory(idle_days=4000, removed_imports=(LEFT,))
    assert kind('"""Deprecated."""\n', "legacy/a.py", past) == "docstring"
    assert kind("", "legacy/a.py", past) == "legacy_path"


def test_superseded_names_the_commit_and_what_it_imported_instead() -> None:
    found = superseded_evidence("app/rows.py", ModuleHistory(removed_imports=(LEFT,)))
    assert found is not None
    assert found.detail == "commit aaaaaaaaaaaa imports app.tables in app/views.py instead of it"


def test_an_import_that_was_only_removed_supersedes_nothing() -> None:
    only = RemovedImport(commit="b" * 40, at=1, importer="a.py")
    assert superseded_evidence("app/rows.py", ModuleHistory(removed_imports=(only,))) is None


@pytest.mark.parametrize(
    ("path", "twin"),
    [
        ("a/report_old.py", "a/report.py"),
        ("a/report.py", "b/report_v2.py"),
        ("a/old_report.py", "a/report.py"),
        ("a/report2.py", "a/report.py"),
        ("a/report_backup.py", "a/report_new.py"),
    ],
)
def test_takes_on_one_thing_are_told_by_their_names(path: str, twin: str) -> None:
    found = naming_evidence(path, twin)
    assert found is not None
    assert found.kind == "name"


@pytest.mark.parametrize(
    ("path", "twin"), [("a/report.py", "b/report.py"), ("a/report.py", "a/views.py"), ("a/v2.py", "a/old.py")]
)
def test_other_names_tell_nothing(path: str, twin: str) -> None:
    assert naming_evidence(path, twin) is None

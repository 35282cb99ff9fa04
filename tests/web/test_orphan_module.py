"""The page of one orphan module: why, what is tied to it, its self-tests, its source."""

from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from engines.models import Engine
from forecasting.models import ModuleProgress
from menace_site.models import AuditEntry
from orphans.services.scanning import file_hash
from tests.engines.repositories import git, make_repository
from tests.factories import make_engine, make_entry, make_revision, make_team
from tests.orphans.rows import make_batch, make_module, make_run, make_scan
from tests.web.test_queries import statements

pytestmark = pytest.mark.django_db

SOURCE = '''"""Old rules."""

import os


def rule(x):
    return f"<script>{x}</script>"  # gpj\u202eyp
'''


@pytest.fixture
def alpha(tmp_path: Path) -> Engine:
    """An engine with a repository of one commit."""
    return make_engine("alpha", repository=str(make_repository(tmp_path / "bot", {"pkg/old.py": SOURCE})))


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


class TestOverview:
    """Why it is an orphan, and what is known of it."""

    def test_evidence_leads_to_its_line(self, viewer: Client, alpha: Engine) -> None:
        fact = {"kind": "docstring", "detail": "says it is old", "path": "pkg/old.py", "line": 1}
        far = {"kind": "string", "detail": "named in a setting", "path": "conf.toml", "line": 9}
        module = make_module(path="pkg/old.py", evidence=[fact, far])
        page = text(viewer, f"/orphans/{module.pk}/")
        assert f'href="/orphans/{module.pk}/source/#L1"' in page
        assert "conf.toml:9" in page

    def test_the_figure_links_neighbours_and_has_a_table(self, viewer: Client, alpha: Engine) -> None:
        parent = make_module(path="pkg/parent.py")
        module = make_module(path="pkg/old.py", parents=["pkg/parent.py"], twin="pkg/live.py", similarity=0.9)
        child = make_module(path="pkg/child.py", parents=["pkg/old.py"])
        page = text(viewer, f"/orphans/{module.pk}/")
        figure = page[page.index("<svg class=") : page.index("</svg>", page.index('class="near"'))]
        assert f'href="/orphans/{parent.pk}/"' in figure
        assert f'href="/orphans/{child.pk}/"' in figure
        assert "live twin" in figure
        assert "<th>is imported</th>" in page

    def test_counted_effects_are_shown_with_examples_and_guarantees(
        self, viewer: Client, alpha: Engine
    ) -> None:
        module = make_module(path="pkg/old.py")
        make_run(
            make_batch(state="done"),
            "pkg/old.py",
            module=module,
            state="skipped",
            file_writes=12,
            network_connections=0,
            subprocesses=1,
            side_effects=13.0,
            attempts_exact=True,
            examples={"file_writes": ["/etc/passwd"]},
            guarantees={"landlock": True, "notify": False},
            output_tail="bye",
        )
        page = text(viewer, f"/orphans/{module.pk}/")
        for said in ("/etc/passwd", "counted by the kernel", "landlock", "did not hold", ">12<", "bye"):
            assert said in page

    def test_what_was_not_measured_says_so(self, viewer: Client, alpha: Engine) -> None:
        module = make_module(path="pkg/old.py")
        make_run(make_batch(), "pkg/old.py", module=module, state="failed")
        page = text(viewer, f"/orphans/{module.pk}/live/")
        assert "file writes, not measured" in page
        assert "Not known: nothing ran." in page

    def test_buttons_that_do_not_fit_say_why(self, operator: Client, viewer: Client, alpha: Engine) -> None:
        module = make_module(path="pkg/old.py")
        assert "Only a module whose self-test passed" in text(operator, f"/orphans/{module.pk}/")
        assert "ask for the role of an operator" in text(viewer, f"/orphans/{module.pk}/")

    def test_it_renews_itself_only_while_something_moves(self, viewer: Client, alpha: Engine) -> None:
        still, moving = make_module(), make_module(state="testing")
        assert 'hx-trigger="every' not in text(viewer, f"/orphans/{still.pk}/live/")
        assert 'hx-trigger="every' in text(viewer, f"/orphans/{moving.pk}/live/")

    def test_its_workflows_and_decisions_are_there(self, viewer: Client, alpha: Engine) -> None:
        module = make_module(path="pkg/old.py")
        root = make_revision(alpha)
        made = make_revision(
            alpha, "candidate", parent=root, workflow=root.workflow, module_path="pkg/old.py"
        )
        make_entry(target=f"orphan:{module.pk}", verb="orphan.retire", actor="grace")
        assert f"/orphans/revisions/{made.pk}/" in text(viewer, f"/orphans/{module.pk}/")
        assert "grace" in text(viewer, f"/orphans/{module.pk}/audit/")


class TestSource:
    """The source is read from git at the scanned commit, and shown as text."""

    def test_it_is_the_scanned_commit_not_the_latest(self, viewer: Client, alpha: Engine) -> None:
        root = Path(alpha.repository)
        commit = git(root, "rev-parse", "HEAD").strip()
        module = make_module(
            path="pkg/old.py", scan=make_scan(commit=commit), content_hash=file_hash(root, "pkg/old.py")
        )
        (root / "pkg/old.py").write_text("changed = 1\n")
        git(root, "commit", "-qam", "other")
        page = text(viewer, f"/orphans/{module.pk}/source/")
        assert "as it was scanned" in page
        assert "changed" not in page.split('class="source"')[1]

    def test_it_is_coloured_and_escaped(self, viewer: Client, alpha: Engine) -> None:
        module = make_module(path="pkg/old.py")
        page = text(viewer, f"/orphans/{module.pk}/source/")
        assert '<span class="kw">import</span>' in page
        assert "&lt;script&gt;" in page
        assert "<script>{x}" not in page
        assert "\u202e" not in page
        assert 'id="L6"' in page

    def test_htmx_gets_the_part_alone(self, viewer: Client, alpha: Engine) -> None:
        module = make_module(path="pkg/old.py")
        page = viewer.get(f"/orphans/{module.pk}/source/", headers={"HX-Request": "true"}).content.decode()
        assert page.lstrip().startswith('<section class="card" id="source">')

    @pytest.mark.parametrize("path", ["pkg/gone.py", "../../etc/passwd", "pkg", "--output=x"])
    def test_what_the_commit_does_not_have_is_told(self, viewer: Client, alpha: Engine, path: str) -> None:
        page = text(viewer, f"/orphans/{make_module(path=path).pk}/source/")
        assert "can&#x27;t be shown" in page or "can't be shown" in page

    def test_a_repository_that_is_gone_is_told(self, viewer: Client) -> None:
        make_engine("alpha", repository="/nowhere/at/all")
        assert "The repository can" in text(viewer, f"/orphans/{make_module().pk}/source/")


ADDRESSES = ("", "live/", "source/", "audit/", "test/")


@pytest.mark.parametrize("part", ADDRESSES)
def test_a_foreign_module_does_not_exist(operator: Client, part: str) -> None:
    make_engine("secret", team=make_team())
    address = f"/orphans/{make_module('secret').pk}/{part}"
    answer = operator.post(address) if part == "test/" else operator.get(address)
    assert answer.status_code == 404


@pytest.mark.parametrize("part", ["", "live/", "source/", "audit/"])
def test_more_runs_and_neighbours_cost_no_more_statements(admin: Client, alpha: Engine, part: str) -> None:
    module = make_module(path="pkg/old.py", parents=["pkg/p0.py"])
    batch = make_batch()
    make_run(batch, "pkg/old.py", module=module)
    few = len(statements(admin, f"/orphans/{module.pk}/{part}"))
    for number in range(15):
        make_run(make_batch(), "pkg/old.py", module=module)
        make_module(path=f"pkg/c{number}.py", parents=["pkg/old.py"])
    assert len(statements(admin, f"/orphans/{module.pk}/{part}")) == few <= 12


class TestProgress:
    """What its changes brought, and opening it again."""

    def test_a_module_that_no_cycle_counted_says_so(self, viewer: Client, alpha: Engine) -> None:
        module = make_module(path="pkg/old.py")
        assert "No cycle has counted it yet" in text(viewer, f"/orphans/{module.pk}/")

    def test_what_was_not_measured_is_said_and_no_zero(self, viewer: Client, alpha: Engine) -> None:
        module = make_module(path="pkg/old.py")
        ModuleProgress.objects.create(subject="alpha", path="pkg/old.py", samples=2, entropy=1.5)
        page = text(viewer, f"/orphans/{module.pk}/")
        part = page[page.index('id="progress"') :]
        assert part.count("not measured") == 2
        assert "1.500 bits" in part
        assert "Open again" not in part

    def test_an_operator_opens_a_complete_module_again(
        self, operator: Client, viewer: Client, alpha: Engine
    ) -> None:
        module = make_module(path="pkg/old.py")
        told = {"complete": True, "completed_at": timezone.now(), "completed_by": "cycle 7", "reason": "flat"}
        ModuleProgress.objects.create(subject="alpha", path="pkg/old.py", **told)
        assert 'id="act-reopen" disabled' in text(viewer, f"/orphans/{module.pk}/")
        assert 'id="act-reopen">' in text(operator, f"/orphans/{module.pk}/")
        for _ in range(2):  # pressed twice: once opened, and nothing more
            answer = operator.post(f"/orphans/{module.pk}/reopen/", {"reason": "<b>new</b>"})
            assert answer["Location"] == f"/orphans/{module.pk}/"
        page = text(operator, f"/orphans/{module.pk}/")
        assert "&lt;b&gt;new&lt;/b&gt;" in page
        assert not ModuleProgress.objects.get().complete
        assert AuditEntry.objects.filter(verb="module.reopen").count() == 1


class TestTwin:
    """The module beside the live module that it is like."""

    LIVE = (
        SOURCE.replace("rule(x)", "check(given)").replace("{x}", "{given}").replace("import os", "import re")
    )

    @pytest.fixture
    def beta(self, tmp_path: Path) -> Engine:
        """An engine whose repository has a module and its twin."""
        files = {"pkg/old.py": SOURCE, "pkg/live.py": self.LIVE}
        return make_engine("beta", repository=str(make_repository(tmp_path / "twins", files)))

    def test_both_stand_side_by_side_escaped_and_coloured(self, viewer: Client, beta: Engine) -> None:
        module = make_module("beta", "pkg/old.py", twin="pkg/live.py", similarity=0.9)
        page = text(viewer, f"/orphans/{module.pk}/twin/")
        assert '<tr class="renamed">' in page
        assert '<span class="def">check</span>' in page
        assert "<script>{" not in page
        assert "&lt;script&gt;" in page
        assert "\u202e" not in page

    def test_the_page_loads_it_only_when_it_comes_into_sight(self, viewer: Client, beta: Engine) -> None:
        module = make_module("beta", "pkg/old.py", twin="pkg/live.py")
        page = text(viewer, f"/orphans/{module.pk}/")
        address = f"/orphans/{module.pk}/twin/"
        assert f'hx-get="{address}" hx-trigger="revealed"' in page
        assert "only there" not in page
        part = viewer.get(address, headers={"HX-Request": "true"}).content.decode()
        assert part.startswith('<section class="card" id="beside"')
        assert "only there" in part

    @pytest.mark.parametrize(
        ("path", "twin", "told"),
        [
            ("pkg/old.py", "", "No live module is like it"),
            ("pkg/old.py", "pkg/lost.py", "pkg/lost.py"),
            ("pkg/lost.py", "pkg/live.py", "pkg/lost.py"),
        ],
    )
    def test_what_can_not_be_compared_says_why(
        self, viewer: Client, beta: Engine, path: str, twin: str, told: str
    ) -> None:
        module = make_module("beta", path, twin=twin)
        page = text(viewer, f"/orphans/{module.pk}/twin/")
        assert "There is nothing to compare" in page
        assert told in page

    def test_without_a_twin_nothing_is_offered(self, viewer: Client, alpha: Engine) -> None:
        module = make_module(path="pkg/old.py")
        assert "/twin/" not in text(viewer, f"/orphans/{module.pk}/")

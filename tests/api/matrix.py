"""What the test of the permission matrix is made of: routes, subjects, things, verdicts."""

import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from engines.models import (
    Cycle,
    CycleStep,
    Engine,
    ModelVersion,
    Promotion,
    WorkflowEdge,
    WorkflowGraphState,
    WorkflowRevision,
    WorkflowStages,
)
from forecasting.models import ModuleProgress
from menace_site import saved_views
from menace_site.models import ApiToken, SavedView
from menace_site.tokens import create_token
from orphans.models import ModuleRun, OrphanModule, ScanRun, ScenarioPreset, SelfTestRun
from tests.factories import (
    make_cycle,
    make_engine,
    make_preset,
    make_revision,
    make_steps,
    make_team,
    make_user,
    make_version,
)
from tests.orphans.rows import make_batch, make_module, make_run, make_scan
from tests.web.promotion_rows import make_promotion

TABLE = Path(__file__).with_name("permission_matrix.txt")
SUBJECTS = (
    "anonymous",
    "none",
    "viewer",
    "operator",
    "approver",
    "staff",
    "admin",
    "read-token",
    "operate-token",
)
STAFF_OR_NOT = ("anonymous", "operator", "staff", "admin", "operate-token")
ROLES = {"staff": "approver", "read-token": "operator", "operate-token": "operator"}
SCOPES = {"read-token": ["read"], "operate-token": ["operate"]}
METHODS = {
    "api/": ("GET", "POST", "PATCH", "DELETE"),
    "admin/": ("GET", "POST"),
    "": ("GET", "POST", "DELETE"),
}
"""Pages and the admin know two methods; one more stands for the rest."""

WORDS = {
    "act": "cancel",
    "kind": "roi",
    "step": "retrain",
    "app_label": "engines",
    "url": "nothing",
    "metric": "accuracy",
    "figure": "errors",
}
GROUP = re.compile(r"\(\?P<(\w+)>(?:[^()\[\]]|\[[^\]]*\]|\([^()]*\))*\)")
CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
MODEL = re.compile(r"^admin/(\w+)/(\w+)/")
ROWS = {
    "orphans/scans/": ScanRun,
    "orphans/self-tests/": SelfTestRun,
    "orphans/runs/": ModuleRun,
    "orphans/revisions/": WorkflowRevision,
    "orphans/": OrphanModule,
    "promotions/": Promotion,
    "scans/": ScanRun,
    "self-tests/": SelfTestRun,
    "module-runs/": ModuleRun,
    "modules/": ModuleProgress,
    "revisions/": WorkflowRevision,
}
"""What a route's `pk` is the key of, by how the route begins; otherwise of a cycle."""

Things = dict[type[Any], Any]


@dataclass
class Subject:
    """Somebody who asks: a browser with a session, or a program with a token."""

    name: str
    user: User | None = None
    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(kw_only=True)
    token: int = 0
    view: int = 0
    cookies: dict[str, str] = field(default_factory=dict)


def subjects() -> list[Subject]:
    """Make everybody; they share one browser, for each would set up the site's middleware anew."""
    client = Client()
    return [_subject(name, client) for name in SUBJECTS]


def _subject(name: str, client: Client) -> Subject:
    if name == "anonymous":
        return Subject(name, client=client)
    user = make_user(ROLES.get(name, name))
    if name == "staff":
        user.is_staff = True
        user.save()
    token, secret = create_token(user, name=name, scopes=SCOPES.get(name, ["read"]), expires_at=None)
    subject = Subject(name, user, client=client, token=token.pk, view=_view(user).pk)
    if name in SCOPES:
        subject.headers = {"Authorization": f"Bearer {secret}"}
    else:
        client.cookies = SimpleCookie()
        client.force_login(user)
        subject.cookies = {key: morsel.value for key, morsel in client.cookies.items()}
    return subject


def _view(user: User) -> SavedView:
    return saved_views.save(user, page="cycles", name="mine", query="state=failed", usual=False)


def things(name: str, **options: Any) -> Things:
    """Make an engine with everything that hangs on it, by model."""
    engine = make_engine(name, **options)
    cycle = make_cycle(engine, "queued")
    token, _ = create_token(make_user(), name="theirs", scopes=["read"], expires_at=None)
    return {
        Engine: engine,
        Cycle: cycle,
        CycleStep: make_steps(cycle)[2],
        ModelVersion: make_version(engine, cycle=cycle),
        WorkflowEdge: WorkflowEdge.objects.create(engine=engine, source="a", target="b"),
        WorkflowGraphState: WorkflowGraphState.objects.get_or_create(engine=engine)[0],
        WorkflowStages: WorkflowStages.objects.create(
            engine=engine, workflow="a", commit="c" * 40, seed=1, repeats=3, stages={}
        ),
        ApiToken: token,
        ScenarioPreset: make_preset(f"preset-{name}"),
        SavedView: _view(make_user()),
        **_orphans(name),
        WorkflowRevision: make_revision(engine),
        Promotion: make_promotion(engine),
    }


def _orphans(subject: str) -> Things:
    module, batch = make_module(subject), make_batch(subject)
    run = make_run(batch, module.path, module=module)
    progress = ModuleProgress.objects.create(subject=subject, path=module.path)
    found = {OrphanModule: module, SelfTestRun: batch, ModuleRun: run, ScanRun: make_scan(subject)}
    return {**found, ModuleProgress: progress}


def own_and_foreign() -> tuple[Things, Things]:
    """Make what everybody with a role may see, and what belongs to a team that nobody here is in."""
    return things("own"), things("foreign", team=make_team("strangers"))


def routes(patterns: Any = None, prefix: str = "") -> Iterator[str]:
    """Yield every route of the site, as the resolver names it."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        text = str(pattern.pattern)
        route = prefix + (text.removeprefix("^") if prefix else text)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def wrong_answers(kind: str) -> list[str]:
    """Ask for every route of one kind as everybody; return the rows that differ from the table's."""
    people = {person.name: person for person in subjects()}
    own, foreign = own_and_foreign()
    wrong = []
    for (route, method), expected in table().items():
        if kind_of(route) != kind:
            continue
        found = [
            "".join(
                ask(people[name], method, address(route, thing, people[name], own=thing is own))
                for name in who(route)
            )
            for thing in ([own, foreign] if expected[1] else [own])
        ]
        actual = (found[0], found[1] if len(found) > 1 else "")
        if actual != expected:
            wrong.append(f"{line(route, method, *actual)}   table: {' '.join(expected)}")
    return wrong


def kind_of(route: str) -> str:
    """Return `api`, `admin` or `pages`: each kind has a test file, for files are what processes share."""
    return next((kind for kind in ("api", "admin") if route.startswith(f"{kind}/")), "pages")


def who(route: str) -> tuple[str, ...]:
    """Return the subjects to try: to the admin, whoever isn't staff is the same."""
    return STAFF_OR_NOT if route.startswith("admin/") else SUBJECTS


def methods(route: str) -> tuple[str, ...]:
    """Return the methods to try."""
    return next(tried for prefix, tried in METHODS.items() if route.startswith(prefix))


def names_a_thing(route: str, own: str) -> bool:
    """Whether the route is about one row that may be somebody else's, and anybody gets that far."""
    match = MODEL.match(route)
    shared = match is not None and match[1] != "engines"
    return not shared and "+" in own and bool({"pk", "name", "object_id"} & set(_names(route)))


def _names(route: str) -> list[str]:
    return GROUP.findall(route) + CONVERTER.findall(GROUP.sub("", route))


def address(route: str, found: Things, subject: Subject, *, own: bool) -> str:
    """Return an address of the route with the thing in it."""

    def value(match: re.Match[str]) -> str:
        return str(_value(route, match[1], found, subject, own=own))

    path = CONVERTER.sub(value, GROUP.sub(value, route))
    if route == "api/":  # whatever has no other route
        return "/api/nothing/"
    path = "/" + re.sub(r"\^|\$|/\?\$?$", "", path).replace("\\.", ".")
    assert resolve(path).route == route, f"{path} leads to {resolve(path).route}, not to {route}"
    return path


def _value(route: str, name: str, found: Things, subject: Subject, *, own: bool) -> object:
    if name == "name":
        return found[ScenarioPreset if "presets/" in route else Engine].name
    if name == "pk" and "tokens" in route:
        return subject.token if own else found[ApiToken].pk
    if name == "pk" and route.startswith("views/"):
        return subject.view if own else found[SavedView].pk
    if name == "pk":
        plain = re.sub(r"^api/|\^", "", route)
        return found[next((model for start, model in ROWS.items() if plain.startswith(start)), Cycle)].pk
    if name == "act" and "orphans/" in route:
        return "retire"
    if name == "act" and "promotions/" in route:
        return "reject"
    if name == "content_type_id":
        return ContentType.objects.get_for_model(Engine).pk
    if name in ("object_id", "id"):
        return _row(route, found)
    return "csv" if name == "kind" and "export" in route else WORDS[name]


def _row(route: str, found: Things) -> object:
    match = MODEL.match(route)
    if match is None:
        return found[Engine].pk
    model = apps.get_model(match[1], match[2])
    row = found.get(model) or model._default_manager.first()
    return row.pk if row else 0


def ask(subject: Subject, method: str, path: str) -> str:
    """Return one letter for the answer; what the request did is undone."""
    subject.client.cookies = SimpleCookie(subject.cookies)
    kind = "application/json" if path.startswith("/api/") else "application/x-www-form-urlencoded"
    body = "{}" if kind.endswith("json") and method != "GET" else ""
    # looking changes nothing, as `test_safe_methods.py` holds
    with nullcontext() if method in ("GET", "HEAD") else transaction.atomic():
        answer = subject.client.generic(method, path, body, content_type=kind, headers=subject.headers)
        if method not in ("GET", "HEAD"):
            transaction.set_rollback(True)
    return verdict(answer.status_code, answer.get("Location", ""))


def verdict(status: int, location: str) -> str:
    """Return the letter that the head of the table explains; `!`: something broke."""
    if status == 401 or (status == 302 and re.match(r"/(admin/)?login/", location)):
        return "L"
    if status == 404 or (status == 302 and location == "/admin/"):
        return "N"  # the admin leads from what it can't find to its first page
    return {403: "F", 405: "M", 500: "!"}.get(status, "+")


def table() -> dict[tuple[str, str], tuple[str, str]]:
    """Return the expected verdicts: (route, method) → (for own or no thing, for foreign things)."""
    rows = [line.split() for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return {
        ("" if row[1] == "(root)" else row[1], row[0]): (row[2], row[3] if len(row) > 3 else "")
        for row in rows
    }


def line(route: str, method: str, own: str, foreign: str) -> str:
    """Return a row of the table."""
    return f"{method:7}{route or '(root)'}  {own} {foreign}".rstrip()

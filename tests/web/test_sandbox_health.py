"""What the System page says of the sandbox."""

import pytest
from django.test import Client

from menace_site import dashboard
from orphans.sandbox import Layer, Probe, SandboxUnavailable
from orphans.sandbox.policy import Warm

pytestmark = pytest.mark.django_db


def page(client: Client) -> str:
    return client.get("/system/").content.decode()


def test_every_layer_says_whether_it_holds(viewer: Client) -> None:
    shown = viewer.get("/system/").context["sandbox"]
    assert [layer["name"] for layer in shown["layers"]]
    for layer in shown["layers"]:
        assert layer["held"] or layer["reason"]


def test_a_missing_layer_that_is_required_says_so(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Layer(name="landlock", held=False, reason="the kernel is <old>", means="files", required=True)
    user, refused = "the worker's user", "landlock is missing"
    told = Probe(layers=(layer,), counter="hook", user=user, refused=refused, warm=Warm())
    monkeypatch.setattr(dashboard, "probe", lambda: told)
    text = page(viewer)
    assert "no run may start" in text
    assert "the kernel is &lt;old&gt;" in text
    assert "which it could fool" in text


def test_a_sandbox_that_can_not_be_asked_breaks_no_page(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Probe:
        raise SandboxUnavailable("no process can be started")

    monkeypatch.setattr(dashboard, "probe", away)
    assert "no process can be started" in page(viewer)

"""The doctor says what is missing and how to mend it, and changes nothing."""

import json
import os
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from menace_site.supervisor import probes, servers
from menace_site.supervisor.probes import Finding, Machine, examine, lacking


def test_this_machine_can_run_it(tmp_path: Path) -> None:
    findings = examine(Machine(tmp_path, {}), servers.EVERYTHING)
    assert lacking(findings) == []
    assert {"python", "git", "postgresql", "valkey", "torch", "disk"} <= {one.name for one in findings}
    assert list(tmp_path.iterdir()) == [], "nothing was started or left"


def test_servers_named_by_urls_are_asked(tmp_path: Path) -> None:
    machine = Machine(tmp_path, os.environ)
    assert re.fullmatch(r"\d+\.\d+ at DATABASE_URL", servers.database(machine).detail)
    assert servers.broker(machine).detail.startswith("speaks Redis 7")


@pytest.mark.parametrize(
    ("probe", "environ"),
    [
        (servers.database, {"DATABASE_URL": "postgresql://menace@127.0.0.1:1/menace"}),
        (servers.broker, {"REDIS_URL": "redis://127.0.0.1:1/0"}),
    ],
)
def test_a_server_that_does_not_answer_is_named_by_its_variable(
    tmp_path: Path, probe: Callable[[Machine], Finding], environ: dict[str, str]
) -> None:
    (line,) = lacking([probe(Machine(tmp_path, environ))])
    assert next(iter(environ)) in line
    assert "unset it to use the embedded one" in line


def test_a_folder_that_cannot_be_written_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finding = probes.data_dir(Machine(tmp_path / "file" / "data", {}))
    assert finding.word == "missing"
    assert "SANDBOX_DATA_DIR" in finding.remedy


def test_a_missing_git_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert probes.git(Machine(tmp_path, {})).word == "missing"
    assert probes.chromium(Machine(tmp_path, {})).word == "absent", "only tests need it"


def test_json_says_the_same_as_the_lines() -> None:
    plain, data = StringIO(), StringIO()
    call_command("doctor", stdout=plain, no_color=True)
    call_command("doctor", "--json", stdout=data)
    found = json.loads(data.getvalue())
    assert [one["name"] for one in found][-1] == "settings"
    for one in found:
        assert re.search(rf"^{one['state']} +{one['name']} ", plain.getvalue(), re.MULTILINE)


def test_something_missing_is_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    output = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("doctor", stdout=output, no_color=True)
    assert caught.value.returncode == 1
    assert re.search(r"^missing +valkey", output.getvalue(), re.MULTILINE)
    assert "→ mend REDIS_URL" in output.getvalue()

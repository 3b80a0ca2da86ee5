"""Settings in files, a new project, and what the doctor finds of both and of servers on this machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.chat.model_server import Body, serving, text_of
from tests.cli.conftest import Command


def test_a_new_project_works_as_it_is(agentorch: Command, home: Path) -> None:
    """Its agents are listed, its tests pass, and nothing that is there is written over."""
    said = agentorch("init", "new")
    assert (said.code, said.out) == (0, "")
    assert said.err.count("written") == 7
    (home / "new" / "agentorch.toml").write_text('model = "mine"\n', encoding="utf-8")
    again = agentorch("init", "new")
    assert again.err.count("kept") == 7
    assert (home / "new" / "agentorch.toml").read_text(encoding="utf-8") == 'model = "mine"\n'
    listed = agentorch("agents", "--project", "new", "--json").out.splitlines()
    names = {json.loads(line)["name"] for line in listed}
    assert {"keywords", "explainer", "librarian"} <= names
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "tests"],
        cwd=home / "new", capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "2 passed" in tested.stdout, tested.stdout
    assert ("Warning" in tested.stdout, tested.stderr) == (False, "")
    assert agentorch("init", "plan.yaml").code == 2


@pytest.mark.parametrize("name", ["pyproject.toml", "tox.ini", "pytest.toml"])
def test_a_project_with_settings_of_pytest_keeps_them(agentorch: Command, home: Path, name: str) -> None:
    """A pytest.ini beside them would be read in their place, so none is written."""
    (home / "new").mkdir()
    (home / "new" / name).write_text("", encoding="utf-8")
    said = agentorch("init", "new")
    assert (said.code, said.err.count("written")) == (0, 6)
    assert not (home / "new" / "pytest.ini").exists()


def test_the_projects_file_over_the_users(agentorch: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An option beats the environment, that the project's file, and that the user's."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    (home / "config" / "agentorch").mkdir(parents=True)
    (home / "config" / "agentorch" / "config.toml").write_text('model = ["users"]\nparallel = 3\n', encoding="utf-8")
    assert setup_of(home).model == ("users",)
    (home / "agentorch.toml").write_text('model = "projects"\nfiles = ["plan.yaml"]\ncontext = 7\n', encoding="utf-8")
    chosen = setup_of(home)
    assert (chosen.model, chosen.parallel, chosen.context) == (("projects",), 3, 7)
    assert chosen.files == (str(home.resolve() / "plan.yaml"),)
    monkeypatch.setenv("AGENTORCH_MODEL", "environments")
    assert setup_of(home).model == ("environments",)
    assert setup_of(home, model=["options"]).model == ("options",)
    monkeypatch.delenv("AGENTORCH_MODEL")
    (home / "agentorch.toml").unlink()
    (home / "pyproject.toml").write_text('[tool.agentorch]\nmodel = "pyprojects"\n', encoding="utf-8")
    assert setup_of(home).model == ("pyprojects",)


def setup_of(home: Path, **given: list[str]):
    from agentorch.cli.settings import setup

    assert Path.cwd() == home
    return setup(model=given.get("model"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('modle = "x"', "unknown key 'modle'; did you mean 'model'?"),
        ("parallel = 0", "parallel is 0"),
        ("model = ", "cannot be read"),
        ('files = ["../elsewhere"]', "files '../elsewhere' leads out of the project"),
        ('journal = "/tmp/x.db"', "journal '/tmp/x.db' leads out of the project"),
        ('server = "http://evil"', "unknown key 'server'"),
    ],
)
def test_a_wrong_file_is_named(agentorch: Command, home: Path, text: str, words: str) -> None:
    """In one line with the file and the key; exit code 2."""
    (home / "agentorch.toml").write_text(text, encoding="utf-8")
    said = agentorch("run", "hello")
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert "agentorch.toml" in said.err
    assert len(said.err.splitlines()) == 1
    assert "WRONG  settings" in agentorch("doctor").out


def answering(body: Body) -> str:
    """Answer as a model that keeps to a form; it calls no tools."""
    return '{"ok": true}' if "JSON" in text_of(body) else "ok"


def test_the_doctor_asks_what_is_supported(agentorch: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only when it is told to: in three calls, each with a line."""
    with serving(answering) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        said = agentorch("doctor", "-m", "tiny")
        assert "not asked what it supports" in said.out
        assert server.requests == []
        said = agentorch("doctor", "-m", "tiny", "--probe")
        assert len(server.requests) == 3
    assert "tiny: answers, streams, sends token counts" in said.out
    assert "tiny: takes JSON schemas, and keeps to them" in said.out
    assert "tiny: was asked to call a tool, and did not" in said.out
    assert said.code == 0


def test_the_doctor_bounds_what_it_asks(agentorch: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model without an end, or one that takes too long, is told as such; nothing more is asked of it."""
    with serving(lambda _: "word " * 3_000) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        said = agentorch("doctor", "-m", "tiny", "--probe")
        assert [request["max_tokens"] for request in server.requests] == [1_000]
        assert "WRONG  supports  tiny: has no end of answering" in said.out
        assert said.code == 2
        server.says_in = "reasoning_content"
        said = agentorch("doctor", "-m", "tiny", "--probe")
        assert "note   supports  tiny: thinks for more than 1,000 tokens" in said.out
        server.says_in = "content"
        server.delay = 0.5
        monkeypatch.setattr("agentorch.cli.probing.MOST_SECONDS", 1.0)
        said = agentorch("doctor", "-m", "tiny", "--probe")
        assert "WRONG  supports  tiny: a word was not answered within 1 s" in said.out


def test_the_doctor_offers_a_server_on_this_machine(agentorch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how it is used, and asks it for nothing but its models."""
    with serving(answering) as server:
        monkeypatch.setenv("AGENTORCH_LOCAL_PORTS", f"{server.server_port}")
        said = agentorch("doctor")
        assert f"on this machine at {server.url}: tiny; it is not used unasked" in said.out
        assert server.requests == []
    assert "on this machine" not in agentorch("doctor").out
    monkeypatch.setenv("AGENTORCH_LOCAL_PORTS", "ollama")
    assert "AGENTORCH_LOCAL_PORTS: 'ollama' is no port" in agentorch("doctor").out


def test_a_server_is_not_followed_off_this_machine(agentorch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirection is no answer: what it leads to is not asked."""
    with serving(answering) as elsewhere, serving(answering) as server:
        server.redirect = f"{elsewhere.url}/models"
        monkeypatch.setenv("AGENTORCH_LOCAL_PORTS", f"{server.server_port}")
        assert "on this machine" not in agentorch("doctor").out
        assert elsewhere.asked == 0
        assert server.asked == 1


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a file away")
def test_a_project_of_another_user_is_not_found(agentorch: Command, home: Path) -> None:
    """What marks a folder above us may be anybody's: its agents are not executed."""
    (home / "agentorch.toml").write_text('model = "theirs"\n', encoding="utf-8")
    (home / "below").mkdir()
    os.chdir(home / "below")
    assert setup_of(home / "below").model == ("theirs",)
    os.chown(home / "agentorch.toml", 12_345, -1)
    assert setup_of(home / "below").model == ()

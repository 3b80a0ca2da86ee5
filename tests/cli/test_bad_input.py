"""Bad input gets one clear line on stderr that names the thing, the value and the remedy; and exit code 2."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Said


def line_of(said: Said, code: int = 2) -> str:
    """Return the one line that was said; there is nothing else, on stdout least of all."""
    assert (said.code, said.out) == (code, ""), said
    assert "Traceback" not in said.err
    assert said.err.count("\n") == 1, said.err
    return said.err.strip()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "x", "-f", "nowhere"], "agentorch: --files nowhere: no such file or folder"),
        (["run"], "agentorch: nothing to do: give a goal in quotes, or --plan FILE"),
        (["run", "  "], "agentorch: the goal is empty: say in words what is wanted"),
        (["run", "plan.yaml"], "agentorch: plan.yaml is a file, and no goal: `agentorch run --plan plan.yaml`"),
        (["run", "x", "-i", "topic"], "agentorch: --input 'topic': write it as name=value"),
        (["run", "x", "--project", "nowhere"], "agentorch: --project nowhere: no such folder"),
        (["run", "x", "-a", "nowhere.md"], "agentorch: nowhere.md: there is no such file or folder"),
        (["agents", "show", "libarian"], "agentorch: unknown agent 'libarian'; did you mean 'librarian'?"),
        (["runs", "ls", "--status", "lost", "--journal", "x.db"], "agentorch: --status lost: it can be "),
        (["why", "last", "a", "--journal", "x.db"], "agentorch: journal x.db: there is no such file"),
        (["why", "last", "a", "--journal", "memory:"], "agentorch: the journal memory: holds no runs of earlier"),
        (["resume", "abc", "--journal", "x.db"], "agentorch: journal x.db: there is no such file"),
        (["run", "x", "--max-calls", "-1"], "agentorch: --max-calls -1: it should be greater than or equal to 0"),
        (["run", "x", "--max-calls", "many"], "agentorch: --max-calls many: it should be a valid integer"),
        (["run", "x", "--modle", "y"], "agentorch: No such option: --modle"),
        (["why", "last"], "agentorch: Missing argument 'TASK'"),
        (["fly"], "agentorch: No such command 'fly'"),
        (["plan"], "agentorch: nothing to do: give a goal in quotes, or --plan FILE"),
        (["plan", "x", "--plan", "plan.yaml"], "agentorch: give a goal or --file FILE, not both"),
        (["plan", "x", "--file", "plan.yaml"], "agentorch: give a goal or --file FILE, not both"),
    ],
)
def test_wrong_arguments(agentorch: Command, arguments: list[str], line: str) -> None:
    """Each in one line."""
    assert line_of(agentorch(*arguments)).startswith(line)


def test_unknown_runs_and_tasks(agentorch: Command) -> None:
    """A run is named by the beginning of its id; what does not fit is said."""
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    assert line_of(agentorch("why", "zz", "facts")) == (
        "agentorch: no run 'zz' in this journal; `agentorch runs` lists them"
    )
    assert line_of(agentorch("journal", "verify", "plan.yaml")) == (
        "agentorch: plan.yaml: this is a file, and a run's id is asked for; for a journal: --journal plan.yaml"
    )
    assert line_of(agentorch("why", "z" * 300, "facts")).startswith("agentorch: no run 'zzz")
    assert line_of(agentorch("runs", "show", "0")).startswith("agentorch: 2 runs begin with '0': 0")
    assert line_of(agentorch("why", "last", "fact")).endswith("has no task 'fact'; did you mean 'facts'?")


def test_unreadable_plan_files(agentorch: Command, home: Path) -> None:
    """A missing file, a folder, no text, no YAML."""
    (home / "bytes.yaml").write_bytes(b"\xff\xfe\x00\x80")
    (home / "broken.yaml").write_text("tasks: [", encoding="utf-8")
    for name in ("missing.yaml", ".", "bytes.yaml", "broken.yaml"):
        assert line_of(agentorch("run", "--plan", name)).startswith(f"agentorch: {name}: "), name


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read(agentorch: Command, home: Path) -> None:
    """Permissions are named."""
    (home / "secret").mkdir(mode=0)
    assert line_of(agentorch("run", "x", "-f", "secret")) == (
        "agentorch: --files secret: it cannot be read; check its permissions"
    )


def test_a_bad_agent_file(agentorch: Command, home: Path) -> None:
    """The line begins with the file."""
    (home / "critic.md").write_text("---\nname: critic\ndescription: x\ntool: [a]\n---\nCheck.\n", encoding="utf-8")
    (home / "broken.py").write_text("def (:", encoding="utf-8")
    assert "did you mean 'tools'?" in line_of(agentorch("run", "x", "-a", "critic.md"))
    assert line_of(agentorch("run", "x", "-a", "broken.py")).startswith("agentorch: broken.py: ")
    assert line_of(agentorch("agents", "validate", "critic.md")).startswith("agentorch: critic.md: ")


def test_an_unknown_agent_in_a_plan_file(agentorch: Command, home: Path) -> None:
    """Nothing is journaled; the nearest agent is offered."""
    (home / "odd.yaml").write_text("tasks: [{id: a, agent: resercher, inputs: {topic: x}}]", encoding="utf-8")
    assert "did you mean 'researcher'?" in line_of(agentorch("run", "--plan", "odd.yaml", "-a", "team.py"))
    assert "did you mean 'researcher'?" in line_of(agentorch("plan", "--file", "odd.yaml", "-a", "team.py"))
    assert not (home / "runs.db").exists()


def test_plan_errors_name_the_file_and_say_each_thing_once(agentorch: Command, home: Path) -> None:
    """The tasks of one thing stand together; no agent is offered that cannot be named; agents beside it are."""
    (home / "plans").mkdir()
    (home / "plans" / "agents").mkdir()
    tasks = "".join(f"  - {{id: t{number}, agent: finder, inputs: {{topic: x}}}}\n" for number in range(3))
    (home / "plans" / "p.yaml").write_text(f"tasks:\n{tasks}", encoding="utf-8")
    said = agentorch("run", "--plan", "plans/p.yaml", "--no-progress")
    names = "critic, librarian, researcher, summarizer, writer"
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines() == [
        f"agentorch: plans/p.yaml: E_UNKNOWN_AGENT t0, t1, t2: there is no agent 'finder' (use one of {names})",
        "beside the plan there is the folder plans/agents: to use its agents, add -a plans/agents",
    ]
    assert agentorch("plan", "--plan", "plans/p.yaml") == said
    assert not (home / "runs.db").exists()


@pytest.mark.parametrize("what", [["--plan", "plan.yaml"], ["Buses"]], ids=["plan", "goal"])
@pytest.mark.parametrize("command", ["run", "plan"])
def test_an_input_that_nobody_takes(agentorch: Command, command: str, what: list[str]) -> None:
    """One warning; nothing else changes."""
    said = agentorch(command, *what, "-a", "team.py", "-i", "foo=bar")
    assert said.code in {0, 3}
    assert said.err.count("warning: -i foo: no task of the plan takes it ($inputs.foo)\n") == 1


def test_a_goal_beside_a_plan_is_the_plans_goal(agentorch: Command, home: Path) -> None:
    """It takes the place of the file's."""
    (home / "goal.yaml").write_text("goal: Old\ntasks: [{id: a, agent: poet, inputs: {facts: [$goal]}}]", "utf-8")
    assert agentorch("run", "New", "--plan", "goal.yaml", "-a", "team.py").out == "Ode: New\n"
    assert json.loads(agentorch("runs", "--json").out)["goal"] == "New"


def test_no_model_where_one_is_needed(agentorch: Command, home: Path) -> None:
    """A model that is named needs a key or a server; an agent that needs a model stops the run, to be resumed."""
    assert "OPENAI_API_KEY is not set" in line_of(agentorch("run", "x", "-m", "gpt-5-mini"))
    (home / "critic.yaml").write_text("tasks: [{id: a, agent: critic, inputs: {draft: x}}]", encoding="utf-8")
    said = agentorch("run", "--plan", "critic.yaml", "-a", "builtin/critic", "--no-progress")
    assert said.code == 2
    assert "model" in said.err


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_team_of_which_nobody_can_work(agentorch: Command, home: Path, command: str) -> None:
    """Without a model a goal needs an agent that needs none; nothing is started."""
    (home / "judge.md").write_text("---\nname: judge\ndescription: Judges.\n---\nJudge it.\n", encoding="utf-8")
    for given, named in (("builtin/critic", "builtin/critic"), ("builtin/researcher",) * 2, ("judge.md", "judge")):
        line = line_of(agentorch(command, "q", "-a", given))
        assert line == f"agentorch: {named} needs a model: --model NAME or AGENTORCH_MODEL"
    both = line_of(agentorch(command, "q", "-a", "builtin/critic", "-a", "judge.md"))
    assert both == "agentorch: builtin/critic, judge need a model: --model NAME or AGENTORCH_MODEL"
    assert not (home / "runs.db").exists()


@pytest.mark.parametrize("command", ["run", "plan"])
def test_paths_without_an_agent(agentorch: Command, home: Path, command: str) -> None:
    """An empty folder, a Python file without one, a folder of notes; a file of tools goes with other agents only."""
    (home / "empty").mkdir()
    (home / "notes").mkdir()
    (home / "notes" / "todo.md").write_text("Buy milk.\n", encoding="utf-8")
    (home / "plain.py").write_text("x = 1\n", encoding="utf-8")
    for path in ("empty", "notes", "plain.py"):
        assert line_of(agentorch(command, "q", "-a", path)) == f"agentorch: -a {path}: there is no agent in it"
        assert line_of(agentorch(command, "q", "-a", "team.py", "-a", path)).startswith(f"agentorch: -a {path}: ")
    (home / "own.py").write_text(
        'from agentorch import tool\n\n@tool\ndef add(a: int, b: int) -> int:\n    """Add."""\n    return a + b\n',
        encoding="utf-8",
    )
    assert line_of(agentorch(command, "q", "-a", "own.py")) == "agentorch: -a own.py: there is no agent in it"
    assert agentorch(command, "Buses", "-a", "team.py", "-a", "own.py").code in {0, 3}


def test_a_key_alone_uses_no_model(agentorch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """One dim line says how."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    said = agentorch("run", "--plan", "plan.yaml", "-a", "team.py", "--no-progress")
    assert said.code == 0
    assert said.err.startswith("no model is named, so none is used: --model NAME or AGENTORCH_MODEL=NAME would\n")


class Refusing(BaseHTTPRequestHandler):
    """A server that knows no key."""

    def do_GET(self) -> None:
        body = json.dumps({"error": {"message": "Incorrect API key provided: sk-wrong"}}).encode()
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[str]:
    """The base URL of a server that refuses every key."""
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_wrong_key(agentorch: Command, refusing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run stops, resumable: nothing that was journaled is lost."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    monkeypatch.setenv("OPENAI_BASE_URL", refusing)
    said = agentorch("run", "What is a bus?", "-m", "some-model", "--no-progress")
    assert (said.code, said.out) == (2, "")
    assert "401" in said.err
    assert "go on with: agentorch resume " in said.err
    assert "sk-wrong" not in said.err
    assert json.loads(agentorch("runs", "ls", "--json").out)["status"] == "stopped"
    doctor = agentorch("doctor", "-m", "some-model")
    assert doctor.code == 2
    assert "refuses the key (401)" in doctor.out


def test_an_unreachable_server(agentorch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, with the address."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    said = agentorch("run", "What is a bus?", "-m", "some-model", "--no-progress")
    assert (said.code, said.out) == (2, "")
    assert "127.0.0.1:9" in said.err
    assert "cannot be reached" in agentorch("doctor", "-m", "some-model").out


def test_a_journal_of_a_newer_version(agentorch: Command, home: Path) -> None:
    """It is not touched."""
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    with sqlite3.connect(home / "runs.db") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    line = line_of(agentorch("run", "--plan", "plan.yaml", "-a", "team.py"))
    assert line.endswith("was written by a newer version (schema 99, this one knows 2): upgrade agentorch")
    assert "upgrade agentorch" in agentorch("doctor").out


@pytest.mark.parametrize("place", ["/proc/agentorch/runs.db", "/dev/null/runs.db", "team.py", "."])
def test_a_journal_that_cannot_be_written(agentorch: Command, place: str) -> None:
    """A place that is read-only, a file that is no journal, a folder."""
    assert f"journal {place}" in line_of(agentorch("run", "--plan", "plan.yaml", "-a", "team.py", "--journal", place))


def test_settings_that_make_no_sense(agentorch: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named."""
    monkeypatch.setenv("AGENTORCH_PROJECT", "nowhere")
    assert line_of(agentorch("run", "x")) == "agentorch: AGENTORCH_PROJECT=nowhere: no such folder"
    monkeypatch.delenv("AGENTORCH_PROJECT")
    monkeypatch.setenv("AGENTORCH_PARALLEL", "many")
    assert line_of(agentorch("run", "x")).startswith("agentorch: AGENTORCH_PARALLEL is 'many': ")


def test_a_bug_is_one_line(agentorch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 70, and how to see more."""

    def broken(*arguments: object, **options: object) -> int:
        raise RuntimeError("this\ncannot be")

    monkeypatch.setattr("agentorch.cli.history.list_runs", broken)
    line = line_of(agentorch("runs", "ls"), 70)
    assert line == ("agentorch: RuntimeError: this cannot be (this is a bug; set AGENTORCH_DEBUG=1 for the traceback)")


def test_a_limit_of_money_needs_a_price(agentorch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of unknown price is refused before its first call; AGENTORCH_PRICES says what it costs."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    arguments = ("run", "x", "-a", "team.py", "-m", "house", "--max-money", "1", "--no-progress")
    assert line_of(agentorch(*arguments)) == (
        "agentorch: the price of model 'house' is unknown, so max_money=1 could not be held: say it (AGENTORCH_PRICES, "
        "Orchestrator(prices=...), or `cost` of your own class), or limit tokens instead"
    )
    monkeypatch.setenv("AGENTORCH_PRICES", '{"house": {"input": 0.2, "output": 0.6}}')
    said = agentorch(*arguments)
    assert (said.code, "cannot be reached" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AGENTORCH_PRICES", "{", "AGENTORCH_PRICES is no JSON object; write it as {"),
        ("AGENTORCH_PRICES", '{"a": {"input": -1, "output": 1}}', "AGENTORCH_PRICES, a.input is -1: "),
        ("AGENTORCH_PRICES", '{"a": {"input": 1, "output": 1, "ouput": 1}}', "AGENTORCH_PRICES, a.ouput is 1: "),
        ("AGENTORCH_QUIRKS", "x", "AGENTORCH_QUIRKS is no JSON object; write it as {"),
        (
            "AGENTORCH_QUIRKS",
            '{"house": {"ouput": "object"}}',
            "AGENTORCH_QUIRKS, house: unknown key 'ouput'; did you mean 'output'?",
        ),
        ("OPENAI_API_KEY", "sk-“s3cret”", "OPENAI_API_KEY: its character 4 of 11 is U+201C, which no key has"),
        (
            "OPENAI_BASE_URL",
            "http://user:s3cret@host:x/v1",
            "OPENAI_BASE_URL is 'http://***@host:x/v1': its port is no",
        ),
    ],
)
def test_wrong_settings_of_models(
    agentorch: Command, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    """Each in one line, before anything is asked, and without a secret."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv(name, value)
    line = line_of(agentorch("run", "x", "-m", "house"))
    assert line.startswith(f"agentorch: {words}")
    assert "s3cret" not in line

"""The commands: what each writes on stdout, what on stderr, and its exit code."""

import io
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from agentorch.cli.journals import label
from agentorch.ports.journal import RunRecord
from tests.cli.conftest import Command
from tests.journal.kept import change, harm


def test_a_plan_file_is_carried_out(agentorch: Command) -> None:
    """The answer alone is on stdout; what happened is on stderr."""
    said = agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    assert (said.code, said.out) == (0, "Ode: Buses carry envelopes.\n")
    assert "facts: started: attempt 1 with 'researcher'" in said.err
    assert "2 tasks · no model used · " in said.err


def test_a_goal_from_stdin(agentorch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads the goal."""
    monkeypatch.setattr("sys.stdin", io.StringIO("Buses\n"))
    said = agentorch("run", "-", "-a", "team.py", "--no-progress")
    assert said.code == 0
    assert "Buses carry envelopes." in said.out
    assert said.err.count("\n") == 1


def test_json_lines(agentorch: Command) -> None:
    """Events, then the outcome; nothing but the small print on stderr."""
    said = agentorch("run", "--plan", "plan.yaml", "-a", "team.py", "--json")
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [line["seq"] for line in lines[:-1]] == list(range(1, len(lines)))
    assert [lines[0]["type"], lines[-2]["type"], lines[-1]["type"]] == ["RunStarted", "RunFinished", "Outcome"]
    assert lines[-1]["answer"] == "Ode: Buses carry envelopes."
    assert lines[-1]["states"] == {"facts": "succeeded", "ode": "succeeded"}
    assert said.err == ""


def test_inputs_are_json_or_text(agentorch: Command, home: Path) -> None:
    """`--input` values reach the plan as `$inputs.name`."""
    (home / "inputs.yaml").write_text(
        "tasks:\n  - {id: ode, agent: poet, inputs: {facts: $inputs.facts}}\n", encoding="utf-8"
    )
    said = agentorch("run", "--plan", "inputs.yaml", "-a", "team.py", "-i", 'facts=["a", "b"]', "--no-progress")
    assert (said.code, said.out) == (0, "Ode: a b\n")


def test_a_partial_run(agentorch: Command) -> None:
    """Exit code 3; stderr says what is missing."""
    said = agentorch("run", "--plan", "partial.yaml", "-a", "team.py")
    assert said.code == 3
    assert "Buses carry envelopes." in said.out
    assert "bad" in said.err


@pytest.mark.parametrize("quiet", [True, False])
def test_warnings_hide_no_failure(agentorch: Command, home: Path, quiet: bool) -> None:
    """What failed is the reason; what the verifier warned of is said once, and by itself."""
    (home / "warned.yaml").write_text(
        "answer: $after\n"
        "tasks:\n"
        "  - {id: spare, agent: researcher, inputs: {topic: Buses}}\n"
        "  - {id: bad, agent: breaker, inputs: {number: 1}}\n"
        "  - {id: after, agent: counter, inputs: {table: $bad}}\n",
        encoding="utf-8",
    )
    said = agentorch("run", "--plan", "warned.yaml", "-a", "team.py", *(["--no-progress"] if quiet else []))
    assert said.code == 3
    lines = said.err.splitlines()
    at = lines.index("partial:")
    assert lines[at + 1].startswith("  bad: ")
    assert lines[at + 2] == "  'after' was skipped because 'bad' brought nothing"
    warning = "warning: spare: nothing uses its output, and the answer is $after (refer to it or drop it)"
    assert [line for line in lines if "nothing uses" in line] == [warning]
    assert (lines.index(warning) > at) is quiet
    assert "Missing: bad: " in said.out
    assert "nothing uses" not in said.out


def test_what_an_agent_says_cannot_move_the_cursor(agentorch: Command, home: Path) -> None:
    """Escape sequences are shown, not obeyed."""
    (home / "paint.yaml").write_text("tasks: [{id: a, agent: painter, inputs: {topic: x}}]", encoding="utf-8")
    said = agentorch("run", "--plan", "paint.yaml", "-a", "team.py")
    assert said.out == "␛[31mred␛[0m \ufffd2J\n"


def test_a_run_that_waits_for_a_person(agentorch: Command, home: Path) -> None:
    """Exit code 4, and how it goes on."""
    (home / "send.yaml").write_text("tasks: [{id: post, agent: sender, inputs: {letter: x}}]", encoding="utf-8")
    said = agentorch("run", "--plan", "send.yaml", "-a", "team.py")
    assert said.code == 4
    assert "Start 'post' with agent 'sender'?" in said.err
    assert "go on with: agentorch resume " in said.err
    assert "-a team.py" not in said.err


def test_the_journal_is_read_by_the_other_commands(agentorch: Command) -> None:
    """`runs`, `runs show`, `runs export`, `runs watch`, `why` and `resume` agree about one run."""
    agentorch("run", "--plan", "partial.yaml", "-a", "team.py")
    listed = json.loads(agentorch("runs", "ls", "--json").out)
    assert (listed["goal"], listed["status"]) == ("Two things", "partial")
    short = listed["run_id"][:13]
    assert agentorch("runs").out.startswith(f"{short}  partial")
    exported = agentorch("runs", "export", short).out.splitlines()
    assert json.loads(exported[-1])["type"] == "RunFinished"
    shown = json.loads(agentorch("runs", "show", "last", "--json").out)
    assert [task["id"] for task in shown["tasks"]][:3] == ["good", "bad", "after"]
    assert agentorch("runs", "show", short).code == 0
    assert agentorch("runs", "watch", short).code == 0
    why = agentorch("why", short, "good").out
    assert "'good' succeeded at the first attempt" in why
    assert json.loads(agentorch("why", short, "good", "--json").out)[0]["text"].startswith("'good' succeeded")
    resumed = agentorch("resume", short, "-a", "team.py", "--json")
    assert (resumed.code, json.loads(resumed.out.splitlines()[-1])["status"]) == (3, "partial")


def test_a_damaged_run_is_shown_up_to_the_damage(agentorch: Command, home: Path) -> None:
    """What stands before it is on stdout, then one line names the place; the list still names the run."""
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    change(home / "runs.db", harm(6))
    exported = agentorch("runs", "export", "last")
    assert [json.loads(line)["seq"] for line in exported.out.splitlines()] == [1, 2, 3, 4, 5]
    shown = agentorch("runs", "show", "last")
    assert "goal     An ode to message buses\n" in shown.out
    why = agentorch("why", "last", "facts")
    assert "'facts' succeeded" in why.out
    for said in (exported, shown, why):
        assert said.code == 2
        assert said.err.count("\n") == 1
        assert "seq 6: its payload is not what was written" in said.err
    assert agentorch("runs").code == 0


def test_plans(agentorch: Command) -> None:
    """A goal's plan as text, JSON and Mermaid; a plan file checked."""
    text = agentorch("plan", "buses", "-a", "team.py").out
    assert "answer: $" in text
    assert "tasks" in json.loads(agentorch("plan", "buses", "-a", "team.py", "--json").out)
    assert agentorch("plan", "buses", "-a", "team.py", "--mermaid").out.startswith("flowchart TD")
    said = agentorch("plan", "--file", "plan.yaml", "-a", "team.py")
    drawn = "○    facts  researcher\n╰─●  ode    poet\n\n"
    shown = " 1  facts  researcher\n    topic: Buses\n 2  ode    poet        needs facts\n    facts: $facts\n"
    assert (said.code, said.out) == (0, drawn + shown + "answer: $ode\n")


def test_agents(agentorch: Command) -> None:
    """The built-in team is listed; one agent is shown; files are checked."""
    assert "librarian" in agentorch("agents").out
    assert '"name": "poet"' in agentorch("agents", "list", "-a", "team.py", "--json").out
    shown = agentorch("agents", "show", "poet", "-a", "team.py").out
    assert "takes         facts: list of string\ngives         string\n" in shown
    assert agentorch("agents", "validate", "team.py").out == (
        "team.py: breaker, counter, painter, poet, researcher, sender, sleeper\n"
    )


def test_the_doctor_finds_a_healthy_set_up(agentorch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line each; a key is never shown, and without a model nothing is reached for."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key")
    said = agentorch("doctor")
    assert said.code == 0, said.out
    assert "secret" not in said.out + said.err
    assert "OPENAI_API_KEY is set; server api.openai.com; no model is named" in said.out
    assert {finding["what"] for finding in json.loads(agentorch("doctor", "--json").out)} == {
        "python", "agentorch", "extras", "settings", "project", "journal", "key",
    }  # fmt: skip


@pytest.mark.parametrize("place", [":memory:", "postgres://x/y"])
def test_the_doctor_goes_on_behind_a_journal_that_is_none(agentorch: Command, place: str) -> None:
    """It is one finding of several."""
    said = agentorch("doctor", "--journal", place)
    assert said.code == 2
    assert f"WRONG journal journal '{place}': " in " ".join(said.out.split())
    assert "no model is named" in said.out


def test_settings_come_from_a_env_file(agentorch: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options beat the environment, which beats `.env`."""
    monkeypatch.delenv("AGENTORCH_JOURNAL")
    (home / ".env").write_text("AGENTORCH_JOURNAL=from-env-file.db\nOPENAI_BASE_URL=http://evil.test/v1\n")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    assert (home / "from-env-file.db").exists()
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py", "--journal", "from-option.db")
    assert (home / "from-option.db").exists()
    assert "evil" not in agentorch("doctor").out


class Saying(BaseHTTPRequestHandler):
    """A server that always says the same, with a count of its tokens."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        head: dict[str, Any] = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
        usage = {"prompt_tokens": 1204, "completion_tokens": 310, "total_tokens": 1514}
        delta = {"role": "assistant", "content": "It is *sound*."}
        chunks: list[dict[str, Any]] = [
            head | {"choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]},
            head | {"choices": [], "usage": usage},
        ]
        body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def saying() -> Iterator[str]:
    """The base URL of a server that answers."""
    server = HTTPServer(("127.0.0.1", 0), Saying)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_small_print_counts_what_a_model_used(
    agentorch: Command, home: Path, saying: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens in and out, and the price or that it is unknown."""
    monkeypatch.setenv("OPENAI_BASE_URL", saying)
    (home / "judge.md").write_text("---\nname: judge\ndescription: Judges.\n---\nJudge it.\n", encoding="utf-8")
    (home / "judge.yaml").write_text("tasks: [{id: a, agent: judge, inputs: {draft: x}}]", encoding="utf-8")
    said = agentorch("run", "--plan", "judge.yaml", "-a", "judge.md", "-m", "local-model", "--no-progress")
    assert (said.code, said.out) == (0, "It is *sound*.\n"), said.err
    assert said.err.startswith("1 task · 1,204 in + 310 out tokens · price unknown · ")


def test_a_run_whose_time_is_up(agentorch: Command, home: Path) -> None:
    """Exit code 3 when something was done: what is done is the answer."""
    (home / "slow.yaml").write_text(
        "tasks:\n"
        "  - {id: facts, agent: researcher, inputs: {topic: Buses}}\n"
        "  - {id: wait, agent: sleeper, inputs: {topic: $facts.0}}\n",
        encoding="utf-8",
    )
    said = agentorch("run", "--plan", "slow.yaml", "-a", "team.py", "--timeout", "0.5", "--no-progress")
    assert said.code == 3, said
    assert "the run's 0.5 seconds are up" in said.err


def test_a_second_question_finds_the_files_read(agentorch: Command, home: Path) -> None:
    """By path, size and time of change; the index is its owner's only, and a file that changed is read anew."""
    docs = home / "docs"
    docs.mkdir()
    old = 1_700_000_000
    for name, line in (("tea.txt", "The teapot is blue."), ("kettle.txt", "The kettle boils at noon.")):
        (docs / name).write_text(line, encoding="utf-8")
        os.utime(docs / name, (old, old))
    assert "blue" in agentorch("run", "Where is the teapot?", "-f", "docs").out
    (index,) = (home / "data" / "agentorch" / "library").iterdir()
    assert index.stat().st_mode & 0o777 == 0o600
    (docs / "tea.txt").write_text("The teapot is gone.", encoding="utf-8")
    os.utime(docs / "tea.txt", (old, old))  # as if it had not changed
    (docs / "kettle.txt").write_text("The kettle boils at dawn.", encoding="utf-8")
    assert "blue" in agentorch("run", "Where is the teapot?", "-f", "docs").out
    assert "dawn" in agentorch("run", "When does the kettle boil?", "-f", str(docs)).out


def test_an_index_is_made_anew_or_not_kept(agentorch: Command, home: Path) -> None:
    """A damaged one is replaced; where no run is kept, none is made; an unused one goes after a month."""
    (home / "tea.txt").write_text("The teapot is blue.", encoding="utf-8")
    assert "blue" in agentorch("run", "Which teapot?", "-f", "tea.txt", "--journal", "memory:").out
    library = home / "data" / "agentorch" / "library"
    assert not library.exists()
    agentorch("run", "Which teapot?", "-f", "tea.txt")
    (index,) = library.iterdir()
    index.write_bytes(b"no database" * 100)
    assert "blue" in agentorch("run", "Which teapot?", "-f", "tea.txt").out
    agentorch("run", "Which teapot?", "-f", "tea.txt")
    os.utime(index, (0, 0))
    agentorch("run", "Which teapot?", "-f", ".")
    assert index not in set(library.iterdir())


def test_run_ids_are_named_in_full_when_they_begin_alike() -> None:
    """Two runs of one millisecond share the beginning that is usually shown."""
    alike = [RunRecord(f"01a208f7-908e-{end}", "", "failed", 0, 0, 1) for end in ("7a", "7b")]
    other = RunRecord("01a208f8-908e-7a", "", "failed", 0, 0, 1)
    assert [label(record, [*alike, other]) for record in (*alike, other)] == [
        "01a208f7-908e-7a",
        "01a208f7-908e-7b",
        "01a208f8-908e",
    ]


def test_runs_and_agents_take_their_options_without_another_word(agentorch: Command) -> None:
    """`runs --json` is `runs ls --json`; an option before another command's name is refused, not passed over."""
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    agentorch("run", "--plan", "partial.yaml", "-a", "team.py")
    assert agentorch("runs", "--json") == agentorch("runs", "ls", "--json")
    assert agentorch("runs", "-n", "1", "--status", "partial").out.count("\n") == 1
    assert agentorch("agents", "--json", "-a", "team.py") == agentorch("agents", "list", "--json", "-a", "team.py")
    misplaced = agentorch("runs", "--json", "show", "last")
    assert (misplaced.code, misplaced.out) == (2, "")
    assert "--json goes behind the command: agentorch runs show --json" in misplaced.err


def test_a_run_that_waits_is_listed_as_waiting(agentorch: Command, home: Path) -> None:
    """A run that was left with an open question is no running one."""
    (home / "send.yaml").write_text("tasks: [{id: post, agent: sender, inputs: {letter: x}}]", encoding="utf-8")
    agentorch("run", "--plan", "send.yaml", "-a", "team.py")
    assert json.loads(agentorch("runs", "--json").out)["status"] == "waiting"
    assert "status   waiting: for a person; go on with: agentorch resume " in agentorch("runs", "show", "last").out

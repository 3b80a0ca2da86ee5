"""The command line as a process: on a terminal, stopped by Ctrl-C, without its extra, and fast to start."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pexpect
import pytest

RUN = [sys.executable, "-m", "agentorch"]
WAIT = 40
SLOW = """
tasks:
  - {id: facts, agent: researcher, inputs: {topic: Buses}}
  - {id: wait, agent: sleeper, inputs: {topic: $goal}}
"""

pytestmark = pytest.mark.timeout(120)


def run(*arguments: str, code: str | None = None) -> "subprocess.CompletedProcess[str]":
    command = RUN if code is None else [sys.executable, "-c", code]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, timeout=WAIT)


def terminal(*arguments: str, columns: int = 80) -> "pexpect.spawn[str]":
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns)}
    return pexpect.spawn(
        RUN[0], [*RUN[1:], *arguments], encoding="utf-8", timeout=WAIT, dimensions=(24, columns), env=environment
    )  # fmt: skip


def test_help_imports_little(home: Path) -> None:
    """No openai, tiktoken, pydantic or rich for `--help`: that is what keeps it under 400 ms."""
    assert home.is_dir()
    code = (
        "import sys; sys.argv = ['agentorch', '--help']\n"
        "from agentorch.cli import main\n"
        "try: main()\n"
        "finally: print(sorted({'openai', 'tiktoken', 'pydantic', 'rich', 'jinja2'} & set(sys.modules)))"
    )
    said = run(code=code)
    assert (said.returncode, said.stderr) == (0, "")
    assert "Commands:" in said.stdout
    assert said.stdout.splitlines()[-1] == "[]"


def test_without_the_extra(home: Path) -> None:
    """One line with the install command, and exit code 2."""
    assert home.is_dir()
    code = "import sys; sys.modules['typer'] = None; from agentorch.cli import main; main()"
    said = run(code=code)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == "agentorch: the command line needs the extra [cli]: pip install 'agentorch[cli]'\n"


@pytest.mark.parametrize("columns", [80, 40])
def test_a_table_lives_on_a_terminal(home: Path, columns: int) -> None:
    """A line a task, never wider than the terminal; then the answer, then the small print."""
    assert home.is_dir()
    child = terminal("run", "--plan", "plan.yaml", "-a", "team.py", columns=columns)
    child.expect(pexpect.EOF)
    child.close()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", child.before or "")
    assert child.exitstatus == 0, text
    last = text[text.rindex("✓ facts") :].splitlines()
    assert [line.split()[:2] for line in last[:2]] == [["✓", "facts"], ["✓", "ode"]]
    assert "Ode: Buses carry envelopes." in last
    assert any("2 tasks · no model used" in line for line in last)
    assert max(len(line.rstrip()) for line in text[: text.index("Ode:")].splitlines()) <= columns


def test_no_color(home: Path) -> None:
    """NO_COLOR leaves no colour; the table still lives."""
    assert home.is_dir()
    os.environ["NO_COLOR"] = "1"
    try:
        child = terminal("run", "--plan", "plan.yaml", "-a", "team.py")
    finally:
        del os.environ["NO_COLOR"]
    child.expect(pexpect.EOF)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", child.before or "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_and_resume_goes_on(home: Path, number: signal.Signals) -> None:
    """What is done is kept; the line that is printed takes the run up again."""
    (home / "slow.yaml").write_text(SLOW, encoding="utf-8")
    process = subprocess.Popen(
        [*RUN, "run", "--plan", "slow.yaml", "-a", "team.py"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stdout is not None
    for line in process.stderr:
        if line.startswith("facts: succeeded"):
            break
    process.send_signal(number)
    out, err = process.communicate(timeout=WAIT)
    assert (process.returncode, out) == (130, "")
    told = re.fullmatch(r"stopped, 1 finished task of \d kept; go on with: agentorch (resume \S+)\n", err)
    assert told is not None, err
    record = json.loads(run("runs", "ls", "--json").stdout)
    assert record["status"] == "stopped"
    source = (home / "team.py").read_text(encoding="utf-8").replace("sleep(30)", "sleep(0)")
    (home / "team.py").write_text(source, encoding="utf-8")
    refused = run(*told[1].split(), "--json")
    assert (refused.returncode, "changed since it began: agent 'sleeper'" in refused.stderr) == (2, True)
    resumed = run(*told[1].split(), "--accept-changes", "--json")
    assert resumed.returncode == 0, resumed.stderr
    events = [json.loads(line) for line in resumed.stdout.splitlines()]
    started = [event["task"] for event in events if event["type"] == "TaskStarted"]
    assert started.count("facts") == 1
    assert events[-1]["status"] == "succeeded"


ENDLESS = """
import asyncio, threading
from agentorch.agents import agent

@agent(description="A thread that never ends.")
def endless(topic: str) -> str:
    threading.Event().wait()
    return topic

@agent(description="Does not let itself be cancelled.")
async def stubborn(topic: str) -> str:
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

@agent(description="Leaves a thread of its own behind.")
async def leaving(topic: str) -> str:
    waiting = asyncio.to_thread(threading.Event().wait)
    try:
        await asyncio.wait_for(waiting, 0.1)
    except TimeoutError:
        return topic

@agent(description="Ends.")
def brief(topic: str) -> str:
    return topic
"""


@pytest.mark.parametrize("agent", ["endless", "stubborn"])
def test_nothing_that_runs_on_keeps_the_process(home: Path, agent: str) -> None:
    """A stopped run ends the process, whatever its agents still do; a second Ctrl-C may only hasten it."""
    (home / "endless.py").write_text(ENDLESS, encoding="utf-8")
    (home / "slow.yaml").write_text(f"tasks: [{{id: a, agent: {agent}, inputs: {{topic: x}}}}]", encoding="utf-8")
    process = subprocess.Popen(
        [*RUN, "run", "--plan", "slow.yaml", "-a", "endless.py"],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("a: started"):
            break
    process.send_signal(signal.SIGINT)
    for line in process.stderr:
        if line.startswith("stopped, "):
            break
    if agent == "stubborn":
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=WAIT)
    assert (process.returncode, out, err) == (130, "", "")
    assert json.loads(run("runs", "--json").stdout)["status"] == "stopped"


@pytest.mark.parametrize(("agent", "code", "answer"), [("endless", 1, ""), ("stubborn", 1, ""), ("leaving", 0, "x\n")])
def test_a_command_ends_though_its_agents_go_on(home: Path, agent: str, code: int, answer: str) -> None:
    """What could not be stopped is not waited for once the outcome is told and kept: the exit code is the outcome's."""
    (home / "endless.py").write_text(ENDLESS, encoding="utf-8")
    task = f"{{id: a, agent: {agent}, inputs: {{topic: x}}, timeout: 2, grace: 0.1, attempts: 1}}"
    (home / "late.yaml").write_text(f"tasks: [{task}]", encoding="utf-8")
    said = run("run", "--plan", "late.yaml", "-a", "endless.py")
    assert (said.returncode, said.stdout) == (code, answer), said.stderr
    assert said.stderr.splitlines()[-1].startswith("1 task" if answer else "0 of 1 task")
    assert json.loads(run("runs", "--json").stdout)["status"] == ("succeeded" if answer else "failed")


def test_a_command_whose_agents_have_ended_leaves_as_any_program_does(home: Path) -> None:
    """Threads that only wait for more to do are none that go on: what is registered to be done at the end is done."""
    (home / "endless.py").write_text(ENDLESS, encoding="utf-8")
    (home / "brief.yaml").write_text("tasks: [{id: a, agent: brief, inputs: {topic: x}}]", encoding="utf-8")
    code = "import atexit; from agentorch.cli import main; atexit.register(print, 'at the end'); main()"
    said = run("run", "--plan", "brief.yaml", "-a", "endless.py", code=code)
    assert (said.returncode, said.stdout) == (0, "x\nat the end\n"), said.stderr


ISOLATED = """
import os, time
from pathlib import Path
from agentorch.agents import agent

@agent(description="Sleeps in a process of its own.", isolate=True)
def asleep(topic: str) -> str:
    Path(topic).write_text(str(os.getpid()), encoding="utf-8")
    time.sleep(600)
    return topic
"""


def test_ctrl_c_takes_isolated_agents_along(home: Path) -> None:
    """On a terminal: the process of the agent ends with the command, at once."""
    (home / "asleep.py").write_text(ISOLATED, encoding="utf-8")
    (home / "asleep.yaml").write_text("tasks: [{id: a, agent: asleep, inputs: {topic: pid}}]", encoding="utf-8")
    child = terminal("run", "--plan", "asleep.yaml", "-a", "asleep.py")
    while not (home / "pid").exists() or not (home / "pid").read_text(encoding="utf-8"):
        assert child.isalive()
        time.sleep(0.05)
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    status = Path("/proc") / (home / "pid").read_text(encoding="utf-8") / "status"
    while status.exists() and "State:\tZ" not in status.read_text(encoding="ascii"):
        time.sleep(0.05)
    assert child.exitstatus == 130


def test_closing_the_terminal_stops_the_run(home: Path) -> None:
    """It says so twice, and means it once: what is done is kept, and isolated agents are taken along."""
    (home / "asleep.py").write_text(ISOLATED, encoding="utf-8")
    (home / "asleep.yaml").write_text("tasks: [{id: a, agent: asleep, inputs: {topic: pid}}]", encoding="utf-8")
    child = terminal("run", "--plan", "asleep.yaml", "-a", "asleep.py")
    while not (home / "pid").exists() or not (home / "pid").read_text(encoding="utf-8"):
        time.sleep(0.05)
    child.kill(signal.SIGHUP)
    process: Any = getattr(child, "ptyproc")  # noqa: B009  # which its stubs do not know
    process.delayafterclose = process.delayafterterminate = 2.0  # a machine may be busy
    child.close(force=False)
    while json.loads(run("runs", "ls", "--json").stdout)["status"] == "running":
        time.sleep(0.05)
    status = Path("/proc") / (home / "pid").read_text(encoding="utf-8") / "status"
    while status.exists() and "State:\tZ" not in status.read_text(encoding="ascii"):
        time.sleep(0.05)
    assert json.loads(run("runs", "ls", "--json").stdout)["status"] == "stopped"


def test_under_nohup_the_end_of_the_terminal_is_not_heard(home: Path) -> None:
    """Whoever started it so wants it to go on."""
    (home / "slow.yaml").write_text(SLOW, encoding="utf-8")
    process = subprocess.Popen(
        ["nohup", *RUN, "run", "--plan", "slow.yaml", "-a", "team.py"],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("facts: succeeded"):
            break
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=WAIT)
    assert "SIGTERM" in run("runs", "show", "last").stdout


def test_a_killed_run_is_listed_as_interrupted(home: Path) -> None:
    """SIGKILL leaves no word behind; the list, the run and whoever watches it say so, and how it goes on."""
    (home / "slow.yaml").write_text(SLOW, encoding="utf-8")
    process = subprocess.Popen(
        [*RUN, "run", "--plan", "slow.yaml", "-a", "team.py"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("facts: succeeded"):
            break
    assert json.loads(run("runs", "--json").stdout)["status"] == "running"
    process.kill()
    process.communicate(timeout=WAIT)
    assert json.loads(run("runs", "--json", "--status", "interrupted").stdout)["status"] == "interrupted"
    assert run("runs", "--json", "--status", "running").stdout == ""
    remedy = "interrupted: its process has ended; go on with: agentorch resume "
    assert f"status   {remedy}" in run("runs", "show", "last").stdout
    assert remedy in run("runs", "watch", "last").stderr


RESTING = """
tasks:
  - {id: post, agent: sender, inputs: {letter: x}}
  - {id: found, agent: librarian, inputs: {question: Who keeps the lighthouse}, needs: [post]}
"""


@pytest.fixture
def resting(home: Path) -> Path:
    """A folder from which a run was started that waits for a person before it looks into its files."""
    (home / "docs").mkdir()
    (home / "docs" / "coast.md").write_text("Ada keeps the lighthouse.\n", encoding="utf-8")
    (home / "rest.yaml").write_text(RESTING, encoding="utf-8")
    said = run("run", "--plan", "rest.yaml", "-a", "team.py", "-a", "builtin/librarian", "-f", "docs")
    assert said.returncode == 4, said.stderr
    return home


def test_resume_uses_what_the_run_was_given(resting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files and its team, from any folder, and one line says so."""
    (resting / "elsewhere").mkdir()
    monkeypatch.chdir(resting / "elsewhere")
    child = terminal("resume", "last", columns=200)
    child.expect_exact(f"with what the run was given: -a {resting}/team.py -a builtin/librarian -f {resting}/docs")
    child.expect_exact("[y/N]")
    child.sendline("y")
    child.expect_exact(f"Ada keeps the lighthouse. [{resting}/docs/coast.md:1]")
    child.expect(pexpect.EOF)


def test_an_option_of_resume_beats_what_the_run_was_given(resting: Path) -> None:
    """Only what is not given anew is taken from the run."""
    (resting / "more").mkdir()
    (resting / "more" / "coast.md").write_text("Bob keeps the lighthouse.\n", encoding="utf-8")
    child = terminal("resume", "last", "-f", "more", columns=200)
    child.expect_exact("with what the run was given: -a team.py -a builtin/librarian\x1b[0m\r\n")
    child.expect_exact("[y/N]")
    child.sendline("y")
    child.expect_exact("Bob keeps the lighthouse. [more/coast.md:1]")
    child.expect(pexpect.EOF)


def test_resume_without_the_files_that_the_run_was_given(resting: Path) -> None:
    """One line names what is not there; the run stands as it stood."""
    (resting / "docs").rename(resting / "moved")
    said = run("resume", "last")
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == "agentorch: the run was given -f docs, which is not there: give -f anew\n"
    assert json.loads(run("runs", "--json").stdout)["status"] == "waiting"


def test_a_command_to_copy_is_not_broken(home: Path) -> None:
    """However narrow the terminal, no line break of ours stands in it."""
    (home / "send.yaml").write_text("tasks: [{id: post, agent: sender, inputs: {letter: x}}]", encoding="utf-8")
    journal = str(home / "a journal.db")
    run("run", "--plan", "send.yaml", "-a", "team.py", "--journal", journal)
    for arguments in (("resume", "last"), ("runs", "show", "last")):
        child = terminal(*arguments, "--journal", journal, columns=40)
        if arguments[0] == "resume":
            child.expect_exact("[y/N]")
            child.sendeof()
        child.expect(r"agentorch resume [0-9a-f-]{13} --journal '" + re.escape(journal) + "'")
        child.expect(pexpect.EOF)


def test_a_person_is_asked_at_the_terminal(home: Path) -> None:
    """A yes lets the task start."""
    (home / "send.yaml").write_text("tasks: [{id: post, agent: sender, inputs: {letter: x}}]", encoding="utf-8")
    child = terminal("run", "--plan", "send.yaml", "-a", "team.py")
    child.expect_exact("Start 'post' with agent 'sender'?")
    child.expect_exact("[y/N]")
    child.sendline("y")
    child.expect_exact("sent x")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["runs export last", "runs", "chat -p hello -a team.py", "agents"])
def test_a_reader_that_leaves(home: Path, command: str, unbuffered: str) -> None:
    """`agentorch runs | head -1` ends in peace, whether Python keeps what it writes or not."""
    assert home.is_dir()
    run("run", "--plan", "plan.yaml", "-a", "team.py")
    variables = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    words = [*RUN, *command.split()]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=variables)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(WAIT) == 0
    assert "Traceback" not in said


def test_watching_from_a_second_process(home: Path) -> None:
    """`runs watch` follows a run of another process and ends with it."""
    source = (home / "team.py").read_text(encoding="utf-8").replace("sleep(30)", "sleep(4)")
    (home / "team.py").write_text(source, encoding="utf-8")
    (home / "slow.yaml").write_text(SLOW, encoding="utf-8")
    process = subprocess.Popen(
        [*RUN, "run", "--plan", "slow.yaml", "-a", "team.py", "--no-progress"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + WAIT
    while not run("runs", "ls", "--json").stdout and time.monotonic() < deadline:
        time.sleep(0.2)
    watched = run("runs", "watch", "last", "--json")
    assert json.loads(watched.stdout.splitlines()[-1])["type"] == "RunFinished"
    assert process.wait(WAIT) == 0

"""Agents from files, folders, projects, and what is built in."""

import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from agentorch.agents import Agent, agent
from agentorch.core.policy import Policy
from agentorch.errors import AgentFileError, ConfigurationError
from agentorch.loading import builtin_names, find_project, load_agents, load_team
from agentorch.prompts import builtin_folder
from agentorch.tools import tool


@agent(description="d")
def plain(topic: str) -> str:
    return topic


@tool
def search(query: str) -> str:
    """Finds."""
    return query


def _file(folder: Path, text: str, name: str = "critic.md") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _agent(folder: Path, front: str, **tools: Any) -> Agent:
    path = _file(folder, f"---\n{front}\n---\nList what is weak.\n")
    (loaded,) = load_agents([path], tools=tools.values())
    return loaded


def test_a_markdown_file_is_a_prompt_agent(tmp_path: Path):
    """Front matter is the card and the policy, the body the prompt, the file's name the name."""
    made = _agent(
        tmp_path,
        "description: Finds\n  weak points.\nmodel: [a, b]\ntools: search\ncapabilities: judge, read\n"
        "output-schema: list[string]\ninputSchema: {type: object, required: [draft]}\ntimeout: 60\nretries: 2\n"
        "on_failure: fail_run\nfallback: other",
        search=search,
    )
    assert (made.name, made.kind, made.prompt, made.models) == ("critic", "prompt", "List what is weak.", ("a", "b"))
    assert (made.card.description, made.tools) == ("Finds weak points.", (search,))
    assert (made.card.capabilities, made.card.fallback) == (("judge", "read"), ("other",))
    assert made.card.output == {"type": "array", "items": {"type": "string"}}
    assert made.card.input == {"type": "object", "required": ["draft"]}
    assert made.card.policy == Policy(timeout=60, attempts=3, on_failure="fail_run")
    assert made.source == tmp_path / "critic.md"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("---\ndescription: d\ntool: x\n---\np", "unknown key 'tool'; did you mean 'tools'?"),
        ("---\ndescription: d\nouputSchema: x\n---\np", "unknown key 'ouputSchema'; did you mean 'output-schema'?"),
        (
            "---\ndescription: d\nmax_tasks: 0\n---\np",
            "agent 'critic': max_tasks: input should be greater than or equal",
        ),
        ("---\nname: x\n---\np", "'description' is missing; say in a sentence what the agent does"),
        ("---\ndescription: 3\n---\np", "'description' is text; got 3; put it in quotes"),
        ("---\ndescription: d\nname: 名\n---\np", "'name' begins with a letter from a to z; got '名'"),
        ("---\ndescription: d\nisolate: true\n---\np", "key 'isolate' is for functions"),
        ("---\ndescription: d\neffects: once\n---\np", "key 'effects' is not for a prompt"),
        ("---\ndescription: d\n---\n \n", "it has no prompt; write below the front matter"),
        ("---\ndescription: d\ntools: [serch]\n---\np", "unknown tool 'serch'; did you mean 'search'?"),
        ("---\ndescription: d\ntools: 3\n---\np", "'tools' is a list of names; got 3"),
        ("---\ndescription: d\nretries: x\n---\np", "'retries' is a whole number from 0; got 'x'"),
        ("---\ndescription: d\noutput: verse\n---\np", "'output-schema': 'verse' is no type; use string"),
        ("---\ndescription: d\noutput: 3\n---\np", "'output-schema': 3 is no type; use string"),
        ("---\ndescription: d\noutput: o.json\n---\np", "'output-schema': o.json: there is no such file"),
        ("---\ndescription: d\noutput: x\noutput-schema: x\n---\np", "key 'output-schema' is there twice"),
        ("---\ndescription: [\n---\np", "line 2, column 15: "),
        ("---\n- a\n---\np", "line 2, column 1: the front matter is not a list"),
        ("---\ndescription: d\n", "line 1, column 1: the front matter has no end"),
        ("just text", "line 1, column 1: it has no front matter"),
    ],
)
def test_a_wrong_agent_file_is_told_by_its_path(tmp_path: Path, text: str, message: str):
    """One line: the path, the key, the remedy."""
    path = _file(tmp_path, text)
    with pytest.raises(AgentFileError) as caught:
        load_agents([path], tools=[search])
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_warnings_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """When nobody asks for them."""
    with caplog.at_level(logging.WARNING):
        _agent(tmp_path, "description: d\ncolor: red\ntools: {write: false}")
    assert [record.message.split(": ", 1)[1] for record in caplog.records] == [
        "ignored, for they are not used here: 'color'",
        "'tools' turns tools of another program on and off, and is ignored",
    ]


def test_a_schema_may_stand_in_a_file(tmp_path: Path):
    """Beside the agent, as JSON or YAML."""
    _file(tmp_path, '{"type": "object"}', "out.json")
    assert _agent(tmp_path, "description: d\noutput: out.json").card.output == {"type": "object"}


def test_an_agent_of_the_team_is_a_tool(tmp_path: Path):
    """By its name."""
    path = _file(tmp_path, "---\ndescription: d\ntools: [plain]\n---\np")
    assert [found.tools for found in load_agents([path, plain])] == [("plain",), ()]


PYTHON = '''
from __future__ import annotations
from dataclasses import dataclass
from agentorch.agents import Agent, agent
from agentorch.tools import tool

@dataclass
class Row:
    name: str

@agent(description="d")
def rows(text: str) -> list[Row]:
    return [Row(text)]

@tool
def lookup(text: str) -> str:
    """Looks up."""
    return text

helper = Agent("helper", description="d", prompt="p", tools=[lookup])
again = rows
'''


def test_a_folder_holds_agents_and_their_tools(tmp_path: Path):
    """Python files give agents and tools, Markdown files use them; README, `_x.py` and folders are left out."""
    _file(tmp_path, PYTHON, "rows.py")
    _file(tmp_path, "---\ndescription: d\ntools: [lookup]\n---\np", "critic.md")
    _file(tmp_path, "# Hello", "README.md")
    _file(tmp_path, "# Notes", "notes.md")
    _file(tmp_path, "raise SystemError", "_private.py")
    _file(tmp_path, "raise SystemError", "deeper/x.py")
    team = load_team([tmp_path])
    assert [found.name for found in team.agents] == ["critic", "rows", "helper"]
    assert team.agents[0].tools == (team.tools["lookup"],)
    assert team.warnings == [f"{tmp_path / 'notes.md'}: it has no front matter and is taken for no agent"]
    rows = team.agents[1]
    assert rows.encode(rows.revive([{"name": "a"}])) == [{"name": "a"}]
    assert load_team([tmp_path]).agents[1] is rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nowhere_at_all", "line 1: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("x = 1\ny = (", "line 2: SyntaxError: '(' was never closed"),
        (
            "from agentorch.agents import agent\n@agent(description='d')\ndef f(x): ...",
            "line 2: ConfigurationError: agent",
        ),
    ],
)
def test_a_python_file_that_fails_is_told_with_its_line(tmp_path: Path, text: str, message: str):
    """And leaves no module behind."""
    path = _file(tmp_path, text, "bad.py")
    before = set(sys.modules)
    with pytest.raises(AgentFileError) as caught:
        load_agents([path])
    assert str(caught.value).startswith(f"{path}: {message}")
    assert not [name for name in set(sys.modules) - before if name.endswith(".bad")]


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        (
            "builtin/libarian",
            AgentFileError,
            "builtin/libarian: there is no such agent; did you mean 'builtin/librarian'?",
        ),
        ("librarian", AgentFileError, "librarian: there is no such file or folder; did you mean 'builtin/librarian'?"),
        ("none.md", AgentFileError, "none.md: there is no such file or folder"),
        (__file__ + "x", AgentFileError, f"{__file__}x: there is no such file or folder"),
        (len, ConfigurationError, "len is a plain function; decorate it with @agent(description=...)"),
        (3, ConfigurationError, "3 is no agent; give a decorated function, an Agent or a path"),
    ],
)
def test_what_is_no_agent_is_told(spec: Any, error: type[Exception], message: str):
    """By what was listed."""
    with pytest.raises(error) as caught:
        load_agents([spec])
    assert str(caught.value) == message


def test_a_file_of_another_kind_is_told(tmp_path: Path):
    """Agent files end in .md or .py."""
    with pytest.raises(AgentFileError, match=r"an agent file ends in \.md or \.py"):
        load_agents([_file(tmp_path, "", "a.txt")])


def test_what_is_listed_is_the_whole_team():
    """Objects as they are, built-in ones by name, in the order of the list."""
    assert load_agents([plain])[0] is plain
    assert [found.name for found in load_agents(["builtin/librarian", plain])] == ["librarian", "plain"]
    assert "builtin/librarian" in builtin_names()


def test_the_projects_agents_win_over_the_built_in_ones(tmp_path: Path):
    """By name; the other built-in ones are there too."""
    _file(tmp_path, "---\ndescription: mine\n---\np", "agents/librarian.md")
    team = load_agents(project=tmp_path, tools=[search, *_file_tools()])
    found = {loaded.name: loaded for loaded in team}
    assert found["librarian"].card.description == "mine"
    assert set(found) == {name.removeprefix("builtin/") for name in builtin_names()}


def _file_tools() -> list[Any]:
    """Stand-ins for the tools that the runtime gives to built-in agents."""

    @tool
    def search_files(query: str) -> str:
        """Finds."""
        return query

    @tool
    def read_file(path: str) -> str:
        """Reads."""
        return path

    return [search_files, read_file]


def test_without_a_project_no_folder_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Python in the current folder is not executed because it lies there."""
    _file(tmp_path, "raise SystemError('executed')", "agents/evil.py")
    monkeypatch.chdir(tmp_path)
    assert {loaded.source.parent for loaded in load_agents(tools=_file_tools()) if loaded.source} == {
        builtin_folder("agents")
    }


def test_a_project_is_marked(tmp_path: Path):
    """By agentorch.toml or [tool.agentorch]; found from within; an unmarked folder is none."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_project(inner) is None
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\n")
    assert find_project(inner) is None
    (tmp_path / "agentorch.toml").write_text("")
    assert find_project(inner) == tmp_path
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.agentorch]\n")
    assert find_project(inner) == tmp_path / "a"
    (tmp_path / "a" / "pyproject.toml").write_text("not toml")
    assert find_project(inner) == tmp_path


def test_two_tools_of_a_name_are_refused(tmp_path: Path):
    """A name means one thing."""
    _file(tmp_path, PYTHON, "a.py")
    _file(tmp_path, PYTHON.replace("def rows", "def other").replace("again = rows", "").replace("helper", "h"), "b.py")
    with pytest.raises(ConfigurationError, match="two tools are called 'lookup'"):
        load_agents([tmp_path])

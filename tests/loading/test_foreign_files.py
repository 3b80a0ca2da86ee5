"""Agent files of other programs: what is of use is taken, the rest is left out and told; a bad one harms no project."""

from pathlib import Path

import pytest

from agentorch.agents import Agent
from agentorch.errors import AgentFileError
from agentorch.loading import load_team
from agentorch.tools import tool


@tool
def search_files(query: str) -> str:
    """Finds."""
    return query


def _file(folder: Path, text: str, name: str = "critic.md") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _load(folder: Path, front: str, name: str = "critic.md") -> tuple[Agent, list[str]]:
    """Return the agent of a file, and the warnings without the file's path."""
    path = _file(folder, f"---\n{front}\n---\nJudge.\n", name)
    team = load_team([path], tools=[search_files])
    (loaded,) = team.agents
    return loaded, [line.removeprefix(f"{path}: ") for line in team.warnings]


def _ignored(*keys: str) -> str:
    return f"ignored, for they are not used here: {', '.join(map(repr, keys))}"


def _left_out(*tools: str) -> str:
    return f"left out, for they are tools of another program: {', '.join(map(repr, tools))}"


def _other_model(name: str) -> str:
    return f"model {name!r} was chosen for another program; the run's model is used"


@pytest.mark.parametrize(
    ("front", "warnings"),
    [
        pytest.param(
            "description: d\ncolor: red\npermissionMode: plan\ntools: Read, TaskCreate, mcp__x__y\nmodel: opus",
            [
                _ignored("color", "permissionMode"),
                _left_out("Read", "TaskCreate", "mcp__x__y"),
                _other_model("opus"),
            ],
            id="claude-code",
        ),
        pytest.param(
            "description: d\ntools: Agent(worker, researcher), Bash(git diff:*, git log:*)",
            [_left_out("Agent(worker, researcher)", "Bash(git diff:*, git log:*)")],
            id="claude-code-parentheses",
        ),
        pytest.param(
            "description: d\ntools: [findTestFiles, search, createFile]\nmodel: Claude Sonnet 4",
            [_left_out("findTestFiles", "search", "createFile"), _other_model("Claude Sonnet 4")],
            id="copilot",
        ),
        pytest.param(
            "description: d\nkind: local\ntools: [read_many_files, grep_search]\nmodel: gemini-3\ntimeout_mins: 5",
            [
                _ignored("kind", "timeout_mins"),
                _left_out("read_many_files", "grep_search"),
                _other_model("gemini-3"),
            ],
            id="gemini",
        ),
        pytest.param(
            "description: d\nmodel: fast\nis_background: true",
            [_ignored("is_background"), _other_model("fast")],
            id="cursor",
        ),
        pytest.param(
            "description: d\nmode: all\nmodel: a/b\ntemperature: 0.1\ntools: {write: false}",
            [
                _ignored("mode", "temperature"),
                "'tools' turns tools of another program on and off, and is ignored",
                _other_model("a/b"),
            ],
            id="opencode",
        ),
    ],
)
def test_a_file_of_another_program_is_an_agent_without_what_only_that_one_has(
    tmp_path: Path, front: str, warnings: list[str]
):
    """Keys, tools and models are left out; one warning names all of a kind."""
    made, told = _load(tmp_path, front)
    assert (made.tools, made.models, told) == ((), (), warnings)


@pytest.mark.parametrize(
    ("front", "models"),
    [
        ("description: d\nmodel: claude-opus-4-5", ("claude-opus-4-5",)),
        ("description: d\nmodel: fast", ("fast",)),
        ("description: d\nmodel: m\ntemperature: 0.3\nversion: 2", ("m",)),
        ("description: d\nmodel: m\ncolor: red\noutput-schema: string", ("m",)),
        ("description: d\nmodel: [m, sonnet]\ncapabilities: judge", ("m",)),
    ],
)
def test_a_file_of_ours_keeps_its_models(tmp_path: Path, front: str, models: tuple[str, ...]):
    """One without traits of another program, or with keys that only we have; words that are no model go anyway."""
    assert _load(tmp_path, front)[0].models == models


def test_our_tools_are_kept_in_a_file_of_another_program(tmp_path: Path):
    """What is known here is used."""
    made, told = _load(tmp_path, "description: d\ncolor: red\ntools: Read, search_files")
    assert (made.tools, told) == ((search_files,), [_ignored("color"), _left_out("Read")])


@pytest.mark.parametrize(
    ("front", "left_out"),
    [
        ("description: d\ncolor: red\ntools: [lookup]", "lookup"),
        ("description: d\noutput-schema: string\ntools: [LookUp]", "LookUp"),
    ],
)
def test_a_tool_of_another_program_is_known_by_its_file_or_its_form(tmp_path: Path, front: str, left_out: str):
    """No function of ours is called like that."""
    made, told = _load(tmp_path, front)
    assert (made.tools, told[-1]) == ((), _left_out(left_out))


@pytest.mark.parametrize(
    ("tools", "message"),
    [
        ("serch_files", "unknown tool 'serch_files'; did you mean 'search_files'?"),
        ("Read, serch_files", "unknown tool 'serch_files'; did you mean 'search_files'?"),
        ("searchFiles", "unknown tool 'searchFiles'; did you mean 'search_files'?"),
        ("lookup", "unknown tool 'lookup'; use one of search_files"),
    ],
)
def test_a_tool_that_may_be_ours_is_an_error(tmp_path: Path, tools: str, message: str):
    """A near miss always; an unknown one unless the file is another program's."""
    with pytest.raises(AgentFileError) as caught:
        _load(tmp_path, f"description: d\ntools: {tools}")
    assert str(caught.value) == f"{tmp_path / 'critic.md'}: {message}"


@pytest.mark.parametrize(
    ("front", "file", "name", "warned"),
    [
        ("name: Test Specialist\ndescription: d", "a.md", "test-specialist", True),
        ("description: d", "planner.agent.md", "planner", False),
        ("description: d", "My (old) Reviewer.md", "my-old-reviewer", True),
        ("name: db_reader-2\ndescription: d", "a.md", "db_reader-2", False),
    ],
)
def test_a_name_is_brought_into_our_form(tmp_path: Path, front: str, file: str, name: str, warned: bool):
    """Plans name agents in small letters; the warning tells what this one is called."""
    made, told = _load(tmp_path, front, file)
    line = f"the agent is called {name!r} here: a name is small letters, digits, '_' and '-'"
    assert (made.name, told) == (name, [line] if warned else [])


GENERATED = """description: Use this agent when you design an API. Examples: <example>Context: It is late.
user: "Design it" <commentary>Now: go.</commentary></example>
model: sonnet
argument-hint: [goal] [more]"""


def test_prose_that_is_no_yaml_is_read_as_text(tmp_path: Path):
    """A description with colons, up to the next key that is known; what is ignored may be anything."""
    made, told = _load(tmp_path, GENERATED)
    assert made.card.description == (
        "Use this agent when you design an API. Examples: <example>Context: It is late. "
        'user: "Design it" <commentary>Now: go.</commentary></example>'
    )
    assert told == [
        "the value of 'description' is no YAML and is read as plain text; put it in quotes",
        "the value of 'argument-hint' is no YAML and is read as plain text; put it in quotes",
        _ignored("argument-hint"),
        _other_model("sonnet"),
    ]


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ('description: "Use it" when: ready', "line 2, column 23: "),
        ("description: d\noutput-schema: a: b", "line 3, column 17: "),
        ("description: d: e\nmodel: [", "line 3, column 9: "),
    ],
)
def test_other_values_are_never_guessed(tmp_path: Path, front: str, message: str):
    """A broken value of ours, or one in quotes, is an error at its place in the file."""
    with pytest.raises(AgentFileError) as caught:
        _load(tmp_path, front)
    assert str(caught.value).startswith(f"{tmp_path / 'critic.md'}: {message}")


OURS = "---\ndescription: d\noutput-schema: string\n---\np"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "---\ndescription: d\ncolor: red\ntools: Read, serch_files\n---\np",
            "unknown tool 'serch_files'; did you mean",
        ),
        ("---\nname: x\nhooks: {}\n---\np", "'description' is missing"),
        ("---\ndescription: 'It's'\nmodel: inherit\n---\np", "line 2, column 18: "),
        ("---\ndescription: d\ncolor: red\ntoolz: x\n---\np", "unknown key 'toolz'; did you mean 'tools'?"),
        ("---\ndescription: d\nmaxTurns: 3\n---\n", "it has no prompt"),
        ("---\ndescription: caf\u00e9\ncolor: red\n---\np", "it is not UTF-8 text"),
    ],
)
def test_a_file_of_another_program_that_cannot_be_used_is_left_out_of_a_folder(tmp_path: Path, text: str, problem: str):
    """One warning, and the rest of the team is there; the same file is an error when it was named."""
    _file(tmp_path, OURS, "ours.md")
    path = tmp_path / "theirs.md"
    path.write_text(text, encoding="latin-1")
    team = load_team([tmp_path], tools=[search_files])
    assert [found.name for found in team.agents] == ["ours"]
    (warning,) = team.warnings
    assert warning.startswith(f"{path}: {problem}")
    assert warning.endswith(" (it is an agent file of another program, and is left out)")
    with pytest.raises(AgentFileError) as caught:
        load_team([path], tools=[search_files])
    assert warning.startswith(str(caught.value))


@pytest.mark.parametrize(
    "front",
    [
        "descripton: d",
        "description: d\ncolor: red\noutput-schema: strng",
        "description: d\nretries: x",
        "description: d\ntools: [serch_files]",
        "descripton: d\ntools: [search_files]",
        "description: [",
        "name: x",
    ],
)
def test_a_broken_file_of_ours_is_an_error_in_a_folder_too(tmp_path: Path, front: str):
    """Nothing of ours is left out in silence."""
    _file(tmp_path, f"---\n{front}\n---\np")
    with pytest.raises(AgentFileError):
        load_team([tmp_path], tools=[search_files])


def test_an_agent_that_was_left_out_is_no_tool_of_others(tmp_path: Path):
    """A file that names it is told so when it is loaded, not when it runs."""
    _file(tmp_path, "---\ndescription: d\ncapabilities: x\ntools: [theirs]\n---\np", "ours.md")
    _file(tmp_path, "---\ndescription: 3\ncolor: red\n---\np", "theirs.md")
    with pytest.raises(AgentFileError, match=r"ours\.md: unknown tool 'theirs'"):
        load_team([tmp_path])


def test_each_file_is_told_once(tmp_path: Path):
    """However often the others are looked at again because one was left out, which is told in one line."""
    _file(tmp_path, "---\ndescription: d\ncolor: red\n---\np", "a.md")
    _file(tmp_path, "---\ndescription: d\ncolor: red\ntools: [serch_files]\n---\np", "b.md")
    team = load_team([tmp_path], tools=[search_files])
    assert sorted(line.split(": ", 1)[0] for line in team.warnings) == [str(tmp_path / "a.md"), str(tmp_path / "b.md")]


@pytest.mark.parametrize("front", ["n", "- one", "n\nm"])
def test_front_matter_without_any_key_is_left_out_in_one_line(tmp_path: Path, front: str) -> None:
    """It is no list of settings, and none of its lines looks like one."""
    path = _file(tmp_path, f"---\n{front}\n---\nJudge.\n")
    with pytest.raises(AgentFileError, match="the front matter is not a list of 'key: value'") as raised:
        load_team([tmp_path])
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)

"""A team out of what is listed: what wins over what, in which order, and what is left alone."""

from pathlib import Path
from typing import Any, cast

import pytest

from agentorch.agents import Agent, agent
from agentorch.core.policy import Policy
from agentorch.errors import AgentFileError, ConfigurationError
from agentorch.loading import builtin_names, load_agents, load_team
from agentorch.prompts import builtin_folder
from agentorch.tools import Tool, tool


@agent(description="d")
def plain(topic: str) -> str:
    return topic


@tool
def lookup(text: str) -> str:
    """The one that was given."""
    return text


CRITIC = "---\ndescription: d\ntools: [lookup]\n---\np"
LOOKUP = """
from agentorch.tools import tool

@tool
def lookup(text: str) -> str:
    '''The one of the folder.'''
    return text
"""


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def _described(tools: tuple[Tool[..., Any] | str, ...]) -> list[str]:
    return [one if isinstance(one, str) else one.spec.description for one in tools]


@pytest.mark.parametrize("spec", ["builtin/critic", builtin_folder("agents") / "critic.md"])
def test_one_thing_may_be_listed_alone(spec: Any):
    """A name or a path is no list of letters."""
    assert [one.name for one in load_agents(spec)] == ["critic"]
    assert load_agents(cast("Any", plain)) == [plain]


def test_a_path_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As people type it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    _file(tmp_path, "mine/critic.md", "---\ndescription: d\n---\np")
    assert [one.source for one in load_agents("~/mine")] == [tmp_path / "mine" / "critic.md"]


def test_a_tool_may_be_listed_among_the_agents(tmp_path: Path):
    """It is none of the team, and agent files find it, whatever the order."""
    team = load_team([_file(tmp_path, "critic.md", CRITIC), lookup])
    assert [(one.name, one.tools) for one in team.agents] == [("critic", (lookup,))]
    assert team.tools == {"lookup": lookup}


def test_a_typed_function_may_be_given_as_a_tool(tmp_path: Path):
    """As in `Agent(tools=)`."""

    def lookup(text: str) -> str:
        return text

    (made,) = load_agents([_file(tmp_path, "critic.md", CRITIC)], tools=[lookup])
    assert isinstance(made.tools[0], Tool)
    assert made.tools[0]("x") == "x"


def test_a_folders_own_tool_wins_over_one_that_was_given(tmp_path: Path):
    """Its files were written for it."""
    _file(tmp_path, "critic.md", CRITIC)
    _file(tmp_path, "tools.py", LOOKUP)
    (made,) = load_agents([tmp_path], tools=[lookup])
    assert _described(made.tools) == ["The one of the folder."]


def test_a_tool_wins_over_an_agent_of_its_name(tmp_path: Path):
    """And an agent does not become its own tool."""
    _file(tmp_path, "lookup.md", "---\ndescription: d\n---\np")
    _file(tmp_path, "critic.md", CRITIC)
    assert load_agents([tmp_path])[0].tools == ("lookup",)
    assert load_agents([tmp_path], tools=[lookup])[0].tools == (lookup,)
    with pytest.raises(AgentFileError, match=r"critic\.md: unknown tool 'critic'; use one of lookup"):
        load_agents([_file(tmp_path, "critic.md", CRITIC.replace("lookup", "critic"))], tools=[lookup])


def test_a_tool_that_is_named_twice_is_there_once(tmp_path: Path):
    """In the order of the first."""
    text = CRITIC.replace("[lookup]", "plain, lookup, plain")
    assert load_agents([_file(tmp_path, "critic.md", text), plain], tools=[lookup])[0].tools == ("plain", lookup)


def test_only_agent_files_of_a_folder_are_taken(tmp_path: Path):
    """In the order of their names; what is hidden, private, deeper or of another kind is left alone, unsaid."""
    for name in ("b.md", "a.md", ".hidden.md", "_private.md", "deeper/c.md"):
        _file(tmp_path, name, "---\ndescription: d\n---\np")
    for name in ("notes.txt", "data.json", "readme.md", ".hidden.py"):
        _file(tmp_path, name, "raise SystemError")
    team = load_team([tmp_path])
    assert ([one.name for one in team.agents], team.warnings) == (["a", "b"], [])


def test_a_project_adds_its_team_to_ours(tmp_path: Path):
    """Its agents first, ours after them; warnings of its files are told."""
    _file(tmp_path, "agents/zeta.md", "---\ndescription: d\ncolor: red\n---\np")
    _file(tmp_path, "agents/tools.py", LOOKUP)
    _file(tmp_path, "zeta.md", "---\ndescription: not in agents/\n---\np")
    team = load_team(project=str(tmp_path), tools=_file_tools())
    assert [one.name for one in team.agents] == ["zeta", *(name.split("/")[1] for name in builtin_names())]
    assert _described(tuple(team.tools.values())) == ["The one of the folder."]
    assert team.warnings == [f"{tmp_path / 'agents' / 'zeta.md'}: ignored, for they are not used here: 'color'"]


def test_a_project_without_agents_has_ours(tmp_path: Path):
    """Its folder `agents/` may be missing."""
    assert [f"builtin/{one.name}" for one in load_agents(project=tmp_path, tools=_file_tools())] == [*builtin_names()]


def test_what_is_listed_leaves_the_project_alone(tmp_path: Path):
    """The list is the whole team."""
    _file(tmp_path, "agents/evil.py", "raise SystemError")
    assert load_agents([plain], project=tmp_path) == [plain]


def _file_tools() -> list[Any]:
    def search_files(query: str) -> str:
        return query

    def read_file(path: str) -> str:
        return path

    return [search_files, read_file]


def test_built_in_names_are_those_of_agent_files():
    """Sorted; each can be loaded."""
    names = builtin_names()
    assert names == (
        "builtin/critic",
        "builtin/librarian",
        "builtin/researcher",
        "builtin/summarizer",
        "builtin/writer",
    )
    assert [f"builtin/{one.name}" for one in load_agents(names, tools=_file_tools())] == [*names]


def test_a_file_may_come_from_any_editor(tmp_path: Path):
    """With a byte order mark, carriage returns, blank lines at the top, and rules in the prompt."""
    text = "\ufeff\r\n---\r\ndescription: d\r\n--- \r\n\r\nFirst.\r\n\r\n---\r\nSecond.\r\n\r\n"
    (made,) = load_agents([_file(tmp_path, "critic.md", text)])
    assert (made.card.description, made.prompt) == ("d", "First.\n\n---\nSecond.")


@pytest.mark.parametrize(
    ("front", "policy"),
    [
        ("retries: 0", Policy(attempts=1)),
        ("retries: 5\nattempts: 2", Policy(attempts=2)),
        ("fallback: [one, two]\nsilence: 3", Policy(silence=3)),
        ("onFailure: fail_run\ncancel rest: true", Policy(on_failure="fail_run", cancel_rest=True)),
    ],
)
def test_settings_of_a_file_are_a_policy(tmp_path: Path, front: str, policy: Policy):
    """Only what is written is set; `attempts` says more than `retries`."""
    (made,) = load_agents([_file(tmp_path, "critic.md", f"---\ndescription: d\n{front}\n---\np")])
    assert made.card.policy.model_dump(exclude_unset=True) == policy.model_dump(exclude_unset=True)


@pytest.mark.parametrize("written", ["one, two", "[one, two]", "[' one', 'two ', '']"])
@pytest.mark.parametrize("key", ["fallback", "capabilities", "models"])
def test_names_are_a_list_or_text_with_commas(tmp_path: Path, key: str, written: str):
    """Whatever the key."""
    (made,) = load_agents([_file(tmp_path, "critic.md", f"---\ndescription: d\n{key}: {written}\n---\np")])
    found = {"fallback": made.card.fallback, "capabilities": made.card.capabilities, "models": made.models}
    assert found == {"fallback": (), "capabilities": (), "models": ()} | {key: ("one", "two")}


@pytest.mark.parametrize("value", ["-1", "true", "1.5"])
def test_retries_are_counted(tmp_path: Path, value: str):
    """In whole numbers."""
    with pytest.raises(AgentFileError, match="'retries' is a whole number from 0; got"):
        load_agents([_file(tmp_path, "critic.md", f"---\ndescription: d\nretries: {value}\n---\np")])


def test_the_same_agent_is_made_of_the_same_file(tmp_path: Path):
    """Its version does not depend on where or when it is read."""
    one = load_agents([_file(tmp_path / "a", "critic.md", CRITIC)], tools=[lookup])[0]
    two = load_agents([_file(tmp_path / "b", "critic.md", CRITIC)], tools=[lookup])[0]
    other = load_agents([_file(tmp_path / "c", "critic.md", CRITIC + "q")], tools=[lookup])[0]
    assert (one.card == two.card, one.card == other.card) == (True, False)


@pytest.mark.parametrize("listed", [{"a": 1}, [None], [["builtin/critic"]]])
def test_what_is_no_list_of_agents_is_told(listed: Any):
    """Not taken apart in search of something."""
    with pytest.raises((ConfigurationError, AgentFileError)):
        load_agents(listed)


def test_an_agent_may_be_listed_beside_a_file_that_calls_it(tmp_path: Path):
    """Files know the agents of the whole list, those after them too."""
    later = Agent("later", description="d", prompt="p")
    found = load_agents([_file(tmp_path, "critic.md", CRITIC.replace("lookup", "later")), later])
    assert [(one.name, one.tools) for one in found] == [("critic", ("later",)), ("later", ())]


def test_a_project_whose_agents_are_a_file_has_none(tmp_path: Path):
    """Only a folder holds agents."""
    _file(tmp_path, "agents", "raise SystemError")
    assert [f"builtin/{one.name}" for one in load_agents(project=tmp_path, tools=_file_tools())] == [*builtin_names()]


def test_a_built_in_name_that_is_like_no_other_is_told_what_there_is():
    """All of them."""
    with pytest.raises(AgentFileError) as caught:
        load_agents(["builtin/zzz"])
    assert str(caught.value) == f"builtin/zzz: there is no such agent; built in are {', '.join(builtin_names())}"

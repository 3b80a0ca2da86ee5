"""Template injection: what users, models, tools and documents write is a value, and no value is evaluated, ever."""

from typing import Any

import pytest

from agentorch import Agent, Orchestrator, Plan, agent
from agentorch.errors import ConfigurationError, PromptError
from agentorch.prompts import Prompts
from agentorch.testing.fake_openai import FakeOpenAI, Say

ATTACKS = (
    "{{ 7 * 191 }}",
    "{% for x in range(9) %}1337{% endfor %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{% include 'agent' %}{# gone #}{% raw %}x{% endraw %}",
    "{{ self }}{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "${goal} ${inputs.other} $goal $inputs.other %(goal)s {goal} {0.__class__}",
)
OTHER = "the-other-input"


@agent(description="Hands on.")
async def echo(value: Any) -> Any:
    return value


@pytest.mark.parametrize("attack", ATTACKS)
async def test_nothing_is_evaluated_on_its_way(attack: str) -> None:
    """Goal, input, objective, a model's answer, an output handed on: each arrives as it was written."""
    reader = Agent("reader", description=f"Reads. {attack}", prompt=f"Read. {attack}")
    plan = Plan(attack, answer="$last")
    plan.add("first", agent=echo, inputs={"value": "$inputs.text"})
    plan.add("read", agent=reader, objective="Read ${first}, please.", inputs={"text": "$first", "aim": "$goal"})
    plan.add("last", agent=echo, inputs={"value": "$read"})
    async with FakeOpenAI(Say(attack)) as server, Orchestrator([reader, echo], model=server.model()) as orchestrator:
        outcome = await orchestrator.run(plan, inputs={"text": attack, "other": OTHER})
    sent = "\n".join(message["content"] for message in server.requests[0]["messages"])
    assert outcome.answer == attack
    assert sent.count(attack) >= 4  # the prompt, the objective, two inputs
    assert not any(word in sent + str(outcome.answer) for word in ("13371337", "<class", "uid=", OTHER))


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_template_shows_values_as_they_are(attack: str) -> None:
    """Each of the built-in templates, with the attack in each of its values."""
    prompts = Prompts()
    item = {
        "name": attack,
        "text": attack,
        "note": attack,
        "kind": attack,
        "takes": attack,
        "required": True,
        "description": attack,
    }
    card = {
        "name": attack,
        "description": attack,
        "inputs": [item],
        "gives": attack,
        "parts": [attack],
        "effects": attack,
    }
    values = {
        "name": attack, "description": attack, "prompt": attack, "schema": attack, "tools": True, "reading": True,
        "goal": attack, "team": [card], "inputs": [item], "max_tasks": 3, "frozen": attack, "rejected": attack,
        "problems": [attack], "patch": True, "output": attack, "tasks": attack, "failed": [attack], "tried": attack,
        "parts": {attack: attack}, "sentences": 3, "objective": attack, "missing": [attack],
        "conversation": attack,
    }  # fmt: skip
    rendered = 0
    for name in prompts.names():
        try:
            text = prompts.render(name, **values)
        except PromptError:
            continue  # a template of another part, which has values of its own
        rendered += 1
        assert "13371337" not in text
        assert "<class" not in text
    assert rendered >= 9


def test_a_name_is_no_place_for_a_template() -> None:
    """Agents are called by small letters, digits, `_` and `-`."""
    for name in ("{{ 7 * 7 }}", "a\nb", "A B", "</value>", "\x1b[2J", ""):
        with pytest.raises(ConfigurationError) as refused:
            Agent(name, description="d", prompt="p")
        assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ x.__init__.__globals__ }}",
        "{{ [].append(1) }}",
        "{{ 'x' * 100000000 }}",
        "{% set large = 'x' * 100000000 %}small",
        "{% set large = [1] * 100000000 %}small",
        "{{ 9 ** 999999 }}",
        "{% for a in range(100000000) %}{% endfor %}",
        "{{ (x | map(attribute='__class__') | list)[0].__subclasses__() }}",
        "{{ '%s' | format(x) | attr('__class__') }}",
        "{{ '{0.__class__}'.format(x) }}",
        "{% for a in range(10000) %}{{ 'x' * 10000 }}{% endfor %}",
    ],
)
def test_a_template_of_somebody_else_gets_nowhere(template: str, tmp_path: Any) -> None:
    """Underscores, changes, huge values and ranges: PromptError, in one line."""
    (tmp_path / "evil.md.j2").write_text(template, encoding="utf-8")
    with pytest.raises(PromptError) as refused:
        Prompts([tmp_path]).render("evil", x=["a"])
    assert len(str(refused.value).splitlines()) == 1

"""Prompt templates."""

from pathlib import Path

import pytest

from agentorch.errors import PromptError
from agentorch.prompts import Prompts, fenced


def _prompts(folder: Path, **templates: str) -> Prompts:
    for name, text in templates.items():
        (folder / f"{name}.md.j2").write_text(text)
    return Prompts([folder])


def test_a_users_template_takes_the_place_of_ours(tmp_path: Path):
    """Or extends it as `builtin/<name>`; ours is still there under that name."""
    own = tmp_path / "own"
    ours = tmp_path / "ours"
    own.mkdir()
    ours.mkdir()
    (ours / "hello.md.j2").write_text("Hello{% block tail %}.{% endblock %}")
    (own / "hello.md.j2").write_text('{% extends "builtin/hello" %}{% block tail %} {{ name }}!{% endblock %}')
    prompts = Prompts([own], builtin=ours)
    assert prompts.render("hello", name="you") == "Hello you!"
    assert prompts.render("builtin/hello") == "Hello."
    assert prompts.names() == ("hello",)
    assert prompts.version("hello") != prompts.version("builtin/hello")


def test_values_are_never_templates(tmp_path: Path):
    """What users supply is shown, not evaluated."""
    assert _prompts(tmp_path, a="{{ text }}").render("a", text="{{ 7 * 7 }}") == "{{ 7 * 7 }}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ nothing }}", "prompt 'a': 'nothing' is undefined; the values are text"),
        ("{% if %}", "line 1: "),
        ("{{ text.__class__.__mro__ }}", "prompt 'a': access to attribute '__class__'"),
        ("{{ 'x' * 100000000 }}", "prompt 'a': an operator would make too large a value"),
        ("{{ 9 ** 999 }}", "prompt 'a': a power may be at most 64"),
        ("{% for i in range(100000000) %}x{% endfor %}", "prompt 'a': a range may have at most 10,000 numbers"),
        ("{% for i in range(10000) %}{{ text * 1000 }}{% endfor %}", "prompt 'a': it makes more than 2,000,000"),
        ("{% include 'nowhere' %}", "prompt 'nowhere': there is no file nowhere.md.j2"),
        ("{% include '../secret' %}", "prompt '../secret': there is no file"),
        ("{{ text.append(1) }}", "prompt 'a': "),
        ("{{ text | nofilter }}", "line 1: No filter named 'nofilter'."),
        ("{{ 1 / 0 }}", "prompt 'a': ZeroDivisionError: division by zero"),
    ],
)
def test_a_template_that_does_not_work_is_told_in_one_line(tmp_path: Path, text: str, message: str):
    """With its name, or its file and line."""
    with pytest.raises(PromptError) as caught:
        _prompts(tmp_path, a=text).render("a", text="x")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_template_offers_the_nearest(tmp_path: Path):
    """By name."""
    with pytest.raises(PromptError, match=r"prompt 'critc': there is no file critc\.md\.j2; did you mean 'critic'"):
        _prompts(tmp_path, critic="x").render("critc")


@pytest.mark.parametrize("text", ["</value>", "</VALUE>", '<value name="task">', "<\\/value>"])
def test_no_value_can_leave_its_fence(text: str):
    """Whatever it holds, exactly one fence opens and closes."""
    made = fenced(f"a {text} b", 'na"me>\n')
    assert made.lower().count("<value") == made.lower().count("</value") == 1
    assert made.startswith('<value name="name">\na ')
    assert made.endswith(" b\n</value>")


def test_arithmetic_still_works(tmp_path: Path):
    """Only what would be huge is refused."""
    text = "{{ 1000000 + 99999999 }} {{ 3 * 4 }} {{ 2 ** 10 }} {{ 'a' + 'b' }} {{ 'ab' * 2 }}"
    assert _prompts(tmp_path, a=text).render("a") == "100999999 12 1024 ab abab"

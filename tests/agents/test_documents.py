"""YAML and JSON that people write."""

from pathlib import Path
from typing import Any

import pytest

from agentorch.documents import DocumentError, read_document, read_json, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", {"a": "no"}),
        ("a: on\nb: yes", {"a": "on", "b": "yes"}),
        ("a: true\nb: False", {"a": True, "b": False}),
        ("a: 1.10", {"a": 1.1}),
        ("a: '1.10'", {"a": "1.10"}),
        ("a: 012\nb: 0x1F\nc: 1_000\nd: 12:30", {"a": "012", "b": "0x1F", "c": "1_000", "d": "12:30"}),
        ("a: -3\nb: 1e3\nc: 1.5e-1", {"a": -3, "b": 1000.0, "c": 0.15}),
        ("a: 2026-01-02", {"a": "2026-01-02"}),
        ("a:\nb: ~\nc: null", {"a": None, "b": None, "c": None}),
        ("a: .inf\nb: .nan", {"a": ".inf", "b": ".nan"}),
        ("\ufeffa: 1\r\nb: |\r\n  x\r\n  y\r\n", {"a": 1, "b": "x\ny\n"}),
        ("<<: {a: 1}", {"<<": {"a": 1}}),
        ("", None),
    ],
)
def test_yaml_means_what_people_mean(text: str, value: Any):
    """Words stay words, dates stay text, line ends do not matter."""
    assert read_yaml(text.encode()) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "line 3, column 1: key 'a' appears twice"),
        ("a: &x 1\nb: *x", "line 1, column 4: an anchor (&name) is not allowed; write the value out"),
        ("a: *x", "line 1, column 4: an alias (*name) is not allowed; write the value out"),
        ("a: [1, 2", "line 1, column 9: while parsing a flow sequence expected ',' or ']', but got '<stream end>'"),
        ("[a]: 1", "line 1, column 1: a key must be a plain word"),
        ("a: " + "[" * 60, "line 1, column 53: it is nested more than 50 levels deep"),
        (
            "a: \x01",
            'unacceptable character #x0001: special characters are not allowed in "<unicode string>", position 3',
        ),
        ("a: 1\n---\nb: 2", "line 2, column 1: expected a single document in the stream but found another document"),
        ("a: " + "x" * 70_000, "it is 70,003 bytes long; at most 65,536 are read"),
    ],
)
def test_yaml_that_cannot_be_read_is_told_with_its_place(text: str, message: str):
    """Line, column, and what to do."""
    with pytest.raises(DocumentError) as caught:
        read_yaml(text)
    assert str(caught.value) == message


def test_a_tag_of_another_program_is_refused():
    """No object is made."""
    with pytest.raises(DocumentError, match=r"line 1, column 4: .*python/object"):
        read_yaml("a: !!python/object:os.system 1")


def test_text_that_is_not_utf8_is_told():
    """With the place."""
    with pytest.raises(DocumentError, match=r"it is not UTF-8 text \(byte 3\)"):
        read_yaml(b"a: \xff")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n "b": }', "line 2, column 7: Expecting value"),
        ('{"a": 1, "a": 2}', "key 'a' appears twice in one object"),
        ('{"a": NaN}', "NaN is no JSON number"),
        ("[" * 100_000, "it is nested too deeply"),
    ],
)
def test_json_that_cannot_be_read_is_told(text: str, message: str):
    """With its place, where there is one."""
    with pytest.raises(DocumentError) as caught:
        read_json(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "tasks:\n  - id: a\n    needs: [b, c]\n"),
        ("a.json", '{"tasks":\n [{"id": "a",\n "needs": ["b", "c"]}]}'),
    ],
)
def test_a_document_knows_its_places(tmp_path: Path, name: str, text: str):
    """YAML and JSON alike; what is not there stands where its holder stands."""
    path = tmp_path / name
    path.write_text(text)
    document = read_document(path)
    assert document.value == {"tasks": [{"id": "a", "needs": ["b", "c"]}]}
    assert document.at("tasks", 0, "needs").startswith("line 3, ")
    assert document.at("tasks", 0, "agent").startswith("line 2, ")
    assert document.at("nothing").startswith("line 1, ")


@pytest.mark.parametrize(
    ("name", "message"),
    [("none.yaml", "there is no such file"), ("", "it is a folder, not a file"), ("a.txt", ".txt is not known here")],
)
def test_a_file_that_is_no_document_is_told(tmp_path: Path, name: str, message: str):
    """Whatever is wrong with it."""
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DocumentError, match=message):
        read_document(tmp_path / name)


def test_a_document_is_known_by_its_suffix_in_any_case(tmp_path: Path):
    """And one without any is told."""
    (tmp_path / "A.YML").write_text("a: 1")
    (tmp_path / "B.JSON").write_text('\ufeff{"a":\t1}')
    (tmp_path / "plan").write_text("a: 1")
    assert [read_document(tmp_path / name).value for name in ("A.YML", "B.JSON")] == [{"a": 1}, {"a": 1}]
    with pytest.raises(DocumentError) as caught:
        read_document(tmp_path / "plan")
    assert str(caught.value) == "no suffix is not known here; use .yaml, .yml, .json"


def test_json_that_yaml_cannot_follow_has_no_places(tmp_path: Path):
    """It is read all the same."""
    (tmp_path / "a.json").write_text('{\n\t"a": 1}')
    document = read_document(tmp_path / "a.json")
    assert (document.value, document.at("a")) == ({"a": 1}, "")


def test_an_empty_document_is_nothing(tmp_path: Path):
    """And stands nowhere."""
    (tmp_path / "a.yaml").write_text("# nothing\n")
    document = read_document(tmp_path / "a.yaml")
    assert (document.value, document.at("a")) == (None, "")


def test_places_are_those_of_the_keys_and_items(tmp_path: Path):
    """Line and column, from 1; an item of a list stands where it begins."""
    (tmp_path / "a.yaml").write_text("tasks:\n  - id: a\n    needs: [b, c]\n")
    document = read_document(tmp_path / "a.yaml")
    places = [document.at(*where) for where in ((), ("tasks",), ("tasks", 0), ("tasks", 0, "needs", 1))]
    assert places == ["line 1, column 1: ", "line 1, column 1: ", "line 2, column 5: ", "line 3, column 16: "]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: +1\nb: -0.5\nc: 1E5\nd: .5\ne: 1.", {"a": 1, "b": -0.5, "c": 100000.0, "d": ".5", "e": "1."}),
        ("a: TRUE\nb: tRUE\nc: Null\nd: nULL", {"a": True, "b": "tRUE", "c": None, "d": "nULL"}),
        ("1: a\ntrue: b", {"1": "a", "true": "b"}),
        ("a: '1'\nb: \"true\"", {"a": "1", "b": "true"}),
    ],
)
def test_yaml_takes_nothing_for_what_it_only_resembles(text: str, value: Any):
    """A number has digits on both sides of its point; keys are text."""
    assert read_yaml(text) == value


def test_a_document_that_stands_in_another_counts_its_lines():
    """The place is that in the whole file."""
    with pytest.raises(DocumentError) as caught:
        read_yaml("a: 1\na: 2", first_line=10)
    assert (str(caught.value), caught.value.line) == ("line 11, column 1: key 'a' appears twice", 11)

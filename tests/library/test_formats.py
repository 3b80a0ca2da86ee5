"""The readers: which units on which lines each format gives."""

import pytest

from agentorch.library.formats import reader_for
from agentorch.library.passage import passages
from agentorch.library.sentences import sentences

Row = tuple[str, int, int, str]

CASES: list[tuple[str, str, list[Row]]] = [
    ("a.txt", "Title\n\nOne is\nhere. Two.\n\n- item\n- more", [
        ("Title", 3, 4, "One is here."), ("Title", 4, 4, "Two."), ("Title", 6, 6, "- item"), ("Title", 7, 7, "- more"),
    ]),
    ("a.md", "# A\ntext **bold** `x<y>`\n## B ##\n* one\n* [two](u)\n\nC\n=\nlast", [
        ("A", 2, 2, "text bold x<y>"), ("A > B", 4, 4, "one"), ("A > B", 5, 5, "two"), ("C", 9, 9, "last"),
    ]),
    ("a.md", "| p | q |\n|---|---|\n| 1 | 2 |\n\n```\n# no heading\n```", [
        ("", 3, 3, "p: 1; q: 2"), ("", 6, 6, "# no heading"),
    ]),
    ("a.md", "````\n```py\none\n```\n````\nx", [("", 2, 4, "```py\none\n```"), ("", 6, 6, "x")]),
    ("a.md", "```\n```py\none\n```\nx", [("", 2, 3, "```py\none"), ("", 5, 5, "x")]),
    ("a.md", "```one``` is `two`.\n\nx", [("", 1, 1, "one is two."), ("", 3, 3, "x")]),
    ("a.md", "~~~sh\n  one\n  ```\n    two\n~~~\nx", [("", 2, 4, "one\n```\n  two"), ("", 6, 6, "x")]),
    ("a.rst", "Do::\n\n    if x:\n        go\n    ===\n\nDone.", [
        ("", 1, 1, "Do:"), ("", 3, 5, "if x:\n    go\n==="), ("", 7, 7, "Done."),
    ]),
    ("a.rst", "* Do\n\n  .. code-block:: python\n     :caption: c\n\n     x = 1\n\n     y = 2\n  End.", [
        ("", 1, 1, "Do"), ("", 6, 8, "x = 1\n\ny = 2"), ("", 9, 9, "End."),
    ]),
    ("a.html", "<p>Do <pre>if x:\n\n  go</pre> end", [
        ("", 1, 1, "Do"), ("", 1, 3, "if x:\n\n  go"), ("", 3, 3, "end"),
    ]),
    ("a.py", "def f():\n    return 1\n\n\ndef g(): ...\n", [
        ("", 1, 2, "def f():\n    return 1"), ("", 5, 5, "def g(): ..."),
    ]),
    ("a.py", "  a\n\n  b\n\nc\n\n  d", [("", 1, 3, "a\n\nb"), ("", 5, 7, "c\n\n  d")]),
    ("Makefile", "".join(f"a{n}:\n\tb\n\n" for n in range(6)), [
        ("", 1, 11, "a0:\n\tb\n\na1:\n\tb\n\na2:\n\tb\n\na3:\n\tb"), ("", 13, 17, "a4:\n\tb\n\na5:\n\tb"),
    ]),
    ("a.js", "x" * 2100 + "\ny", [("", 1, 1, "x" * 2000), ("", 1, 2, "x" * 100 + "\ny")]),
    ("a.py", "\n".join(f"a{n}" for n in range(20)), [
        ("", 1, 12, "\n".join(f"a{n}" for n in range(12))), ("", 13, 20, "\n".join(f"a{n}" for n in range(12, 20))),
    ]),
    ("a.rst", "===\nTop\n===\n\nSub\n---\n\n.. note:: mind\n   this\n\n* ``a`` :ref:`b <c>`\n", [
        ("Top > Sub", 8, 9, "mind this"), ("Top > Sub", 11, 11, "a b"),
    ]),
    ("a.html", "<title>T</title><h1>H</h1>\n<p>One\ntwo. Three.<script>no</script><tr><td>x", [
        ("T > H", 2, 3, "One two."), ("T > H", 3, 3, "Three."), ("T > H", 3, 3, "x"),
    ]),
    ("a.csv", 'n,v\na,1\n"b\nc",2\n', [("", 2, 2, "n: a; v: 1"), ("", 3, 4, "n: b\nc; v: 2")]),
    ("a.tsv", "n\tv\na\t1\n", [("", 2, 2, "n: a; v: 1")]),
    ("a.json", '{"k": {"a": 1,\n"b": [true,\nnull]}}', [("k", 1, 2, "a: 1; b: true, null")]),
    ("a.jsonl", '{"a": 1}\n{"a": 2}\n', [("", 1, 1, "a: 1"), ("", 2, 2, "a: 2")]),
    ("a.json", "{broken", [("", 1, 1, "{broken")]),
    ("a.json", '"" {"a": -1.5e3, "b": ""} [" "]', [("", 1, 1, "a: -1.5e3; b: ")]),
    ("a.json", '"" <h1>[1]', [("", 1, 1, '"" <h1>[1]')]),
    ("a.json", "[" * 5000, [("", 1, 1, "[" * 2000), ("", 1, 1, "[" * 2000), ("", 1, 1, "[" * 1000)]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "expected"), CASES)
def test_a_format_gives_units_with_lines_and_headings(name: str, text: str, expected: list[Row]) -> None:
    """Headings lead to units; every unit knows the lines that it stands on."""
    found = [
        (passage.heading, unit.line, unit.end, unit.text)
        for passage in passages(reader_for(name)(text))
        for unit in passage.units
    ]

    assert found == expected


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.rst", "a.html", "a.csv", "a.json"])
@pytest.mark.parametrize("text", ["", "\n\n", "\x0c", "|", "a|b\n---\n", '"', "<", "&#x;", "===\n", "..", "{}", "[]"])
def test_no_text_breaks_a_reader(name: str, text: str) -> None:
    """Odd files give few units, never an error."""
    assert len(list(passages(reader_for(name)(text)))) <= 2


def test_sentences_end_where_they_end() -> None:
    """Abbreviations, versions and initials are no ends."""
    text = "Use v1.5 of it, e.g. Python. Dr. A. Smith agrees! Is it (really)? Yes."

    assert [unit.text for unit in sentences([(1, text)])] == [
        "Use v1.5 of it, e.g. Python.",
        "Dr. A. Smith agrees!",
        "Is it (really)?",
        "Yes.",
    ]

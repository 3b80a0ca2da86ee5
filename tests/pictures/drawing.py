"""Reads pictures: what is in them, and what must never be."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"
KNOWN = {"svg", "g", "rect", "line", "path", "text", "title"}
_IMAGE = re.compile(r'<img alt="[^"<>\n]*" src="data:image/svg\+xml;base64,([^"]+)">')


@dataclass(frozen=True)
class Rect:
    """A rectangle of a picture, in its own coordinates."""

    x: float
    y: float
    width: float
    height: float
    stroke: str

    def overlaps(self, other: "Rect") -> bool:
        """Whether two of them have some place in common."""
        apart_x = self.x + self.width <= other.x or other.x + other.width <= self.x
        apart_y = self.y + self.height <= other.y or other.y + other.height <= self.y
        return not (apart_x or apart_y)


def pictured(data: Mapping[str, Any]) -> bool:
    """Whether what a notebook was given to show is a picture."""
    return _IMAGE.fullmatch("".join(data.get("text/markdown", ""))) is not None


def drawn(data: Mapping[str, Any]) -> str:
    """Return the SVG in what a notebook was given to show: as text, or as the lines of a file."""
    image = _IMAGE.fullmatch("".join(data["text/markdown"]))
    assert image is not None
    return b64decode(image[1], validate=True).decode()


def read(svg: str) -> ET.Element:
    """Return the picture's root; it must be well-formed, stand alone and do nothing."""
    root = ET.fromstring(svg)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in KNOWN
        assert not {
            name for name in element.attrib if name.startswith("on") or "href" in name or name in {"id", "class"}
        }
    assert not re.search(r"url\(|<style|<script|javascript:", svg)
    return root


def words(svg: str) -> list[str]:
    """Return every line of text."""
    return [element.text or "" for element in read(svg).iter(f"{SVG}text")]


def tips(svg: str) -> list[str]:
    """Return what is said where the pointer rests."""
    return [element.text or "" for element in read(svg).iter(f"{SVG}title")]


def boxes(svg: str) -> list[Rect]:
    """Return the boxes of a graph: rectangles with round corners of their kind, as far as groups are moved the same."""
    found: list[Rect] = []
    for element in read(svg).iter(f"{SVG}rect"):
        if element.get("rx") == "6" and element.get("stroke") != "#d8dee4":
            x, y, width, height = (float(element.attrib[name]) for name in ("x", "y", "width", "height"))
            found.append(Rect(x, y, width, height, element.attrib["stroke"]))
    return found


def arrows(svg: str) -> int:
    """Return how many arrows there are: a curve and a head each."""
    return sum(element.get("fill") == "none" for element in read(svg).iter(f"{SVG}path"))


def size(svg: str) -> tuple[float, float]:
    """Return width and height."""
    root = read(svg)
    return float(root.attrib["width"]), float(root.attrib["height"])

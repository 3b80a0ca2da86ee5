"""Which files the library reads, and when: changes, limits, encodings, and nothing outside the folders."""

import os
import sqlite3
from pathlib import Path

import pytest

from agentorch.errors import FileAccessError
from agentorch.library import Library, each_second
from agentorch.library.reading import LARGEST_FILE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("The kettle boils at noon.\n", "utf-8")
    (tmp_path / "secret.txt").write_text("The vault opens with 4711.\n", "utf-8")
    return tmp_path / "in"


def test_a_changed_file_is_read_anew(folder: Path) -> None:
    """Even when its size and its time of change stay the same."""
    with Library([folder]) as library:
        assert "noon" in library.ask("When does the kettle boil?").answer
        before = (folder / "notes.txt").stat()
        (folder / "notes.txt").write_text("The kettle boils at dusk.\n", "utf-8")
        os.utime(folder / "notes.txt", ns=(before.st_atime_ns, before.st_mtime_ns))

        answer = library.ask("When does the kettle boil?").answer

    assert "dusk" in answer
    assert "noon" not in answer


def test_new_and_removed_files_are_noticed(folder: Path) -> None:
    """Every search looks at the folders first."""
    with Library([folder]) as library:
        library.refresh()
        (folder / "notes.txt").unlink()
        (folder / "more.md").write_text("# Tea\nThe teapot is blue.\n", "utf-8")

        assert library.find("When does the kettle boil?") == []
        assert [passage.source for passage in library.find("Which teapot?")] == [f"{folder}/more.md:2"]


def test_an_index_in_a_file_is_kept(folder: Path, tmp_path: Path) -> None:
    """It is opened again, and what has changed since is read."""
    with Library([folder], index=tmp_path / "index.db") as library:
        library.refresh()
    (folder / "notes.txt").write_text("The kettle whistles at seven.\n", "utf-8")

    with Library([folder], index=tmp_path / "index.db") as library:
        assert "seven" in library.ask("When does the kettle whistle?").answer


def test_an_index_in_use_is_left_alone(folder: Path, tmp_path: Path) -> None:
    """Another library over the same file works too, its index in memory."""
    with (
        Library([folder], index=tmp_path / "index.db") as first,
        Library([folder], index=tmp_path / "index.db") as other,
    ):
        assert "noon" in first.ask("When does the kettle boil?").answer
        assert "noon" in other.ask("When does the kettle boil?").answer


def test_a_database_of_another_program_is_refused(folder: Path, tmp_path: Path) -> None:
    """Its tables, whatever they are called, are as they were."""
    with sqlite3.connect(tmp_path / "theirs.db") as theirs:
        theirs.executescript("CREATE TABLE files (mine TEXT); INSERT INTO files VALUES ('kept')")
    with pytest.raises(FileAccessError, match="belongs to another program"):
        Library([folder], index=tmp_path / "theirs.db")
    assert theirs.execute("SELECT mine FROM files").fetchall() == [("kept",)]
    theirs.close()


def test_a_file_that_is_no_index_is_refused(folder: Path, tmp_path: Path) -> None:
    """One line names it; it is left as it is."""
    (tmp_path / "letter.txt").write_text("Dear Ada, " * 100, "utf-8")
    with pytest.raises(FileAccessError, match=r"letter.txt: cannot be used as an index: file is not a database"):
        Library([folder], index=tmp_path / "letter.txt")
    assert (tmp_path / "letter.txt").read_text("utf-8").startswith("Dear Ada")


def test_whoever_watches_may_end_the_reading(folder: Path) -> None:
    """After any file; what was read is kept, and the rest is read the next time."""
    (folder / "tea.txt").write_text("The teapot is blue.\n", "utf-8")
    seen: list[tuple[int, int]] = []

    def watch(done: int, total: int) -> None:
        seen.append((done, total))
        if len(seen) == 1:
            raise KeyboardInterrupt

    with Library([folder]) as library:
        with pytest.raises(KeyboardInterrupt):
            library.refresh(watch=watch)
        assert "blue" in library.ask("Which teapot is it?", watch=watch).answer
        assert seen == [(1, 2), (1, 2), (2, 2)]


def test_how_far_the_reading_is_is_said_each_second() -> None:
    """Nothing within the first second, then a line a second."""
    times = iter([0.0, 0.9, 1.1, 1.1, 1.5, 2.2, 2.2])
    said: list[str] = []
    watch = each_second(said.append, clock=lambda: next(times))
    for done in (10, 1200, 1300, 2400):
        watch(done, 4000)
    assert said == ["read 1,200 of 4,000 files", "read 2,400 of 4,000 files"]


def test_a_link_out_of_the_folders_is_refused(folder: Path) -> None:
    """It is not indexed, cannot be read by name, and a note says so."""
    (folder / "way-out.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "way-up").symlink_to(folder.parent, target_is_directory=True)
    with Library([folder]) as library:
        assert library.find("Which vault opens?") == []
        assert library.notes == [
            f"not read: {folder}/way-out.txt, {folder}/way-up: a symbolic link that leads out of the folders given"
        ]
        with pytest.raises(FileAccessError, match="outside the folders"):
            library.read("way-out.txt")
        with pytest.raises(FileAccessError, match="outside the folders"):
            library.read("way-up/secret.txt")


def test_a_link_within_the_folders_is_met_once(folder: Path) -> None:
    """What it leads to is read where it is, and loops end."""
    (folder / "again.txt").symlink_to(folder / "notes.txt")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    with Library([folder]) as library:
        assert library.refresh() == 1
        assert library.notes == []


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/passwd", "notes.txt/../../secret.txt", "~/x", ""])
def test_a_path_out_of_the_folders_is_refused(folder: Path, path: str) -> None:
    """Reading by name stays inside."""
    with Library([folder]) as library, pytest.raises(FileAccessError):
        library.read(path)


def test_a_file_is_read_by_lines(folder: Path) -> None:
    """Named as it is cited, or relative to its folder."""
    (folder / "long.txt").write_text("\n".join(f"row {number}" for number in range(1, 10)), "utf-8")
    with Library([folder]) as library:
        assert library.read("long.txt", 3, 2) == "3: row 3\n4: row 4"
        assert library.read(f"{folder}/long.txt", 9) == "9: row 9"


def test_a_single_file_may_be_given(folder: Path) -> None:
    """Then nothing beside it is read."""
    (folder / "other.txt").write_text("The kettle is red.", "utf-8")
    with Library([folder / "notes.txt"]) as library:
        assert [passage.source for passage in library.find("kettle")] == [f"{folder}/notes.txt:1"]


def test_a_folder_that_is_not_there_is_refused(folder: Path) -> None:
    """The message names it."""
    with pytest.raises(FileAccessError, match="nowhere: no such file or folder"):
        Library([folder / "nowhere"])


def test_what_cannot_be_read_is_noted_in_one_line_each(folder: Path) -> None:
    """Binary and huge files do not stop the others, and are named."""
    (folder / "picture.bin").write_bytes(b"\x89PNG\0\0\0")
    (folder / "noise.dat").write_bytes(bytes(range(1, 32)) * 50 + b"\xff\xfe")
    with (folder / "huge.txt").open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with Library([folder]) as library:
        assert library.refresh() == 1
        assert library.notes == [
            f"not read: {folder}/noise.dat, {folder}/picture.bin: is not text",
            f"not read: {folder}/huge.txt: larger than 10 MB",
        ]


def test_media_among_documents_are_passed_over(folder: Path) -> None:
    """A folder of documents has pictures in it, which nobody has to be told; one that was named is noted."""
    for name in ("logo.png", "demo.webm", "bold.woff2"):
        (folder / name).write_bytes(b"\x89PNG\0\0\0")
    with Library([folder]) as library:
        assert (library.refresh(), library.notes) == (1, [])
    with Library([folder, folder / "logo.png"]) as library:
        library.refresh()
        assert library.notes == [f"not read: {folder}/logo.png: is not text"]


def test_a_damaged_pdf_is_noted(folder: Path) -> None:
    """It is no traceback."""
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 nothing more")
    with Library([folder]) as library:
        library.refresh()
        assert [note.startswith(f"not read: {folder}/bad.pdf: is damaged or locked") for note in library.notes] == [
            True
        ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_encodings(folder: Path, encoding: str) -> None:
    """What is text in a usual encoding is read."""
    (folder / "cafe.txt").write_bytes("Das Café öffnet früh.\n".encode(encoding))
    with Library([folder]) as library:
        assert [passage.text for passage in library.find("cafe offnet")] == ["Das Café öffnet früh."]


def test_hidden_folders_and_those_of_tools_are_passed_over(folder: Path) -> None:
    """No documents live there."""
    for name in (".git", "node_modules", ".venv"):
        (folder / name).mkdir()
        (folder / name / "notes.txt").write_text("The kettle is hidden.", "utf-8")
    with Library([folder]) as library:
        assert library.refresh() == 1


def test_the_name_of_the_folder_says_nothing_of_its_files(tmp_path: Path) -> None:
    """What counts is a file's path within the folder; else every file under `contracts/` would be about contracts."""
    folder = tmp_path / "zebra"
    (folder / "lions").mkdir(parents=True)
    (folder / "lions" / "food.txt").write_text("They eat at dawn.", "utf-8")
    with Library([folder]) as library:
        assert library.find("zebra") == []
        assert [passage.source for passage in library.find("lions")] == [f"{folder}/lions/food.txt:1"]

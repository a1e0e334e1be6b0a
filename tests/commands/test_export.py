"""Rows out as JSONL, and kept photos as a tree of links."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from fieldguide.__main__ import main
from fieldguide.commands.link import link_photos
from fieldguide.errors import CatalogueError

FILL = {"region": None, "licence": "CC BY-NC 4.0", "rights_holder": None}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of URLs and a tree of photos as sources; of the catalogue one row is kept as file, one in an archive."""
    monkeypatch.chdir(tmp_path)
    Path("list.txt").write_text("https://a.org/1.jpg\nhttps://a.org/2.jpg\n")
    for name in ("photos/Aster alpinus/1.jpg", "photos/Aster alpinus/2.JPG"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x")
    sources: dict[str, Any] = {
        "list": {"kind": "urls", "path": "list.txt", "fill": {**FILL, "licence": None}},
        "tree": {"kind": "folders", "roots": ["photos"], "pattern": None, "fill": FILL},
    }
    Path("params.yaml").write_text(yaml.safe_dump({"fetch": {"sources": sources}}))
    return tmp_path


def clean(*kept: str) -> None:
    for folder in ("interim/fetch", "interim/clean"):
        Path(folder).mkdir(parents=True, exist_ok=True)
    urls = ["file:photos/Aster alpinus/1.jpg", "file:photos/Aster alpinus/2.JPG", "tar://1.jpg::p.tar"]
    ids = [f"p{number}" for number in range(3)]
    labels = ["Aster alpinus", "../x", None]
    pl.DataFrame({"photo_id": ids, "url": urls, "label": labels}).write_parquet("interim/fetch/catalogue.parquet")
    verdicts = ["keep" if name in kept else "drop" for name in ids]
    pl.DataFrame({"photo_id": ids, "verdict": verdicts}).write_parquet("interim/clean/verdicts.parquet")


def test_rows_of_all_sources_or_of_one(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["export", "rows.jsonl"])
    rows = [json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()]
    assert [(row["source"], row["id"]) for row in rows] == [
        ("list", "https://a.org/1.jpg"),
        ("list", "https://a.org/2.jpg"),
        ("tree", "Aster alpinus/1.jpg"),
        ("tree", "Aster alpinus/2.JPG"),
    ]
    assert rows[2]["licence"] == "CC BY-NC 4.0"
    assert "licence" not in rows[0]
    told = capsys.readouterr().out.splitlines()
    assert told[0].split() == ["rows", "4"]
    assert told[1].split(maxsplit=1) == ["unknown", "2 (50.0%), unknown"]
    assert told[2].split(maxsplit=1) == ["CC-BY-NC-4.0", "2 (50.0%), non-commercial"]
    main(["export", "rows.jsonl", "tree"])
    assert len(Path("rows.jsonl").read_text().splitlines()) == 2
    with pytest.raises(SystemExit):
        main(["export", "rows.jsonl", "nothing"])
    assert "no source 'nothing'; expected one of list, tree" in capsys.readouterr().err


def test_links_follow_the_verdicts(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clean("p0", "p1", "p2")
    main(["link", "view"])
    assert capsys.readouterr().out.splitlines() == [
        "  links     2 in 2 folders below view",
        "  left out  1 photos that are no files of their own (archives, URLs)",
    ]
    links = {path.relative_to("view").as_posix() for path in Path("view").rglob("*") if path.is_symlink()}
    assert links == {"Aster alpinus/p0.jpg", "_x/p1.jpg"}
    assert Path("view/_x/p1.jpg").resolve() == repository / "photos/Aster alpinus/2.JPG"
    clean("p1")
    main(["link", "view"])
    assert [path.name for path in Path("view").rglob("*") if path.is_symlink()] == ["p1.jpg"]


def test_only_a_folder_of_links_is_taken(repository: Path) -> None:
    with pytest.raises(CatalogueError, match="run the clean stage first"):
        link_photos(Path("view"))
    clean("p0")
    with pytest.raises(CatalogueError, match="photos holds files; expected an empty folder"):
        link_photos(Path("photos"))

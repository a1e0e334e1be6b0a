"""What is forgotten is dropped with its copies, now and when it comes back, and what holds it is named."""

import hashlib
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from fieldguide.__main__ import main
from fieldguide.clean.forgotten import FORGOTTEN_LIST, Line, read_forgotten
from fieldguide.clean.params import CleanParams
from fieldguide.commands.forget import forget
from fieldguide.commands.why import explain
from fieldguide.errors import CatalogueError
from fieldguide.params import load_section
from stages.clean import clean
from tests.images.pictures import blotches, encode
from tests.pipeline.project import ROOT
from tests.stages.conftest import WriteFetch, write_fetch

__all__ = ["write_fetch"]

ORIGINAL, COPY, OTHER, PLAIN = (
    encode(blotches(1, 300, 200)),
    encode(blotches(1, 300, 200), quality=40),
    encode(blotches(2)),
    encode(Image.new("RGB", (64, 64), "white")),
)
PHOTOS = [
    (ORIGINAL, {"observer": "Ada Alder", "url": "https://example.org/1.jpg"}),
    (ORIGINAL, {"observer": "Ben Birch"}),
    (COPY, {"observer": "Ben Birch", "rights_holder": "A Museum"}),
    (OTHER, {"observer": "Ada Alder"}),
    (PLAIN, {}),
]
IDS = [f"{row:016x}" for row in range(len(PHOTOS))]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_fetch: WriteFetch) -> Path:
    """Five photos, fetched and judged: one with two copies, another one, and a plain one."""
    monkeypatch.chdir(tmp_path)
    write_fetch(PHOTOS, Path("interim/fetch"))
    judge()
    return tmp_path


def judge() -> list[str]:
    params = load_section(CleanParams, "clean", ROOT / "params.yaml")
    clean(params, fetch=Path("interim/fetch"), out=Path("interim/clean"), reports=Path("reports/clean"))
    return pl.read_parquet("interim/clean/verdicts.parquet")["reason"].to_list()


@pytest.mark.parametrize(
    ("query", "forgotten"),
    [
        (IDS[0], [0, 1, 2]),
        (IDS[2], [0, 1, 2]),
        (hashlib.sha256(ORIGINAL).hexdigest(), [0, 1, 2]),
        ("https://example.org/1.jpg", [0, 1, 2]),
        ("s.jsonl:4", [3]),
        ("ada alder", [0, 1, 2, 3]),
        ("A Museum", [0, 1, 2]),
        (IDS[4], [4]),
    ],
)
def test_a_photo_is_forgotten_with_its_copies(repository: Path, query: str, forgotten: list[int]) -> None:
    forget([query])
    assert [row for row, reason in enumerate(judge()) if reason == "forgotten"] == forgotten


def test_a_copy_that_comes_later_is_forgotten_though_the_row_is_gone(
    repository: Path,
    write_fetch: WriteFetch,
) -> None:
    forget([IDS[0]])
    later = encode(blotches(1, 300, 200).resize((240, 160)), quality=60)
    known, new = {"photo_id": "e" * 16}, {"photo_id": "d" * 16, "url": "https://elsewhere.org/x.jpg"}
    write_fetch([(OTHER, known), (later, new)], Path("interim/fetch"))
    assert judge() == ["kept", "forgotten"]
    (story,) = explain("https://elsewhere.org/x.jpg")
    assert dict(story)["forgotten"] == "it looks like a forgotten photo in forgotten.csv"


def test_a_photo_whose_row_is_gone_already_can_be_forgotten(
    repository: Path,
    write_fetch: WriteFetch,
) -> None:
    write_fetch([(COPY, {"photo_id": "f" * 16}), (OTHER, {"photo_id": "e" * 16})], Path("interim/fetch"))
    Path("mine.jpg").write_bytes(ORIGINAL)
    forget(["https://example.org/1.jpg", IDS[0], "mine.jpg", "observer:Nobody Known"])
    lines = read_forgotten(FORGOTTEN_LIST).lines
    assert Line.of("url", "https://example.org/1.jpg") in lines
    assert Line.of("observer", "nobody known") in lines
    assert Line.of("bytes", hashlib.sha256(ORIGINAL).hexdigest()) in lines
    assert judge() == ["forgotten", "kept"]
    with pytest.raises(CatalogueError, match=r"no row .* forgotten.csv lists it"):
        explain(IDS[0])


def test_before_clean_the_fingerprint_is_made_from_the_bytes(repository: Path) -> None:
    before = pl.read_parquet("interim/clean/verdicts.parquet")["fingerprint"][0]
    Path("interim/clean/verdicts.parquet").unlink()
    forget([IDS[0], IDS[4]])
    assert Line("fingerprint", before.hex()) in read_forgotten(FORGOTTEN_LIST).lines


def test_the_list_grows_and_nothing_is_named_twice(repository: Path) -> None:
    _, _, first = forget([IDS[3]])
    _, _, again = forget([IDS[3]])
    _, _, more = forget(["Ada Alder"])
    assert (first > 0, again, more > 0) == (True, 0, True)
    assert "Ada" not in FORGOTTEN_LIST.read_text()


def test_what_is_meant_by_nothing_changes_nothing(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["forget", IDS[0], "Zoe Zelkova"])
    assert "forget: nothing is known of 'Zoe Zelkova'; expected a photo id" in capsys.readouterr().err
    assert not FORGOTTEN_LIST.exists()


def test_what_still_holds_it_is_told(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    examples = Path("models/tfjs/examples")
    examples.mkdir(parents=True)
    (examples / f"{IDS[0]}.jpg").write_bytes(b"")
    Path("interim/split").mkdir()
    Path("interim/resize").mkdir()
    pl.DataFrame({"photo_id": [IDS[0], IDS[3]], "split": ["train", "train"]}).write_parquet(
        "interim/split/split.parquet"
    )
    digest = hashlib.sha256(ORIGINAL).hexdigest()
    Path("cache").mkdir()
    Path("cache", digest).write_bytes(ORIGINAL)
    Path("params.yaml").write_text("fetch: {cache_folder: cache}\n")
    Path(".dvc/cache").mkdir(parents=True)
    main(["forget", IDS[0]])
    told = capsys.readouterr().out
    assert "1 photos of the catalogue and 2 copies of them" in told
    for holder in (
        "s.jsonl:1, s.jsonl:2, s.jsonl:3",
        "originals-00000.tar",
        f"cache/{digest}",
        "interim/resize",
        "reports/clean/index.html",
        f"models/tfjs/examples/{IDS[0]}.jpg",
        "1 of the photos were trained on",
        ".dvc/cache",
        "dvc gc --workspace",
    ):
        assert holder in told


def test_a_forgotten_photo_tells_why(repository: Path) -> None:
    forget([IDS[0]])
    judge()
    (story,) = explain(IDS[0])
    assert dict(story)["clean"].startswith("drop, forgotten")
    assert dict(story)["forgotten"] == "its photo_id is listed in forgotten.csv"
    FORGOTTEN_LIST.unlink()
    (story,) = explain(IDS[0])
    assert "run the clean stage again" in dict(story)["forgotten"]

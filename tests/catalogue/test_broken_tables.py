"""What is wrong in a table of observations is named by file and line; a bad row is counted, and the others are read."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fieldguide.errors import CatalogueError
from tests.catalogue.observing import GOOD, HEADER, observations


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ('{"id": 2, "link": \n', "line 2: not valid JSON"),
        ("\n[1]\n", "line 3: got a list; expected one object per line"),
        ('{"id": 2}\n', "line 2: column 'link' is empty"),
        ('{"id": "", "link": "2.jpg"}\n', "line 2: column 'id' is empty"),
        ('{"id": NaN, "link": "2.jpg"}\n', "line 2: column 'id' is empty"),
        ('{"id": 2, "link": ["2.jpg"]}\n', "line 2, url: got a list; expected text"),
        ('{"id": 2, "link": "2", "part": "x"}\n', "line 2, given_split: got 'x'"),
        ('{"id": 2, "link": "2", "link": "3"}\n', "line 2: not valid JSON (the key 'link' stands in it twice)"),
        ('{"id": %s, "link": "2"}\n' % ("9" * 5000), "line 2: not valid JSON"),
        ("[" * 100_000, "line 2: not valid JSON"),
    ],
)
def test_a_bad_row_is_counted(tmp_path: Path, bad: str, message: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "o.jsonl").write_text(GOOD + bad)
    assert [row.id for row in observations(tmp_path / "o.jsonl").rows()] == ["1"]
    assert "1 photos; left out 1 x bad row" in caplog.text
    assert message in caplog.text
    (tmp_path / "o.jsonl").write_text("\n" + bad)
    with pytest.raises(CatalogueError, match=r"o\.jsonl: no (photo found; left out 1 x bad|row has a column)"):
        list(observations(tmp_path / "o.jsonl").rows())


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("2,2.jpg\n", "line 3: 2 fields; expected 5, as in the header"),
        ("2,2.jpg,,,,x\n", "line 3: 6 fields; expected 5, as in the header"),
        ('2,2.jpg,,"Aster \\"alpinus\\"",\n', "line 3: ',' expected after '\"'"),
        ("2,2.jpg,,%s,\n" % ("x" * 140_000), "line 3: field larger than field limit"),
    ],
)
def test_a_bad_line_of_a_csv_is_counted(
    tmp_path: Path, bad: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "o.csv").write_text(f"{HEADER}1,1.jpg,,,\n{bad}3,3.jpg,,,\n")
    assert [row.id for row in observations(tmp_path / "o.csv").rows()] == ["1", "3"]
    assert message in caplog.text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("o.jsonl", b"\xff\n", r"o\.jsonl line 1: not valid UTF-8"),
        ("o.jsonl", '{"id": 1, "link": "1.jpg"}\n', r"o\.jsonl: no row has a column 'name'; see `columns`"),
        ("o.csv", "id,link,who\n", r"o\.csv: no column 'name'; it has 'id', 'link', 'who'"),
        ("o.csv", HEADER + '1,1.jpg,"Ada,,\n2,2.jpg,,,\n', r"o\.csv line 2: a quote is not closed in its line"),
        ("o.csv", HEADER.replace("\n", "\r") + "1,2.jpg,,,\r", r"o\.csv line 1: lines end in CR alone"),
        ("o.csv", HEADER.encode("utf-16"), r"o\.csv line 1: not valid UTF-8"),
        ("o.csv", "id,link,who,name,part,name\n", r"o\.csv: columns 4 and 6 are both called 'name'; expected one"),
        ("o.csv", HEADER.encode() + b"1,\xff,,,\n", r"o\.csv line 2: not valid UTF-8"),
        ("o.csv", "", r"o\.csv: no column 'id'"),
        ("o.jsonl.gz", "plain", r"o\.jsonl\.gz line 1 cannot be read"),
        ("o.parquet", "plain", r"o\.parquet cannot be read"),
        ("o.xlsx", "plain", r"a table of type '\.xlsx'; expected one of \.jsonl, \.csv, \.tsv, \.parquet"),
    ],
)
def test_a_broken_table_is_named_by_file_and_line(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CatalogueError, match=message) as caught:
        list(observations(tmp_path / name).rows())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ["jsonl.gz", "csv.gz"])
def test_a_gzip_that_is_damaged_anywhere_is_one_line(tmp_path: Path, ending: str) -> None:
    lines = "".join(f"{i},{i * 7919 % 10007}.jpg,,Aster,\n" for i in range(3000))
    if ending == "jsonl.gz":
        lines = "".join(GOOD.replace("1.jpg", f"{i * 7919 % 10007}.jpg") for i in range(3000))
    whole = gzip.compress(((HEADER if ending == "csv.gz" else "") + lines).encode())
    for at in range(0, len(whole), len(whole) // 40):
        damaged = bytearray(whole)
        damaged[at : at + 8] = b"\xff" * 8
        (tmp_path / f"o.{ending}").write_bytes(damaged)
        with pytest.raises(CatalogueError, match=rf"o\.{ending}") as caught:
            list(observations(tmp_path / f"o.{ending}").rows())
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("compression", ["snappy", "zstd", "gzip", "brotli", "lz4"])
def test_a_damaged_parquet_is_one_line(tmp_path: Path, compression: str) -> None:
    table = pa.table({"id": range(3000), "link": [f"{i}.jpg" for i in range(3000)], "who": ["a"] * 3000})
    table = table.append_column("name", table["link"]).append_column("part", pa.nulls(3000))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression=compression, use_dictionary=False, write_page_checksum=True)
    damaged = bytearray(sink.getvalue())
    for at in range(2000, 2100):
        damaged[at] ^= 0x5A
    (tmp_path / "o.parquet").write_bytes(damaged)
    with pytest.raises(CatalogueError, match=r"o\.parquet row \d+ cannot be read") as caught:
        list(observations(tmp_path / "o.parquet").rows())
    assert "\n" not in str(caught.value)


def test_a_missing_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"nothing\.jsonl is missing"):
        list(observations(tmp_path / "nothing.jsonl").rows())

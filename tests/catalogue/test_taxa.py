"""The ranks of several sources as one table that split reads."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from fieldguide.__main__ import main
from fieldguide.catalogue.taxa import Taxon, write_taxa
from fieldguide.catalogue.taxonomy_table import TaxonomyTable, read_taxa
from fieldguide.errors import CatalogueError
from tests.catalogue.test_inat_open_data import write

CAJA = (("genus", "Arctia"), ("family", "Erebidae"))


def told() -> Iterator[Taxon]:
    yield Taxon(name="Bellis perennis", lineage=(("genus", "Bellis"),), vernacular="daisy")
    yield Taxon(name="Arctia caja", lineage=(("genus", "Arctica"),))
    yield Taxon(name="Arctia caja", lineage=CAJA, synonyms=("Bombyx caja", "Bellis perennis"))
    yield Taxon(name="Arctia caja", lineage=CAJA, synonyms=("Bombyx caja", "B. vulgaris"))
    yield Taxon(name="Bellis sylvestris", lineage=(), synonyms=("B. vulgaris",))


def test_what_is_said_most_often_counts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "taxonomy.csv"
    with caplog.at_level(logging.WARNING):
        assert write_taxa(told(), path) == 3
    assert path.read_text() == (
        "species,genus,family,vernacular,synonyms\n"
        "Arctia caja,Arctia,Erebidae,,Bombyx caja\n"
        "Bellis perennis,Bellis,,daisy,\n"
        "Bellis sylvestris,,,,\n"
    )
    assert "left out 2 synonyms that mean several taxa, as B. vulgaris" in caplog.text
    assert "1 taxa have several lineages, as Arctia caja" in caplog.text
    table = TaxonomyTable(path=path, columns={}, vernacular=["vernacular"], synonyms="synonyms")
    taxa = read_taxa(table, ["species", "genus", "family"])
    assert taxa.lineages["Arctia caja"] == dict(CAJA)
    assert taxa.synonyms == {"Bombyx caja": "Arctia caja"}


def test_no_taxon_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no taxon to write"):
        write_taxa([], tmp_path / "t.csv")


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    source = {
        "kind": "inat_open_data",
        "path": str(write(tmp_path)),
        "base_url": "https://a.org",
        "size": "medium",
        "quality_grades": ["research"],
        "rank": "species",
        "fill": {"region": None, "licence": None, "rights_holder": None},
    }
    Path("params.yaml").write_text(yaml.safe_dump({"fetch": {"sources": {"moths": source}, "more": 1}}))
    main(["taxonomy", "taxonomy.csv"])
    assert capsys.readouterr().out == "taxonomy.csv: 1 taxa\n"
    assert Path("taxonomy.csv").read_text().splitlines()[1] == "Arctia caja,Arctia,Erebidae,,"
    listed = {"kind": "urls", "path": "list.txt", "fill": source["fill"]}
    Path("params.yaml").write_text(yaml.safe_dump({"fetch": {"sources": {"list": listed}}}))
    with pytest.raises(SystemExit):
        main(["taxonomy", "taxonomy.csv"])
    assert "no source holds ranks; got list (urls); expected inat2017" in capsys.readouterr().err

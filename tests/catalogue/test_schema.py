from fieldguide.catalogue.schema import CATALOGUE_SCHEMA, photo_id

DOCUMENTED = (
    "photo_id source source_row url observation_id observer label region latitude longitude date licence rights_holder "
    "given_split box "
    "status http_status error sha256 num_bytes offset shard"
)


def test_the_columns_are_those_of_the_documented_format() -> None:
    assert CATALOGUE_SCHEMA.names == DOCUMENTED.split()


def test_a_photo_id_depends_on_the_source_and_its_row_alone() -> None:
    assert photo_id("flora", "1") == "66fc75b505516ad9"
    assert len({photo_id("flora", "1"), photo_id("flora", "2"), photo_id("flor", "a1")}) == 3

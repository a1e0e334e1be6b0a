"""params.yaml sections: what is read, and the one line that a mistake gives."""

from pathlib import Path

import pytest
from pydantic import PositiveInt

from fieldguide.errors import ParamsError
from fieldguide.params import Section, load_section, read_params


class Optimiser(Section):
    rate: float


class Train(Section):
    epochs: PositiveInt
    optimiser: Optimiser


GOOD = "train: {epochs: 3, optimiser: {rate: 1e-3}}\nvariants: {one: {rate: 0.5}}\n"


@pytest.fixture
def write(tmp_path: Path):
    def write(content: str) -> Path:
        file = tmp_path / "params.yaml"
        file.write_text(content, encoding="utf-8")
        return file

    return write


def test_a_section_is_read_and_frozen(write):
    params = load_section(Train, "train", write(GOOD))
    # PyYAML reads 1e-3 as text.
    assert params == Train(epochs=3, optimiser=Optimiser(rate=0.001))
    with pytest.raises(ValueError, match="frozen"):
        params.epochs = 4


def test_a_dotted_path_leads_to_a_variant(write):
    assert load_section(Optimiser, "variants.one", write(GOOD)).rate == 0.5


@pytest.mark.parametrize(
    ("content", "section", "message"),
    [
        (
            "train: {epochs: 3, optimiser: {rate: 1}, epoch: 4}",
            "train",
            "key 'train.epoch' is unknown; expected one of epochs, optimiser",
        ),
        ("train: {epochs: 3, optimiser: {rate: 1, decay: 4}}", "train", "key 'train.optimiser.decay' is unknown"),
        ("train: {epochs: 3}", "train", "key 'train.optimiser' is missing"),
        (
            "train: {epochs: 0, optimiser: {rate: 1}}",
            "train",
            "key 'train.epochs': Input should be greater than 0; got 0",
        ),
        ("train: {epochs: many, optimiser: {rate: 1}}", "train", "key 'train.epochs': .*; got 'many'"),
        ("train: 3", "train", "got 3"),
        ("other: {}", "train", "no section 'train' at the top level; found other"),
        ("variants: {one: {}, two: {}}", "variants.three", "no section 'three' at variants; found one, two"),
        ("train: 3", "train.one", "no section 'one' at train; found a mapping"),
        ("- train", "train", "holds a list; expected one section per stage"),
        ("train: {epochs: 3", "train", "is not valid YAML"),
        ("train: !!python/object/apply:os.system [exit]", "train", "is not valid YAML"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(write, content: str, section: str, message: str):
    file = write(content)
    with pytest.raises(ParamsError, match=message) as caught:
        load_section(Train, section, file)
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_where_to_run(tmp_path: Path):
    with pytest.raises(ParamsError, match="is missing; run from the repository's root"):
        read_params(tmp_path / "params.yaml")

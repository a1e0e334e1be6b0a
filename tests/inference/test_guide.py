"""A model folder answers as its network does, in both runtimes, from whatever shows a photo."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fieldguide
from fieldguide.errors import ExportError, ParamsError, PhotoError
from fieldguide.evaluate.rules import Rule, Rules
from fieldguide.evaluate.tree import Verdict


def test_both_runtimes_give_the_same_answers(model: Path, photos: Path) -> None:
    asked = sorted(photos.rglob("*/*.jpg"))
    by_torch, by_onnx = (fieldguide.load(model, runtime).predict(asked) for runtime in ("torch", "onnx"))
    assert len(by_torch) == len(asked) == 6
    for one, other in zip(by_torch, by_onnx, strict=True):
        assert (one.verdict, one.taxon.name) == (other.verdict, other.taxon.name)
        assert one.taxon.probability == pytest.approx(other.taxon.probability, abs=1e-4)


def test_an_answer_never_contradicts_itself(model: Path, photos: Path) -> None:
    for answer in fieldguide.load(model).predict(sorted(photos.rglob("*/*.jpg")), top=99):
        assert list(answer.top) == ["species", "genus"]
        for taxa in answer.top.values():
            assert sum(taxon.probability for taxon in taxa) == pytest.approx(1, abs=1e-5)
            assert [taxon.probability for taxon in taxa] == sorted((t.probability for t in taxa), reverse=True)
        genera = {taxon.name: taxon.probability for taxon in answer.top["genus"]}
        for taxon in answer.top["species"]:
            if taxon.lineage:
                assert genera[taxon.lineage["genus"]] >= taxon.probability - 1e-6
        if answer.verdict is Verdict.TAXON:
            assert answer.taxon.probability >= 0.4


def test_a_photo_may_be_a_path_bytes_or_an_image(model: Path, photos: Path) -> None:
    guide, path = fieldguide.load(model), next(photos.rglob("*/*.jpg"))
    answers = guide.predict([path, str(path), path.read_bytes(), Image.open(path)])
    *files, drawn = (answer.taxon.probability for answer in answers)
    assert files == [files[0]] * 3
    # A file is decoded at a fraction of its size, an image is as it is.
    assert drawn == pytest.approx(files[0], abs=0.02)


def test_several_photos_have_one_answer_between_theirs(model: Path, photos: Path) -> None:
    asked = sorted(photos.rglob("*/*.jpg"))[:3]
    guide = fieldguide.load(model)
    alone = guide.predict_together(asked[:1])
    assert alone == guide.predict(asked[:1])[0]
    together = guide.predict_together(asked, top=99)
    assert sum(taxon.probability for taxon in together.top["species"]) == pytest.approx(1, abs=1e-5)
    assert guide.predict_together(reversed(asked), top=99).taxon.name == together.taxon.name
    with pytest.raises(ParamsError, match="no photos; expected one or more of the same subject"):
        guide.predict_together([])


@pytest.mark.parametrize(("margin", "verdict"), [(-0.01, Verdict.TAXON), (0.01, Verdict.STRANGE)])
def test_several_photos_are_as_strange_as_in_the_mean(
    model: Path, photos: Path, margin: float, verdict: Verdict
) -> None:
    asked = sorted(photos.rglob("*/*.jpg"))[:3]
    guide = fieldguide.load(model)
    assert guide.familiar
    logits = [guide.runtime.predict(guide._to_inputs([guide.to_square(photo)]))[0] for photo in asked]
    mean = float(guide.familiar.measure(guide.embed(asked), np.array(logits)).mean())
    rule = Rule(thresholds={"species": 0.0, "genus": 0.0}, min_familiarity=mean + margin)
    strict = guide.calibration.model_copy(update={"rules": Rules(fallback=rule)})
    assert replace(guide, calibration=strict).predict_together(asked).verdict is verdict


def test_embeddings_are_what_the_classifier_sees(model: Path, photos: Path) -> None:
    asked = sorted(photos.rglob("*/*.jpg"))
    guide = fieldguide.load(model)
    embedded = guide.embed(asked)
    assert embedded.shape[0] == 6
    assert embedded.dtype == np.float32
    assert guide.embed([]).shape == (0, 0)
    np.testing.assert_allclose(fieldguide.load(model, "onnx").embed(asked), embedded, atol=1e-4)


def test_it_runs_without_the_weights_of_the_other_runtime(model: Path, photos: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "copy")
    (copy / "model.safetensors").unlink()
    (copy / "digests.json").unlink(missing_ok=True)
    assert fieldguide.load(copy).predict(list(photos.rglob("*/*.jpg")))
    (copy / "student.onnx").write_bytes(b"no graph")
    with pytest.raises(ExportError, match=r"student\.onnx is damaged"):
        fieldguide.load(copy)
    (copy / "labels.json").write_text("{}")
    with pytest.raises(ExportError, match=r"labels\.json: ranks: Field required"):
        fieldguide.load(copy)


def test_what_is_wrong_is_said(model: Path, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"runtime 'tpu'; expected one of torch, onnx"):
        fieldguide.load(model, "tpu")
    with pytest.raises(ExportError, match=r"labels\.json is missing; expected a folder that export-tfjs wrote"):
        fieldguide.load(tmp_path)
    with pytest.raises(PhotoError, match=r"not_an_image"):
        fieldguide.load(model).predict([photos / "page.jpg"])


def test_a_guide_of_a_region_names_what_was_seen_there_and_promises_nothing(model: Path, photos: Path) -> None:
    asked = sorted(photos.rglob("*/*.jpg"))
    guide = fieldguide.load(model)
    assert guide.within() == guide
    assert {answer.max_error for answer in guide.predict(asked)} == {0.1}
    for answer in guide.within("north").predict(asked, top=99):
        assert (answer.max_error, answer.num_likely) == (None, None)
        assert sum(taxon.probability for taxon in answer.top["species"]) == pytest.approx(1, abs=1e-5)
        possible = {taxon.name for taxon in answer.top["species"] if taxon.probability}
        assert possible <= {"other", "Aster alpinus", "Linum album"}
        assert answer.taxon.name in {*possible, "Aster", "Linum"}
    with pytest.raises(ParamsError, match="region 'moon' has no training photos"):
        guide.within("moon")


def test_several_photos_and_a_known_place_have_thresholds_of_their_own(model: Path, photos: Path) -> None:
    asked = sorted(photos.rglob("*/*.jpg"))[:2]
    guide = fieldguide.load(model)
    placed, together = guide.predict(asked, place=(48.5, 16.5))[0], guide.predict_together(asked)
    assert placed.max_error == 0.1
    assert placed.num_likely is not None
    assert (together.max_error, together.num_likely) == (None, None)
    assert guide.predict(asked)[0].num_likely is not None


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_a_runtime_is_verified_by_the_known_answer(model: Path, runtime: str, tmp_path: Path) -> None:
    fieldguide.load(model, runtime, verify=True)
    copy = shutil.copytree(model, tmp_path / "copy")
    answers = json.loads((copy / "answers.json").read_text())
    answers["logits"][0] += 0.1
    (copy / "answers.json").write_text(json.dumps(answers))
    with pytest.raises(ExportError, match=rf"{runtime} is off by 0\.1 on the test square, 0\.0\d+ is allowed"):
        fieldguide.load(copy, runtime, verify=True)
    (copy / "answers.json").unlink()
    with pytest.raises(ExportError, match=r"answers\.json is missing"):
        fieldguide.load(copy, runtime, verify=True)

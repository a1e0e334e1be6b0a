"""What is read back is what the teacher said, as far as it was kept."""

import numpy as np
import pytest
import torch

from fieldguide.errors import TrainingError
from fieldguide.learn.answer_forms import AnswerForm, Prelogits, TopK, choose_form
from fieldguide.learn.network import Network, split_logits
from fieldguide.learn.student_params import CachedAnswersParams
from tests.learn.making import make_network

IMAGES = torch.randn(6, 3, 32, 32, generator=torch.Generator().manual_seed(0))
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def teacher() -> Network:
    network = make_network(seed=9)
    network.module.eval()
    # An untrained classifier is sure of nothing.
    with torch.no_grad():
        network.module.get_submodule("classifier").weight.mul_(30)  # type: ignore[operator, union-attr]
    return network


def said(teacher: Network) -> dict[str, torch.Tensor]:
    with torch.inference_mode():
        return split_logits(teacher.module(IMAGES), teacher.spec)


def keep(form: AnswerForm, teacher: Network) -> np.ndarray:
    with torch.inference_mode():
        return form.pack(form.forward(teacher.module, IMAGES).float().numpy())


@pytest.mark.parametrize(("kind", "form"), [("prelogits", Prelogits), ("topk", TopK)])
def test_forms_by_name_are_as_large_as_they_say(teacher: Network, kind: str, form: type):
    chosen = choose_form(CachedAnswersParams.model_validate({"kind": kind, "k": 2}), teacher)
    assert isinstance(chosen, form)
    rows = keep(chosen, teacher)
    assert rows.nbytes == len(IMAGES) * chosen.row_bytes


def test_prelogits_give_logits_and_features(teacher: Network):
    form = choose_form(CachedAnswersParams(kind="prelogits", k=1), teacher)
    answer = form.unpack(keep(form, teacher), CPU)
    for rank, logits in said(teacher).items():
        torch.testing.assert_close(answer.logits[rank], logits, atol=0.05, rtol=1e-3)
    assert answer.features is not None
    assert answer.features.shape == (6, 1280)


def test_the_largest_logits_keep_their_probabilities_and_the_others_share_the_rest(teacher: Network):
    form = TopK(teacher.spec, 2)
    answer = form.unpack(keep(form, teacher), CPU)
    assert answer.features is None
    for rank, logits in said(teacher).items():
        found, expected = torch.softmax(answer.logits[rank], 1), torch.softmax(logits, 1)
        largest = expected.topk(2, dim=1).indices
        torch.testing.assert_close(found.gather(1, largest), expected.gather(1, largest), atol=1e-3, rtol=0)
        others = found.scatter(1, largest, torch.nan)
        rest = 1 - expected.gather(1, largest).sum(1)
        num = logits.shape[1] - 2
        torch.testing.assert_close(others.nan_to_num().sum(1), rest, atol=1e-3, rtol=0)
        torch.testing.assert_close(others.nan_to_num().amax(1), rest / num, atol=1e-3, rtol=0)


def test_more_than_there_are_is_all_of_them(teacher: Network):
    form = TopK(teacher.spec, 1000)
    answer = form.unpack(keep(form, teacher), CPU)
    for rank, logits in said(teacher).items():
        torch.testing.assert_close(torch.softmax(answer.logits[rank], 1), torch.softmax(logits, 1), atol=1e-3, rtol=0)


def test_features_beyond_float16_are_refused(teacher: Network):
    form = choose_form(CachedAnswersParams(kind="prelogits", k=1), teacher)
    with pytest.raises(TrainingError, match=r"features up to 70000, .* expected at most 65504"):
        form.pack(np.full((2, 1280), 7e4, np.float32))

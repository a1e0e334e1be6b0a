"""What tells one pipeline run from another."""

from fieldguide.track.pipeline_run import PipelineRun


def test_the_key_tells_pipeline_runs_apart():
    run = PipelineRun("repro", "a" * 40, "x: 1")
    others = [
        PipelineRun("warm-fern", "a" * 40, "x: 1"),
        PipelineRun("repro", "b" * 40, "x: 1"),
        PipelineRun("repro", "a" * 40, "x: 2"),
    ]
    assert run.key == PipelineRun("repro", "a" * 40, "x: 1").key
    assert len({run.key, *(other.key for other in others)}) == 4
    assert run.title == "repro aaaaaaa"
    assert others[0].title == "warm-fern"


def test_no_name_gets_into_a_query():
    assert PipelineRun("it's", "a" * 40, "x: 'y'").key.isalnum()

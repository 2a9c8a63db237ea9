"""Every assessment has its paragraph, with its own numbers."""

from __future__ import annotations

import pytest

from explorer.adapters.assessors import build_assessor
from explorer.lens.explain import explain
from tests.lens.simulated import asynchronous_run, look

STOP = {"acts": True, "completed": 3, "best_completed": 0.9, "line": 0.855, "prediction": 0.612345}


def test_a_stop_names_prediction_line_and_best() -> None:
    told = explain(look(1, 6, decision="bad", **STOP))
    assert told == (
        "After 6 results (the last is 0.5) 1 of 1 curves agreed, and together they predict 0.6123 at epoch 8. That is "
        "not above the line at 0.855, 0.95 times the best of the 3 completed trials (0.9), so the trial was stopped."
    )


def test_what_goes_on_is_told_with_its_reason() -> None:
    assert "That is above the line" in explain(look(1, 6, decision="good", **(STOP | {"prediction": 0.88})))
    assert "the one completed trial" in explain(look(1, 6, decision="good", **(STOP | {"completed": 1})))
    assert "start_step" in explain(look(1, 6, **(STOP | {"acts": False})))
    assert "no trial had completed yet" in explain(look(1, 6, prediction=0.5))
    assert "too few to fit" in explain(look(1, 2, models={}))
    dropped = {
        "linear": {"parameters": [1.0, 0.0], "prediction": 9.0, "dropped": "too far from the results so far"}
    }
    assert "only 0 of 1 curves agreed" in explain(look(1, 6, acts=True, models=dropped))


def test_a_problem_is_part_of_the_explanation() -> None:
    assert explain(look(1, 6, decision="good", **STOP, problem="Beware.")).endswith("Beware.")
    assert explain(look(1, 2, history=[0.5, None], problem="Not a number.")) == "Not a number."
    assert explain({"decision": "wait", "history": []}).startswith("Nothing was reported")
    cut = look(1, 300, decision="bad", **STOP) | {"history": [0.5] * 200, "history_from": 101}
    assert explain(cut).startswith("After 300 results (the last is 0.5)")
    assert "is missing or not finite" in explain({**cut, "gap_at": 7})
    assert explain({"decision": "good", "history": [1.0]}) == "The assessor said good and gave no numbers."


def test_medianstop_names_best_and_median() -> None:
    assessor = build_assessor("Medianstop", {}, optimize_mode="maximize", epochs=5)
    assert assessor is not None
    assert "no completed trial has a value" in explain(assessor.assess(0, [0.8]).data)
    assessor.end(0, True)
    told = explain(assessor.assess(1, [0.4]).data)
    assert "0.4. That is worse than the median 0.8 of the running averages of 1 completed trial" in told
    assert told.endswith("so the trial was stopped.")
    assert "no worse than" in explain(assessor.assess(2, [0.9]).data)


@pytest.mark.parametrize("assessor", ["Curvefitting", "Medianstop"])
def test_every_assessment_of_a_run_has_a_paragraph(assessor: str) -> None:
    story, _ = asynchronous_run(assessor, 2, start_step=4)
    for data in story.state.assessments:
        told = explain(data)
        assert told.endswith((".", "!"))
        assert "None" not in told and "nan" not in told
        assert ("was stopped" in told) == (data["decision"] == "bad")

"""What is known of a search's trials: descent, order, length; compared with trees drawn by hand."""

from __future__ import annotations

from dataclasses import replace

from tests.plots.nas.runs import EVOLUTION, HALVING, One, run_of, spec_of, told


def test_generations_count_the_longest_way_back_to_a_trial_without_parents() -> None:
    run, _ = run_of(told(spec_of(), *EVOLUTION))
    assert [trial.generation for trial in run.trials] == [0, 0, 0, 1, 1, 2]
    crossed = (*EVOLUTION, One("222223", 0.6, (0, 5), 1))
    assert run_of(told(spec_of(), *crossed))[0].trials[-1].generation == 3


def test_without_parents_the_strategys_own_count_is_the_generation() -> None:
    trials = [One("000000", 0.5, phase=0), One("111111", 0.6, phase=1), One("222222", 0.7, phase=2)]
    run, _ = run_of(told(spec_of("reinforce"), *trials))
    assert [trial.generation for trial in run.trials] == [0, 1, 2]
    assert run.counts == "results learned from" and not run.has_parents


def test_the_line_of_the_best_leads_back_over_first_parents() -> None:
    run, _ = run_of(told(spec_of(), *EVOLUTION))
    assert run.best == 4
    assert run.lineage(5) == (5, 4, 1)
    assert run.lineage(None) == ()


def test_a_strangers_circle_of_parents_ends() -> None:
    state = told(spec_of(), *EVOLUTION)
    circle = {0: replace(state.trials[0], parents=(5, 0))}
    run, _ = run_of(replace(state, trials={**state.trials, **circle}))
    assert run.trials[0].parents == () and run.lineage(5) == (5, 4, 1)


def test_results_are_ordered_as_they_came_in_and_failures_are_none() -> None:
    state = told(spec_of(), One("000000", 0.5), One("111111", None), One("222222", 0.6))
    assert run_of(state)[0].order == (0, 2)
    late = replace(state, turns=((0, False), (2, False), (2, True), (0, True)))
    assert run_of(late)[0].order == (2, 0)


def test_a_training_that_goes_on_is_told_from_a_child_and_costs_its_own_epochs_only() -> None:
    run, _ = run_of(told(spec_of("successive_halving"), *HALVING))
    assert [trial.whole for trial in run.trials] == [False, False, False, True]
    assert [trial.goes_on for trial in run.trials] == [False, False, False, True]
    assert run.counts == "rung" and run.trained_epochs == 3 * 1 + 3
    assert "3 of them (hollow)" in run.basis and "1.5 whole trainings" in run.basis
    assert not any(trial.goes_on for trial in run_of(told(spec_of(), *EVOLUTION))[0].trials)


def test_retrainings_are_no_trials_of_the_search() -> None:
    state = told(spec_of(), *EVOLUTION)
    again = replace(state.trials[4], trial_id=8, repeat_of=4, value=0.99)
    run, _ = run_of(replace(state, trials={**state.trials, 8: again}))
    assert len(run.trials) == len(EVOLUTION) and run.best == 4

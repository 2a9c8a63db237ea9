"""Strategies of classical NAS: each proposes architectures and learns from their values.

A strategy's facts: `distinct` (no architecture is begun twice, and the search ends with the space; "redraw" where a
setting decides), `partial` (trains some for fewer epochs), `phase` and `generation` (what a proposal's two counters
count), `replay` ("lanes" where all repeats of a replay on a table step at once, "asked" where they go one by one,
"none" where a table cannot answer), `warm` (it begins with random draws, which a warm start replaces; a parameter's
name where these are no more than that), and `engine` (own: asked and told as in `explorer.strategies.contract`; nni:
NNI's code; proxy: a ranking).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.catalogue.entries import Entry, Parameter, Registry, facts


def _facts(
    *,
    distinct: bool | str = True,
    partial: bool = False,
    phase: str = "",
    generation: str = "",
    fast: bool = True,
    warm: bool | str = True,
    engine: str = "own",
) -> Mapping[str, Any]:
    return facts(
        distinct=distinct,
        partial=partial,
        phase=phase,
        generation=generation,
        replay="none" if engine == "proxy" else "lanes" if fast else "asked",
        warm=warm if engine == "own" else False,
        engine=engine,
    )


_MAX_EPOCHS = Parameter(
    "max_epochs", "int", None, "Epochs of a whole training; left out: the run's or the table's.", 1, 9999
)
_MIN_EPOCHS = Parameter("min_epochs", "int", 1, "The shortest training that is worth looking at.", 1, 9999)
_ETA = Parameter("eta", "int", 3, "One in so many goes on to the next rung.", 2, 100)

PROXIES = ("parameters", "grad_norm", "synflow", "naswot")
_SCORES = "What scores: how many weights, the gradient's length, the flow of synapses, or how images are told apart."
_POOL = (
    Parameter("pool", "int", 200, "Architectures drawn and scored.", 1, 100_000),
    Parameter("images", "int", 64, "Training images of the one batch.", 2, 1024),
    Parameter("seeds", "int", 3, "Fresh weights that a score is the mean over.", 1, 20),
)
WARM_START = Entry(
    "warm_start",
    "Warm start",
    "Begins with the best of a pool that a zero-cost proxy scored, where a strategy would draw at random.",
    "explorer.nas.proxy_search:warm_start",
    (
        Parameter("proxy", "choice", None, f"{_SCORES} Left out: no warm start.", choices=PROXIES),
        Parameter("count", "int", 10, "How many of the pool's best are proposed first.", 1, 200),
        *_POOL,
    ),
    "Abdelfattah, Mehrotra, Dudziak & Lane 2021, Zero-cost proxies (warmup), arXiv:2101.08134",
)

STRATEGIES = Registry(
    "strategy",
    Entry(
        "random",
        "Random",
        "Distinct architectures drawn uniformly; the baseline that every search must beat.",
        "explorer.strategies.plain:RandomSearch",
        paper="Li & Talwalkar 2019, Random search and reproducibility for NAS, arXiv:1902.07638",
        facts=_facts(),
    ),
    Entry(
        "grid",
        "Grid search",
        "Every architecture in the order of the space; for spaces small enough to try them all.",
        "explorer.strategies.plain:GridSearch",
        facts=_facts(fast=False, warm=False),
    ),
    Entry(
        "local_search",
        "Local search",
        "Evaluates all neighbours, moves to the best, and begins elsewhere where none is better.",
        "explorer.strategies.local_search:LocalSearch",
        (
            Parameter(
                "improvement",
                "choice",
                "best",
                "Move to the best of all neighbours, or to the first that is better.",
                choices=("best", "first"),
            ),
        ),
        "White, Nolen & Savani 2021, Exploring the loss landscape in NAS, arXiv:2005.02960",
        _facts(phase="climb", generation="move"),
    ),
    Entry(
        "aging_evolution",
        "Aging evolution",
        "The best of a sample has a child with one change; the oldest of the population dies.",
        "explorer.strategies.evolution:AgingEvolution",
        (
            Parameter(
                "population_size",
                "int",
                30,
                "Architectures alive at once; the paper has 100 for 20,000 trainings.",
                1,
                10_000,
            ),
            Parameter(
                "sample_size", "int", 10, "How many are compared for a parent; the paper has 25.", 1, 10_000
            ),
            Parameter(
                "duplicates",
                "choice",
                "allow",
                "A child that was trained before: train it again, as published (allow), or mutate until it is new "
                "(redraw).",
                choices=("allow", "redraw"),
            ),
        ),
        "Real, Aggarwal, Huang & Le 2019, Regularized evolution, arXiv:1802.01548",
        _facts(
            distinct="redraw",
            phase="after the first population",
            generation="descent",
            warm="population_size",
        ),
    ),
    Entry(
        "reinforce",
        "REINFORCE",
        "A policy with one softmax a decision; choices that did better than usual become likelier.",
        "explorer.strategies.reinforce:Reinforce",
        (
            Parameter(
                "learning_rate",
                "float",
                1.0,
                "Step along the policy gradient, for accuracies from 0 to 1.",
                1e-6,
                1e6,
            ),
            Parameter(
                "baseline_decay", "float", 0.9, "How much of the old baseline each result keeps.", 0.0, 0.9999
            ),
        ),
        "Williams 1992, Simple statistical gradient-following algorithms, Machine Learning 8",
        _facts(distinct=False, generation="results learned from", fast=False, warm=False),
    ),
    Entry(
        "reinforce_controller",
        "REINFORCE, ENAS controller",
        "An LSTM draws one choice after the other, knowing those before; what did better than usual becomes likelier.",
        "explorer.nas.controller_search:ControllerSearch",
        (
            Parameter("learning_rate", "float", 3.5e-3, "Step size of Adam, whose beta1 is 0.", 1e-6, 1.0),
            Parameter(
                "entropy_weight",
                "float",
                1e-4,
                "What a nat of the policy's entropy adds to a reward.",
                0.0,
                10.0,
            ),
            Parameter(
                "baseline_decay",
                "float",
                0.95,
                "How much of the old baseline each result keeps.",
                0.0,
                0.9999,
            ),
            Parameter("controller_units", "int", 64, "Units of the LSTM.", 1, 1024),
            Parameter("temperature", "float", 5.0, "Logits are divided by it.", 1e-3, 100.0),
            Parameter(
                "tanh_constant",
                "float",
                2.5,
                "Logits are then squashed to +- this; it caps any probability.",
                0.1,
                100.0,
            ),
        ),
        "Pham, Guan, Zoph, Le & Dean 2018, ENAS, arXiv:1802.03268; Zoph & Le 2017, arXiv:1611.01578",
        _facts(distinct=False, generation="results learned from", fast=False, warm=False),
    ),
    Entry(
        "successive_halving",
        "Successive halving",
        "Many short trainings; the best third goes on for three times as long, and so on.",
        "explorer.strategies.halving:SuccessiveHalving",
        (
            Parameter("architectures", "int", 27, "New architectures in each round.", 1, 100_000),
            _MIN_EPOCHS,
            _MAX_EPOCHS,
            _ETA,
        ),
        "Jamieson & Talwalkar 2016, Non-stochastic best arm identification, AISTATS, arXiv:1502.07943",
        _facts(partial=True, phase="round", generation="rung"),
    ),
    Entry(
        "hyperband",
        "Hyperband",
        "Successive halving in several brackets, from many hurried trainings to few whole ones.",
        "explorer.strategies.halving:Hyperband",
        (_MIN_EPOCHS, _MAX_EPOCHS, _ETA),
        "Li, Jamieson, DeSalvo, Rostamizadeh & Talwalkar 2018, Hyperband, JMLR 18",
        _facts(partial=True, phase="bracket", generation="rung"),
    ),
    Entry(
        "predictor",
        "Predictor search",
        "An ensemble learns from the results; the most promising changes of the best are tried next.",
        "explorer.strategies.predictor:PredictorSearch",
        (
            Parameter(
                "regressor",
                "choice",
                "gaussian_process",
                "What learns: scikit-learn's Gaussian process or random forest, or our ridge regressions.",
                choices=("gaussian_process", "forest", "ridge"),
            ),
            Parameter("initial", "int", 10, "Random architectures before the ensemble begins.", 1, 10_000),
            Parameter(
                "batch", "int", 10, "Architectures tried between two trainings of the ensemble.", 1, 1000
            ),
            Parameter("parents", "int", 10, "The best so far that candidates are changes of.", 1, 1000),
            Parameter("candidates", "int", 100, "Candidates compared for each batch.", 1, 10_000),
            Parameter(
                "acquisition",
                "choice",
                "thompson",
                "What is maximised: a draw from each prediction (thompson), or mean plus kappa deviations (ucb).",
                choices=("thompson", "ucb"),
            ),
            Parameter("kappa", "float", 1.0, "Weight of the deviation for ucb.", 0.0, 100.0),
        ),
        "White, Neiswanger & Savani 2021, BANANAS, arXiv:1910.11858",
        _facts(
            phase="after the random ones", generation="training of the ensemble", fast=False, warm="initial"
        ),
    ),
    Entry(
        "proxy",
        "Zero-cost proxy",
        "Scores untrained architectures by one batch of images, then trains the most promising.",
        "explorer.nas.proxy_search:Ranked",
        (
            Parameter(
                "proxy",
                "choice",
                "synflow",
                _SCORES,
                choices=PROXIES,
            ),
            *_POOL,
        ),
        "Abdelfattah, Mehrotra, Dudziak & Lane 2021, Zero-cost proxies, arXiv:2101.08134",
        _facts(fast=False, engine="proxy"),
    ),
    Entry(
        "nni-random",
        "NNI: Random",
        "NNI's own random search, without repetition.",
        "explorer.adapters.strategies:NniStrategy",
        paper="nni.nas.strategy.Random, NNI 3.0",
        facts=_facts(fast=False, engine="nni"),
    ),
    Entry(
        "nni-grid",
        "NNI: GridSearch",
        "NNI's own enumeration; shuffled among every hundred.",
        "explorer.adapters.strategies:NniStrategy",
        (Parameter("shuffle", "bool", True, "Draw from every hundred in a random order."),),
        "nni.nas.strategy.GridSearch, NNI 3.0",
        _facts(fast=False, engine="nni"),
    ),
    Entry(
        "nni-evolution",
        "NNI: RegularizedEvolution",
        "NNI's own aging evolution: every choice mutates with a probability, and nothing is tried twice.",
        "explorer.adapters.strategies:NniStrategy",
        (
            Parameter(
                "population_size", "int", 30, "Architectures alive at once; NNI's default is 100.", 1, 10_000
            ),
            Parameter(
                "sample_size",
                "int",
                10,
                "How many are compared for a parent; NNI's default is 25.",
                1,
                10_000,
            ),
            Parameter(
                "mutation_prob",
                "float",
                0.2,
                "Chance of each choice to be drawn anew; NNI's is 0.05.",
                0.0,
                1.0,
            ),
            Parameter("crossover", "bool", False, "A child of two parents instead of one."),
        ),
        "nni.nas.strategy.RegularizedEvolution, NNI 3.0, after Real et al. 2019, arXiv:1802.01548",
        _facts(fast=False, engine="nni"),
    ),
    Entry(
        "nni-tpe",
        "NNI: TPE",
        "NNI's tree-structured Parzen estimator over the choices.",
        "explorer.adapters.strategies:NniStrategy",
        paper="nni.nas.strategy.TPE, NNI 3.0, after Bergstra et al. 2011, Algorithms for hyper-parameter optimization",
        facts=_facts(fast=False, engine="nni"),
    ),
)
OWN_STRATEGIES = tuple(name for name, entry in STRATEGIES.items() if entry.facts["engine"] == "own")

"""What hyper-parameter optimisation can be made of: objectives, tuners, assessors.

A tuner's facts say which types of NNI's search space it takes, whether it can be used here, and if not, why not; so a
space that a tuner cannot take is refused before the run, with the tuners that can.
"""

from __future__ import annotations

from explorer.catalogue.entries import Entry, Parameter, Registry, facts

ALL_TYPES = (
    *("choice", "randint", "uniform", "quniform", "loguniform", "qloguniform"),
    *("normal", "qnormal", "lognormal", "qlognormal"),
)

OBJECTIVES = Registry(
    "objective",
    Entry(
        "train",
        "Train a network",
        "Train an architecture of the search space; its choices are tuned along unless one is pinned.",
        "explorer.tuning.objectives:train_network",
        facts=facts(optimize_mode="maximize", trains=True, intermediate=True, optimum=None, unit="accuracy"),
    ),
    Entry(
        "mlp",
        "Train a multilayer perceptron",
        "Train a small multilayer perceptron on the pixels; its width, depth and activation can be tuned too.",
        "explorer.tuning.objectives:train_mlp",
        facts=facts(optimize_mode="maximize", trains=True, intermediate=True, optimum=None, unit="accuracy"),
    ),
    Entry(
        "branin",
        "Branin function",
        "Two numbers, three equal minima of 0.397887: the classic first test of a tuner; instant.",
        "explorer.tuning.objectives:branin",
        paper="Branin 1972, Widely convergent method for finding multiple solutions, IBM J. Res. Dev. 16",
        facts=facts(
            optimize_mode="minimize", trains=False, intermediate=False, optimum=0.397887, unit="value"
        ),
    ),
    Entry(
        "hartmann6",
        "Hartmann function in 6 dimensions",
        "Six numbers, six local minima, the best -3.32237; instant.",
        "explorer.tuning.objectives:hartmann6",
        paper="Dixon & Szego 1978, The global optimization problem: an introduction",
        facts=facts(
            optimize_mode="minimize", trains=False, intermediate=False, optimum=-3.32237, unit="value"
        ),
    ),
    Entry(
        "curves",
        "Simulated learning curves",
        "Saturating curves with noise, some of them slow starters: shows what an assessor does without training.",
        "explorer.tuning.objectives:curves",
        paper="Domhan, Springenberg & Hutter 2015, IJCAI: curves of the pow3 family",
        facts=facts(optimize_mode="maximize", trains=False, intermediate=True, optimum=None, unit="accuracy"),
    ),
)

MLP = Entry(
    "mlp",
    "Multilayer perceptron",
    "Fully connected layers over the pixels of an image.",
    "explorer.tuning.mlp:perceptron",
    (
        Parameter("hidden_units", "int", 64, "Units of each hidden layer.", 1, 4096),
        Parameter("hidden_layers", "int", 1, "How many hidden layers.", 0, 8),
        Parameter("dropout", "float", 0.0, "Share of units dropped while training.", 0.0, 0.95),
        Parameter(
            "activation", "choice", "relu", "What follows each hidden layer.", choices=("relu", "tanh")
        ),
    ),
)

_MODE = Parameter(
    "optimize_mode",
    "choice",
    None,
    "Left out: the objective's own direction. NNI's TPE minimises unless told otherwise.",
    choices=("maximize", "minimize"),
)
_STOPPED = Parameter(
    "early_stopped",
    "choice",
    "last",
    "What the tuner learns of an early stopped trial: its last value, or, as in NNI, nothing (ignore).",
    choices=("last", "ignore"),
)
_DUPLICATES = Parameter(
    "duplicates",
    "choice",
    "redraw",
    "A suggestion made before: draw again (redraw), the next grid point as in NNI (grid), or let it stand (allow).",
    choices=("redraw", "grid", "allow"),
)
_BERGSTRA = "Bergstra, Bardenet, Bengio & Kegl 2011, Algorithms for hyper-parameter optimization, NeurIPS"
_GP_TYPES = ("choice", "randint", "uniform", "quniform", "loguniform", "qloguniform")


def _tuner(
    name: str,
    label: str,
    summary: str,
    parameters: tuple[Parameter, ...] = (),
    paper: str = "",
    *,
    types: tuple[str, ...] = ALL_TYPES,
    nested: bool = True,
    numeric_choices_only: bool = False,
    seconds: float = 0.001,
    advisor: bool = False,
    reason: str = "",
    available: bool = True,
) -> Entry:
    """An entry of TUNERS: `reason` is the fix that makes it run here, or why it cannot."""
    return Entry(
        name,
        label,
        summary,
        "explorer.adapters.tuners:build_tuner",
        (*parameters, *((_STOPPED,) if not advisor else ()), _MODE) if available else (),
        paper,
        facts(
            types=types,
            nested=nested,
            numeric_choices_only=numeric_choices_only,
            seconds=seconds,
            advisor=advisor,
            available=available,
            reason=reason,
        ),
    )


def _unavailable(name: str, label: str, summary: str, reason: str) -> Entry:
    return _tuner(name, label, summary, types=(), nested=False, available=False, reason=reason)


TUNERS = Registry(
    "tuner",
    _tuner(
        "TPE",
        "TPE",
        "Models where good and bad results lie, and suggests where good ones are likelier; takes every type.",
        (
            Parameter("n_startup_jobs", "int", 20, "Random suggestions before the model begins.", 1, 10_000),
            Parameter("n_ei_candidates", "int", 24, "Candidates compared for each suggestion.", 1, 10_000),
            Parameter(
                "linear_forgetting", "int", 25, "Results after which older ones weigh less.", 1, 10_000
            ),
            Parameter("prior_weight", "float", 1.0, "How much the search space itself weighs.", 0.0, 100.0),
            Parameter("gamma", "float", 0.25, "Share of results that count as good.", 0.01, 1.0),
            Parameter(
                "constant_liar_type",
                "choice",
                "best",
                "What running trials are taken to yield.",
                choices=("best", "worst", "mean"),
            ),
            _DUPLICATES,
        ),
        _BERGSTRA,
    ),
    _tuner(
        "Random",
        "Random",
        "Independent draws; the baseline that every tuner must beat.",
        (_DUPLICATES,),
        "Bergstra & Bengio 2012, Random search for hyper-parameter optimization, JMLR 13",
        seconds=0.0001,
    ),
)

ASSESSORS = Registry(
    "assessor",
    Entry(
        "none", "None", "Every trial runs to its last epoch.", "explorer.adapters.assessors:build_assessor"
    ),
    Entry(
        "Medianstop",
        "Median stopping",
        "Stops a trial whose best value so far is worse than the median of the others' running averages at that step.",
        "explorer.adapters.assessors:build_assessor",
        (Parameter("start_step", "int", 0, "Intermediate results before it may stop a trial.", 0, 9999),),
        "Golovin et al. 2017, Google Vizier, KDD, section 3.2.2",
    ),
    Entry(
        "Curvefitting",
        "Curve fitting",
        "Extrapolates a trial's curve and stops it when it will not come near the best finished trial.",
        "explorer.adapters.assessors:build_assessor",
        (
            Parameter(
                "epoch_num", "int", None, "The epoch that is predicted; left out: the last one.", 1, 9999
            ),
            Parameter("start_step", "int", 6, "Intermediate results before it may stop a trial.", 1, 9999),
            Parameter(
                "threshold",
                "float",
                0.95,
                "Stop when the prediction is at most this share of the best finished value.",
                0.0,
                9999.0,
            ),
            Parameter("gap", "int", 1, "Intermediate results between two looks.", 1, 9999),
        ),
        "Domhan, Springenberg & Hutter 2015, Speeding up automatic hyperparameter optimization of deep neural networks "
        "by extrapolation of learning curves, IJCAI",
    ),
)

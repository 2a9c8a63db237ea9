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
    listed: bool = False,
    nesting: int = 99,
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
            listed=listed,
            nesting=nesting
            if nested
            else 0,  # NNI's common formatting fails on choices inside choices not taken
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
            Parameter("n_startup_jobs", "int", 20, "Random suggestions before the model begins.", 3, 10_000),
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
        nesting=1,
    ),
    _tuner(
        "Random",
        "Random",
        "Independent draws; the baseline that every tuner must beat.",
        (_DUPLICATES,),
        "Bergstra & Bengio 2012, Random search for hyper-parameter optimization, JMLR 13",
        seconds=0.0001,
        nesting=1,
    ),
    _tuner(
        "GridSearch",
        "Grid search",
        "Every combination in order; ranges are gridded ever finer. For small spaces of listed values.",
        nesting=1,
    ),
    _tuner(
        "Batch",
        "Batch",
        "Runs a list of combinations, one after the other: a single choice called combine_params.",
        types=("choice",),
        nested=False,
        listed=True,
    ),
    _tuner(
        "Evolution",
        "Evolution",
        "Keeps a population, and changes one parameter of the better of two.",
        (
            Parameter(
                "population_size",
                "int",
                32,
                "Trials in a generation; at least as many as run at once.",
                1,
                10_000,
            ),
        ),
        "Real et al. 2017, Large-scale evolution of image classifiers, ICML",
    ),
    _tuner(
        "PBT",
        "Population based training",
        "Trains a population in turns; the worst take over weights and changed settings from the best.",
        (
            Parameter(
                "population_size",
                "int",
                10,
                "Trials in a generation; at least as many as run at once.",
                1,
                1000,
            ),
            Parameter("factor", "float", 0.2, "How far a number moves when it is changed.", 0.0, 0.99),
            Parameter("resample_probability", "float", 0.25, "Chance to draw a value afresh.", 0.0, 1.0),
            Parameter(
                "fraction", "float", 0.2, "Share that is replaced, and share that replaces it.", 0.01, 0.5
            ),
        ),
        "Jaderberg et al. 2017, Population based training of neural networks, arXiv:1711.09846",
        nested=False,
    ),
    _tuner(
        "Anneal",
        "Simulated annealing",
        "Draws near good results, ever nearer as results come in (hyperopt's).",
        (),
        "Bergstra, Yamins & Cox 2013, Making a science of model search, ICML",
        seconds=0.003,
        reason="NNI asks an empty array for its truth, which numpy 2 refuses; one method is overridden.",
    ),
    _tuner(
        "GP",
        "Gaussian process",
        "A Gaussian process over the results; suggests where improvement is expected. Numbers only.",
        (
            Parameter(
                "utility",
                "choice",
                "ei",
                "What is maximised to find the next point.",
                choices=("ei", "ucb", "poi"),
            ),
            Parameter("kappa", "float", 5.0, "Weight of uncertainty for ucb.", 0.0, 100.0),
            Parameter("xi", "float", 0.0, "Least improvement for ei and poi.", 0.0, 100.0),
            Parameter("nu", "float", 2.5, "Smoothness of the Matern kernel.", 0.1, 10.0),
            Parameter("alpha", "float", 1e-6, "Noise added to the diagonal.", 1e-12, 10.0),
            Parameter("cold_start_num", "int", 10, "Random suggestions before the model begins.", 1, 1000),
            Parameter(
                "selection_num_warm_up", "int", 10_000, "Random points looked at a suggestion.", 1, 1_000_000
            ),
            Parameter(
                "selection_num_starting_points",
                "int",
                20,
                "Points from which is climbed a suggestion.",
                1,
                10_000,
            ),
        ),
        "Snoek, Larochelle & Adams 2012, Practical Bayesian optimization, NeurIPS",
        types=_GP_TYPES,
        nested=False,
        numeric_choices_only=True,
        seconds=0.3,
        reason="NNI hands scipy starting points of the wrong shape, and arrays for single numbers; both are mended.",
    ),
    _tuner(
        "Metis",
        "Metis",
        "Gaussian processes that also ask for points that are unsure. Numbers only; slow.",
        (
            Parameter("no_resampling", "bool", True, "Never ask for a known point again."),
            Parameter(
                "no_candidates", "bool", False, "Only the best predicted point, no candidates beside it."
            ),
            Parameter(
                "selection_num_starting_points",
                "int",
                50,
                "Points from which is climbed a suggestion.",
                1,
                10_000,
            ),
            Parameter("cold_start_num", "int", 10, "Random suggestions before the model begins.", 1, 1000),
            Parameter(
                "exploration_probability", "float", 0.9, "Chance to look where it is unsure.", 0.0, 1.0
            ),
            Parameter(
                "restarts",
                "int",
                10,
                "Restarts of each Gaussian process; NNI fixes 250, which takes 40 s a suggestion.",
                0,
                1000,
            ),
        ),
        "Li, Liang, Zhang et al. 2018, Metis: robustly tuning tail latencies, USENIX ATC",
        types=("choice", "randint", "uniform", "quniform"),
        nested=False,
        numeric_choices_only=True,
        seconds=3.8,
        reason="NNI hands scipy starting points of the wrong shape; they are flattened.",
    ),
    _tuner(
        "Hyperband",
        "Hyperband",
        "Many trials of few epochs, the best of them again with more: brackets of successive halving.",
        (
            Parameter(
                "R", "int", None, "Largest budget of a trial, in epochs; left out: the run's.", 1, 9999
            ),
            Parameter("eta", "int", 3, "One in so many goes on to the next rung.", 2, 100),
            Parameter(
                "exec_mode",
                "choice",
                "parallelism",
                "parallelism begins the next bracket while a rung waits; serial does not.",
                choices=("parallelism", "serial"),
            ),
        ),
        "Li, Jamieson, DeSalvo, Rostamizadeh & Talwalkar 2018, Hyperband, JMLR 18",
        advisor=True,
        reason="NNI compares its text ids with numbers and hangs; its dispatcher is driven in this process.",
    ),
    _tuner(
        "BOHB",
        "BOHB",
        "Hyperband whose suggestions come from kernel densities of good and bad results.",
        (
            Parameter("min_budget", "int", 1, "Smallest budget of a trial, in epochs.", 1, 9999),
            Parameter("max_budget", "int", None, "Largest budget, in epochs; left out: the run's.", 1, 9999),
            Parameter("eta", "int", 3, "One in so many goes on to the next rung.", 2, 100),
            Parameter("min_points_in_model", "int", None, "Results before the model begins.", 1, 10_000),
            Parameter("top_n_percent", "int", 15, "Percent of results that count as good.", 1, 99),
            Parameter("num_samples", "int", 64, "Candidates compared for each suggestion.", 1, 10_000),
            Parameter("random_fraction", "float", 1 / 3, "Share of suggestions drawn at random.", 0.0, 1.0),
            Parameter("bandwidth_factor", "float", 3.0, "Widens the density that is sampled.", 0.01, 100.0),
            Parameter("min_bandwidth", "float", 1e-3, "Narrowest kernel.", 1e-9, 1.0),
        ),
        "Falkner, Klein & Hutter 2018, BOHB, ICML, arXiv:1807.01774",
        types=("choice", "randint", "uniform", "loguniform"),
        nested=False,
        seconds=0.01,
        advisor=True,
        reason="As Hyperband; quantised and normal types do not fit today's ConfigSpace.",
    ),
    _unavailable(
        "SMAC",
        "SMAC",
        "Random forests as the model.",
        "it needs smac4nni and ConfigSpaceNNI, which do not compile with current Python and Cython.",
    ),
    _unavailable(
        "PPO",
        "PPO",
        "Reinforcement learning over choices of layers.",
        "it is written for TensorFlow 1, and takes only the layer types of NNI 1.",
    ),
    _unavailable(
        "NetworkMorphism",
        "Network morphism",
        "Changes trained networks step by step.",
        "it reads no search space, and with its errors mended it takes minutes for a suggestion.",
    ),
    _unavailable(
        "DNGO",
        "DNGO",
        "Neural networks as the model.",
        "it needs pybnn, unmaintained since 2020, and trains on parameters in another order than it predicts.",
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

"""What a run of feature engineering can be made of: tables, selectors, and the settings of the comparison.

A selector's facts say whose code it is (`own`, `nni`, `sklearn`) and whether it looks at the target at all.
"""

from __future__ import annotations

import re

from explorer.catalogue.entries import Entry, Parameter, Registry, facts

_LOADER = "explorer.data.tables"

UPLOADED = re.compile(r"table:[0-9a-f]{16}\.(?:csv|parquet)")
"""What an uploaded table is called: by its content, never by a path."""

TABLES = Registry(
    "table",
    Entry(
        "breast-cancer",
        "Breast cancer (Wisconsin)",
        "569 tumours, 30 numbers measured on cell nuclei, malignant or benign; many columns say the same.",
        f"{_LOADER}:breast_cancer",
        paper="Street, Wolberg & Mangasarian 1993, Nuclear feature extraction for breast tumor diagnosis",
        facts=facts(rows=569, columns=30, task="classification", classes=2, target="diagnosis"),
    ),
    Entry(
        "wine",
        "Wine",
        "178 wines of three growers, 13 chemical measurements; small and easy.",
        f"{_LOADER}:wine",
        paper="Aeberhard, Coomans & de Vel 1994, Comparative analysis of statistical pattern recognition methods",
        facts=facts(rows=178, columns=13, task="classification", classes=3, target="grower"),
    ),
    Entry(
        "digits-table",
        "Digits as a table",
        "1,797 handwritten digits, one column for each of 64 pixels; some pixels are always blank.",
        f"{_LOADER}:digits_table",
        paper="Alpaydin & Kaynak 1998, Cascading classifiers",
        facts=facts(rows=1797, columns=61, task="classification", classes=10, target="digit"),
    ),
    Entry(
        "diabetes",
        "Diabetes progression",
        "442 patients, 10 numbers, and how far the disease went within a year: a regression.",
        f"{_LOADER}:diabetes",
        paper="Efron, Hastie, Johnstone & Tibshirani 2004, Least angle regression, Annals of Statistics 32",
        facts=facts(rows=442, columns=10, task="regression", classes=0, target="progression"),
    ),
)
"""Embedded tables; `columns` counts those that vary. Uploaded ones are named by their content (`explorer.tables`)."""

_NNI = facts(source="nni", needs_target=True)
_SKLEARN = facts(source="sklearn", needs_target=True)
_TREES = Parameter("trees", "int", 50, "Trees in the forest.", 5, 1000)
_NEIGHBOURS = Parameter("neighbours", "int", 3, "Neighbours in the estimate of the entropy.", 1, 50)
_BUILDER = "explorer.features.selectors"

SELECTORS = Registry(
    "selector",
    Entry(
        "gradient",
        "FeatureGradientSelector (NNI)",
        "Learns a gate for each column by gradient descent on how learnable the target is from the open ones.",
        f"{_BUILDER}:gradient",
        (
            Parameter(
                "n_epochs",
                "int",
                10,
                "Passes over the rows. NNI's own default is 1: one step on up to 1,000 rows, after which all "
                "scores tie.",
                1,
                200,
            ),
            Parameter("learning_rate", "float", 0.1, "Step size of the gates (Adam).", 1e-5, 10.0),
            Parameter("order", "int", 4, "Up to how many columns may interact.", 1, 12),
            Parameter("penalty", "float", 1.0, "Weight of the penalty on open gates.", 0.0, 1000.0),
            Parameter("batch_size", "int", 1000, "Rows a step.", 2, 100_000),
        ),
        "Sheth & Fusi 2020, Feature gradients: scalable feature selection via discrete relaxation, AAAI",
        _NNI,
    ),
    Entry(
        "gbdt",
        "GBDTSelector (NNI)",
        "How much each column gains the splits of boosted trees (LightGBM), stopped early on a held-out part.",
        f"{_BUILDER}:gbdt",
        (
            Parameter("num_boost_round", "int", 100, "The most trees (a class).", 1, 2000),
            Parameter("early_stopping_rounds", "int", 10, "Rounds without progress that end it.", 1, 500),
            Parameter("learning_rate", "float", 0.1, "Shrinkage of each tree.", 1e-4, 1.0),
            Parameter("num_leaves", "int", 15, "Leaves of a tree.", 2, 512),
            Parameter(
                "eval_ratio", "float", 0.25, "Share of the rows that early stopping looks at.", 0.05, 0.5
            ),
            Parameter("importance_type", "choice", "gain", "What counts.", choices=("gain", "split")),
        ),
        "Ke et al. 2017, LightGBM: a highly efficient gradient boosting decision tree, NeurIPS",
        _NNI,
    ),
    Entry(
        "anova",
        "ANOVA F",
        "F statistic of each column alone against the target: linear, instant, blind to interactions.",
        f"{_BUILDER}:anova",
        paper="Fisher 1925, Statistical Methods for Research Workers, chapter VII",
        facts=_SKLEARN,
    ),
    Entry(
        "mutual_information",
        "Mutual information",
        "How much each column alone says about the target, in any shape (nearest neighbours' estimate).",
        f"{_BUILDER}:mutual_information",
        (_NEIGHBOURS,),
        "Kraskov, Stoegbauer & Grassberger 2004, arXiv:cond-mat/0305641; Ross 2014, PLoS ONE 9(2)",
        _SKLEARN,
    ),
    Entry(
        "l1",
        "L1 penalty",
        "Size of each column's weight in a linear model whose penalty drives useless weights to zero.",
        f"{_BUILDER}:l1",
        (Parameter("strength", "float", 1.0, "Weight of the penalty; larger keeps fewer.", 1e-3, 1e3),),
        "Tibshirani 1996, Regression shrinkage and selection via the lasso, JRSS B 58",
        _SKLEARN,
    ),
    Entry(
        "random_forest",
        "Random forest importance",
        "Mean decrease of impurity over the splits of a random forest; favours columns with many values.",
        f"{_BUILDER}:random_forest",
        (_TREES,),
        "Breiman 2001, Random forests, Machine Learning 45",
        _SKLEARN,
    ),
    Entry(
        "permutation",
        "Permutation importance",
        "What a forest loses on rows it has not seen when one column is shuffled; twins hide each other.",
        f"{_BUILDER}:permutation",
        (_TREES, Parameter("repeats", "int", 5, "Shuffles a column.", 1, 50)),
        "Breiman 2001, Random forests, section 10; Fisher, Rudin & Dominici 2019, arXiv:1801.01489",
        _SKLEARN,
    ),
    Entry(
        "rfe",
        "Recursive elimination",
        "Fits a linear model, drops the column with the smallest weight, fits again: the last to go ranks first.",
        f"{_BUILDER}:rfe",
        (
            Parameter(
                "step", "float", 0.1, "Share of the columns dropped at a time (at least one).", 0.01, 0.9
            ),
        ),
        "Guyon, Weston, Barnhill & Vapnik 2002, Gene selection for cancer classification, Machine Learning 46",
        _SKLEARN,
    ),
    Entry(
        "all_features",
        "All features",
        "Every column: what selecting has to be worth.",
        f"{_BUILDER}:all_features",
        facts=facts(source="own", needs_target=False),
    ),
    Entry(
        "random_k",
        "Random columns",
        "Columns in an order drawn at random: what looking at the target has to be worth.",
        f"{_BUILDER}:random_k",
        facts=facts(source="own", needs_target=False),
    ),
)

FEATURES = Entry(
    "features",
    "Comparison of selectors",
    "Every selector chooses on the training rows of each resample; a model judges its choice on the others.",
    "explorer.features.engine:run",
    (
        Parameter("resamples", "int", 5, "Folds of the outer cross-validation.", 2, 20),
        Parameter("most", "int", None, "The largest number of features that is judged; null: all.", 1, 2000),
        Parameter(
            "judge",
            "choice",
            "linear",
            "The model that judges a choice of columns.",
            choices=("linear", "forest"),
        ),
        Parameter("target", "str", None, "The column to predict in an uploaded table; null: the last one."),
        Parameter(
            "task",
            "choice",
            "auto",
            "auto: numbers with many values are a regression.",
            choices=("auto", "classification", "regression"),
        ),
        Parameter(
            "held_out", "float", 0.25, "Share of the rows that a search for new columns never sees.", 0.1, 0.5
        ),
    ),
    facts=facts(resamples=5),
)

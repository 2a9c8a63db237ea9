"""What the words on screen mean: one sentence and where it comes from. Shown on hover wherever a term stands.

One word for one idea, in code, on screen and in the documents: `explain` refuses a word that is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from explorer.errors import UnknownName

_NNI = "NNI 3.0 documentation"
_NB201 = "Dong & Yang 2020, NAS-Bench-201, arXiv:2001.00326"
_DARTS = "Liu, Simonyan & Yang 2019, DARTS, arXiv:1806.09055"
_ENAS = "Pham, Guan, Zoph, Le & Dean 2018, ENAS, arXiv:1802.03268"
_ROBUST = (
    "Zela et al. 2020, Understanding and robustifying differentiable architecture search, arXiv:1909.09656"
)
_SURVEY = "Elsken, Metzen & Hutter 2019, Neural architecture search: a survey, arXiv:1808.05377"
_FEATURES = "Guyon & Elisseeff 2003, An introduction to variable and feature selection, JMLR 3"
_HERE = "this app"


@dataclass(frozen=True)
class Term:
    """One sentence, and its source."""

    meaning: str
    source: str

    def __str__(self) -> str:
        return f"{self.meaning} ({self.source})"


GLOSSARY: Mapping[str, Term] = MappingProxyType(
    {
        "search space": Term(
            "Everything that may be chosen: ordered, labelled choices over a network.", _SURVEY
        ),
        "mutable": Term("Anything in the space that is still undecided; it has a label.", _NNI),
        "LayerChoice": Term("Choose one operation among candidates.", _NNI),
        "InputChoice": Term(
            "Choose which earlier outputs feed a node; this is how skip connections are written.", _NNI
        ),
        "ValueChoice": Term("Choose a number or a category, such as a width or a rate.", _NNI),
        "layer": Term("One place in a chain: a fixed operation, or a LayerChoice among several.", _HERE),
        "operation": Term("One computation that may stand at a place, such as a 3x3 convolution.", _NB201),
        "candidate": Term("One entry of a LayerChoice.", _NNI),
        "primitive": Term("One entry of the DARTS list of operations.", _DARTS),
        "skip connection": Term(
            "A path that carries an earlier output past some layers and adds it to a later one.",
            "He, Zhang, Ren & Sun 2016, arXiv:1512.03385",
        ),
        "cell": Term("A small graph of operations that is repeated to build the network.", _NB201),
        "node": Term("A tensor inside a cell: the sum of what its incoming edges deliver.", _NB201),
        "edge": Term("A connection between two nodes of a cell that carries one operation.", _NB201),
        "normal cell": Term("The repeated block that keeps the image's size.", _DARTS),
        "reduction cell": Term("The repeated block that halves the image's side.", _DARTS),
        "architecture": Term("One assignment of a choice to every label: one network of the space.", _SURVEY),
        "genotype": Term("An architecture written as (operation, input) pairs.", _DARTS),
        "derive": Term("Read one architecture out of a trained supernet.", _DARTS),
        "size": Term("How many different architectures the space holds, counted exactly.", _HERE),
        "parameters": Term("Numbers that training learns: weights, biases, scales and shifts.", _HERE),
        "MACs": Term(
            "Multiply-accumulates of convolutions and linear layers for one image: the usual measure of work.",
            _HERE,
        ),
        "shape": Term("Channels x height x width of what leaves a layer, or its number of features.", _HERE),
        "trial": Term("One evaluation of one configuration or architecture.", _NNI),
        "tuner": Term("Proposes parameters from the final results so far.", _NNI),
        "hyper-parameter optimisation": Term(
            "Searching the settings that training does not learn itself, such as the learning rate, trial by trial.",
            _NNI,
        ),
        "objective": Term("What is evaluated for each suggestion, and whose value is to be improved.", _HERE),
        "joint space": Term(
            "Layers, skips and training settings in one search space, tuned together.", _HERE
        ),
        "search space types": Term(
            "How a parameter varies: listed options (choice), whole numbers (randint), ranges (uniform) or bells "
            "(normal), on a logarithm (log), in steps (q).",
            _NNI,
        ),
        "executor": Term(
            "Where trials run: worker processes of this app, or a real NNI experiment with its own web page.",
            _HERE,
        ),
        "assessor": Term("Judges a running trial's intermediate results, good or bad.", _NNI),
        "strategy": Term("Explores a space of architectures trial by trial.", _NNI),
        "classical NAS": Term(
            "Search by trying architectures one by one, each trained from scratch, and learning from the results.",
            _SURVEY,
        ),
        "warm start": Term(
            "The first proposals are the best of a pool that a zero-cost proxy scored, instead of random draws.",
            "Abdelfattah, Mehrotra, Dudziak & Lane 2021, Zero-cost proxies, arXiv:2101.08134",
        ),
        "generation": Term(
            "How many trials a trial's line of descent holds before it; in halving the rung, counted from 0.",
            _HERE,
        ),
        "family tree": Term(
            "Trials joined to the ones that they were made from by a change, or that they go on with.",
            "Real, Aggarwal, Huang & Le 2019, arXiv:1802.01548",
        ),
        "coverage": Term("How much of a space was tried, and how far apart the trials lie.", _HERE),
        "coverage map": Term(
            "Every cell of the space as a point: across by its first three edges, up by its last three.",
            _HERE,
        ),
        "true rank": Term(
            "The place by mean test accuracy among all cells of the answer key, and the band that luck leaves it.",
            _HERE,
        ),
        "tie band": Term(
            "The ranks that a cell may truly have, with 95 % confidence, given the luck of its seeds and the others'.",
            _HERE,
        ),
        "seed luck": Term(
            "The standard deviation of test accuracy among seeds of one cell, pooled over all live cells.",
            _HERE,
        ),
        "ICC": Term(
            "Intraclass correlation: the share of variance that is the cells' own, for one training or a mean of some.",
            "Shrout & Fleiss 1979, Psychological Bulletin 86",
        ),
        "seed-to-seed correlation": Term(
            "Spearman's correlation of the ranks that two single seeds give the same cells.",
            "Spearman 1904, American Journal of Psychology 15",
        ),
        "split-half reliability": Term(
            "How far the ranks of two halves of the seeds agree, stepped up to all of them.",
            "Spearman 1910 and Brown 1910, British Journal of Psychology 3",
        ),
        "ceiling": Term(
            "The rank correlation with this key that a predictor would reach if it knew the truth: the root of the "
            "split-half reliability.",
            "Spearman 1904, American Journal of Psychology 15",
        ),
        "resolution": Term(
            "The smallest difference of two cells' means that their seeds resolve with 95 % confidence.",
            _HERE,
        ),
        "like the best": Term(
            "Cells that 95 % confidence cannot tell from the one with the best mean, that one included.",
            _HERE,
        ),
        "maybe the best": Term(
            "The same by means drawn towards the average as far as they are luck, since the best was also lucky.",
            "Efron & Morris 1975, Journal of the American Statistical Association 70",
        ),
        "live cell": Term(
            "A cell that some path of operations leads through; the others read a constant and guess.", _HERE
        ),
        "main effect": Term(
            "What an operation on an edge adds to the mean accuracy, all other edges averaged over.",
            "Hooker 2007, Generalized functional ANOVA diagnostics",
        ),
        "functional ANOVA": Term(
            "The variance of a table, split into parts of single choices, of pairs and of the rest.",
            "Hutter, Hoos & Leyton-Brown 2014, An efficient approach for assessing hyperparameter importance",
        ),
        "transfer": Term("How far what is good on one dataset is good on another.", _HERE),
        "percentile": Term(
            "The share of the other cells that it is at least as good as, in per cent.", _HERE
        ),
        "shrunken regret": Term(
            "Regret between means drawn towards the average as far as they are luck: the best of many was also lucky.",
            "Efron & Morris 1975, Journal of the American Statistical Association 70",
        ),
        "edit": Term(
            "Another operation on one edge of a cell; 24 edits lead from each cell of the answer key to another.",
            _HERE,
        ),
        "race": Term(
            "Strategies that search one space many times each, looking trainings up in the answer key.", _HERE
        ),
        "repeat": Term(
            "One search of a race from its beginning, with its own draws and its own recorded seed of each cell.",
            _HERE,
        ),
        "whole training": Term(
            "A training of all epochs; of a shorter one so much counts as its share of the epochs.", _HERE
        ),
        "one-shot point": Term(
            "One-shot searches of one kind beside a race: what they cost on average, and how good their cells are.",
            _HERE,
        ),
        "simulated seconds": Term(
            "What the trainings that were looked up took when the answer key was made.", _HERE
        ),
        "confidence interval": Term(
            "A range that holds the true mean in 95 of 100 cases; here from 2,000 redraws of the repeats.",
            "Efron & Tibshirani 1993, An introduction to the bootstrap",
        ),
        "random search": Term(
            "Train architectures drawn uniformly; the baseline that every search must beat.",
            "Li & Talwalkar 2019, arXiv:1902.07638",
        ),
        "intermediate result": Term("A metric reported during a trial, with its step.", _NNI),
        "final result": Term("The one metric of a trial that counts.", _NNI),
        "optimize mode": Term("Whether more or less of the metric is better: maximize or minimize.", _NNI),
        "run": Term("One job: its settings and everything that happened.", _HERE),
        "trial status": Term("waiting, running, succeeded, early_stopped, failed or cancelled.", _HERE),
        "run status": Term("queued, running, paused, finished, failed, cancelled or lost.", _HERE),
        "lost": Term(
            "The process that ran it vanished; finished trials are kept and Resume trains the rest.", _HERE
        ),
        "epoch": Term("One pass over all training images.", _HERE),
        "seed": Term("The number that fixes every random draw, so that a result can be repeated.", _HERE),
        "worker": Term("A process that trains one trial at a time.", _HERE),
        "dataset": Term("The images, split once into training, validation and test part.", _HERE),
        "validation accuracy": Term(
            "Share of validation images classified correctly; searches decide on it.", _HERE
        ),
        "test accuracy": Term("Share of test images classified correctly; reported once, at the end.", _HERE),
        "learning curve": Term("A trial's validation accuracy after each epoch.", _HERE),
        "Pareto front": Term(
            "The architectures that no other beats in both accuracy and parameters.", _SURVEY
        ),
        "leaderboard": Term("The trials of a run, best validation accuracy first.", _HERE),
        "retrain": Term(
            "Train an architecture again from scratch with fresh seeds, to see how much of its result was luck.",
            "Li & Talwalkar 2019, arXiv:1902.07638",
        ),
        "error bar": Term("Mean plus and minus one standard deviation over several seeds.", _HERE),
        "recorded run": Term("A run as a file: its settings and then every event.", _HERE),
        "cost": Term("Seconds that workers spent on a run, over all its attempts.", _HERE),
        "seconds": Term("Wall time of the trial, its data and its test included.", _HERE),
        "supernet": Term("One network that holds every candidate with shared weights.", _DARTS),
        "one-shot": Term("Search by training a supernet once.", _DARTS),
        "alphas": Term("The logits over candidates that a one-shot search learns.", _DARTS),
        "probabilities": Term("The alphas after softmax.", _DARTS),
        "controller": Term("ENAS's sampler of architectures.", _ENAS),
        "policy": Term("The distribution over architectures that the controller draws from.", _ENAS),
        "baseline": Term("The running mean of rewards that an update subtracts.", _ENAS),
        "reward": Term("What the controller is trained on: the sampled architecture's accuracy.", _ENAS),
        "entropy": Term("How undecided a distribution is.", _ENAS),
        "search accuracy": Term("Accuracy inside the supernet, with shared weights.", _DARTS),
        "retrained accuracy": Term("Accuracy after training the derived network from scratch.", _DARTS),
        "answer key": Term(
            "The table of a whole space, every architecture trained; rank 1 is the best.", _HERE
        ),
        "snapshot": Term(
            "What a one-shot search believes at one step: probabilities, losses, and what it would derive now.",
            _HERE,
        ),
        "selection rule": Term("How an architecture is read off a trained supernet.", _DARTS),
        "margin": Term("First minus second probability of a decision: how clear it is.", _HERE),
        "skip share": Term("Share of skips and identities among the derived operations.", _ROBUST),
        "collapse": Term("A search that derives almost only skips: they train fastest, not best.", _ROBUST),
        "temperature": Term(
            "How soft a Gumbel softmax is: hot is nearly uniform, cold is nearly one choice.",
            "Jang, Gu & Poole 2017, arXiv:1611.01144",
        ),
        "discretization gap": Term(
            "Accuracy of the supernet minus that of the derived architecture with inherited weights, same images.",
            _ROBUST,
        ),
        "Hessian eigenvalue": Term(
            "The largest curvature of the validation loss over the alphas; where it grows, derivation hurts.",
            _ROBUST,
        ),
        "rank probe": Term(
            "Whether inherited weights rank architectures as training from scratch does: Kendall and Spearman.",
            "Yu et al. 2020, Evaluating the search phase of NAS, arXiv:1902.08142",
        ),
        "perturbation importance": Term(
            "What the supernet loses when one candidate is taken out.",
            "Wang et al. 2021, arXiv:2108.04392",
        ),
        "advantage": Term("Reward minus baseline: better or worse than usual.", _ENAS),
        "checkpoint": Term(
            "The supernet and its search at one step, kept on the disk to go on or branch from.", _HERE
        ),
        "branch": Term("A new run that begins at a checkpoint of another, with changed settings.", _HERE),
        "rival": Term(
            "An architecture drawn at random that is retrained beside the derived one.",
            "Li & Talwalkar 2019, arXiv:1902.07638",
        ),
        "bilevel": Term(
            "Two problems, one inside the other: weights fit to alphas, alphas fit to those weights.", _DARTS
        ),
        "batch norm statistics": Term(
            "Means and variances that batch norm keeps; a path never trained alone has none of its own.",
            "Guo et al. 2019, SPOS, arXiv:1904.00420",
        ),
        "regret": Term("Best accuracy of the space minus the accuracy found, in accuracy points.", _HERE),
        "best so far": Term("The best final result of the trials up to this one.", _HERE),
        "slice": Term("A chart of the result against one parameter, all others as they were tried.", _HERE),
        "parallel coordinates": Term(
            "One axis a parameter and one line a trial, so that combinations show.",
            "Inselberg 1985, The plane with parallel coordinates, The Visual Computer 1",
        ),
        "scatter": Term("One dot a trial, by any two of its numbers.", _HERE),
        "importance": Term(
            "How much the best tenth of the trials differs in a parameter from all trials.",
            "Watanabe, Bansal & Hutter 2023, PED-ANOVA, arXiv:2304.10255",
        ),
        "timeline": Term("Which worker ran which trial, and when.", _HERE),
        "budget": Term("How many epochs a trial was given.", _HERE),
        "epochs used": Term("Epochs that were trained, of those that the trials so far were given.", _HERE),
        "early stopped": Term(
            "Ended by the assessor before its last epoch, because it promised too little.", _NNI
        ),
        "assessor lens": Term(
            "What an assessor saw of a trial at each of its looks, and why it decided so.", _HERE
        ),
        "look": Term("One assessment: the assessor's verdict after an intermediate result.", _HERE),
        "threshold line": Term(
            "What a trial is held against: for curve fitting the best completed value times threshold, for median "
            "stopping the median of the others' running averages.",
            _NNI,
        ),
        "curve fitting": Term(
            "Twelve shapes of learning curves are fitted to what a trial has shown and weighted into one prediction.",
            "Domhan, Springenberg & Hutter 2015, IJCAI",
        ),
        "let it finish": Term(
            "Go on with a stopped trial from its checkpoint to its last epoch, only to see whether the stop was right.",
            _HERE,
        ),
        "ledger": Term(
            "The account of an assessor on one run: epochs saved, right and wrong stops, the best with and without it.",
            _HERE,
        ),
        "replay": Term(
            "The recorded looks judged once more with other settings, by arithmetic and without training.",
            _HERE,
        ),
        "unknown beyond": Term(
            "These settings would have let the trial go on, and nobody knows what it would have shown.", _HERE
        ),
        "feature engineering": Term(
            "Deciding which columns of a table a model gets: choosing among them, and making new ones.",
            _FEATURES,
        ),
        "table": Term(
            "Rows are cases, columns are what is known of them; one column is to be predicted.", _HERE
        ),
        "target": Term("The column that is to be predicted from the others.", _HERE),
        "selector": Term("Ranks the columns of a table by how much they say about the target.", _FEATURES),
        "resample": Term(
            "One cut of the rows into a part that selects and trains and a part that judges.",
            "Ambroise & McLachlan 2002, PNAS 99",
        ),
        "new columns": Term(
            "Columns computed from others, proposed by a tuner and judged on rows that its search never saw.",
            _HERE,
        ),
        "worth": Term(
            "Accuracy, or R2 for numbers, of a model that gets only a selector's best columns, on rows that chose "
            "nothing.",
            _HERE,
        ),
        "one standard error": Term(
            "The fewest columns whose mean worth is at most one standard error below the best.",
            "Breiman, Friedman, Olshen & Stone 1984, Classification and Regression Trees, section 3.4.3",
        ),
        "column rank": Term("A column's place in a selector's order, 1 for the most useful.", _HERE),
        "agreement": Term(
            "How far two choices of columns overlap beyond chance: 1 is the same columns, 0 is chance.",
            "Kuncheva 2007, A stability index for feature selection, AIAP",
        ),
        "stability": Term(
            "How far a selector agrees with itself from resample to resample.",
            "Kuncheva 2007, A stability index for feature selection, AIAP",
        ),
        "tie": Term("All columns have the same score, so that their order says nothing.", _HERE),
    }
)


def explain(word: str) -> str:
    """The sentence to show beside `word`; raises UnknownName for a word that is not in the glossary."""
    if word not in GLOSSARY:
        raise UnknownName("term", word, GLOSSARY)
    return str(GLOSSARY[word])

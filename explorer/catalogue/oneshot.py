"""One-shot methods, the rules that derive an architecture from what they found, and who carries them out."""

from __future__ import annotations

from dataclasses import replace

from explorer.catalogue.entries import Entry, Parameter, Registry, facts

_DARTS = "Liu, Simonyan & Yang 2019, DARTS, arXiv:1806.09055"
_ROBUST = (
    "Zela et al. 2020, Understanding and robustifying differentiable architecture search, arXiv:1909.09656"
)

_BATCH = Parameter("batch_size", "int", 64, "Images a step.", 2, 4096)
_WEIGHTS = (
    Parameter(
        "weight_learning_rate",
        "float",
        0.025,
        "Step size of the shared weights at the start (SGD).",
        1e-6,
        10.0,
    ),
    Parameter("weight_learning_rate_end", "float", 0.001, "Step size at the end of the cosine.", 0.0, 10.0),
    Parameter("momentum", "float", 0.9, "Momentum of the shared weights' SGD.", 0.0, 0.999),
    Parameter("weight_decay", "float", 3e-4, "L2 penalty on the shared weights.", 0.0, 1.0),
    Parameter(
        "gradient_clip", "float", 5.0, "Longest gradient of the shared weights; 0 leaves it.", 0.0, 1e6
    ),
)
_ALPHAS = (
    Parameter(
        "alpha_learning_rate",
        "float",
        3e-3,
        "Step size of the alphas (Adam). The paper's 3e-4 is made for ten times as many steps.",
        1e-6,
        10.0,
    ),
    Parameter("alpha_weight_decay", "float", 1e-3, "L2 penalty on the alphas.", 0.0, 1.0),
    Parameter("warmup_epochs", "int", 0, "Epochs in which only the weights learn.", 0, 10_000),
)
_REPORTS = (
    Parameter("snapshot_every", "int", 10, "Steps between two snapshots.", 1, 10_000),
    Parameter(
        "checkpoint_every", "int", 10, "Epochs between two checkpoints to go on or branch from.", 1, 10_000
    ),
    Parameter(
        "gap_every",
        "int",
        0,
        "Epochs between two measures of the discretization gap; 0: at the end.",
        0,
        10_000,
    ),
    Parameter(
        "hessian_every", "int", 0, "Epochs between two eigenvalues of the Hessian; 0: on demand.", 0, 10_000
    ),
    Parameter(
        "skip_alarm",
        "float",
        0.5,
        "Share of skips among the derived operations that raises an alarm.",
        0.0,
        1.0,
    ),
    Parameter("none_alarm", "float", 0.5, "Mean probability of none that raises an alarm.", 0.0, 1.0),
)
_HALF = Parameter(
    "split",
    "float",
    0.5,
    "Share of the training images that the weights learn from; the rest is for the alphas.",
    0.1,
    0.9,
)
_ALL = Parameter("split", "float", 1.0, "Share of the training images that the weights learn from.", 0.1, 1.0)
_GUARD = (
    Parameter(
        "guard",
        "choice",
        "none",
        "Where the Hessian's eigenvalue grows: stop with the alphas of before, or go back and decay the weights more.",
        choices=("none", "stop", "adapt"),
    ),
    Parameter("guard_window", "int", 5, "Measures that the eigenvalue is averaged over.", 1, 100),
    Parameter(
        "guard_ratio",
        "float",
        1.3,
        "Growth of the average from one window to the next that is too much.",
        1.0,
        100.0,
    ),
    Parameter(
        "guard_factor", "float", 3.0, "What the weight decay is multiplied by when it adapts.", 1.0, 100.0
    ),
)
_ANNEALED = (
    Parameter(
        "temperature_start",
        "float",
        1.0,
        "Temperature of the Gumbel softmax in the first epoch.",
        1e-3,
        100.0,
    ),
    Parameter(
        "temperature_end", "float", 0.33, "Temperature in the last epoch; linear between.", 1e-3, 100.0
    ),
)
_COMMON = (_BATCH, *_WEIGHTS, *_REPORTS)
# A path that is trained now and then needs larger steps: with 0.05 inherited weights rank 116 cells at a Spearman of
# .73 to .80 instead of .60 to .65 (three seeds; FairNAS, which trains every candidate each step, gains nothing by it).
_FASTER = tuple(replace(one, default=0.05) if one.name == "weight_learning_rate" else one for one in _COMMON)
_EVERYWHERE = ("cell", "darts", "macro")


def _gradient(
    *own: Parameter, split: Parameter = _HALF, alphas: tuple[Parameter, ...] = _ALPHAS
) -> tuple[Parameter, ...]:
    return (*own, *alphas, split, *_COMMON, *_GUARD)


# facts: `families` of spaces that it serves, `alphas` (whether it has logits), `believes` (whether its probabilities
# move), `selection` (the rule taken by default; "top2" is read as "argmax" where a cell keeps every edge), `supernet`
# (fused, which is plain where there are no cells, or partial), `nni` (NNI's class).
METHODS = Registry(
    "one-shot method",
    Entry(
        "darts",
        "DARTS",
        "Mixes all candidates by softmax; the alphas descend on validation images, the weights on training images.",
        "explorer.oneshot.methods.darts:Darts",
        _gradient(
            Parameter(
                "order",
                "choice",
                "first",
                "second looks one weight step ahead (section 2.3), at two to three times the cost.",
                choices=("first", "second"),
            ),
            Parameter(
                "finite_difference",
                "float",
                0.01,
                "Step of the Hessian-vector product, over the gradient's norm.",
                1e-6,
                1.0,
            ),
        ),
        paper=_DARTS,
        facts=facts(
            families=_EVERYWHERE, alphas=True, believes=True, selection="top2", supernet="fused", nni="DARTS"
        ),
    ),
    Entry(
        "gumbel",
        "Gumbel DARTS",
        "DARTS with soft Gumbel weights whose temperature falls: noise explores, then the mixture sharpens.",
        "explorer.oneshot.methods.gumbel:Gumbel",
        _gradient(*_ANNEALED),
        paper="Wu et al. 2019, FBNet, section 3.2, arXiv:1812.03443; Jang, Gu & Poole 2017, arXiv:1611.01144",
        facts=facts(
            families=_EVERYWHERE,
            alphas=True,
            believes=True,
            selection="top2",
            supernet="fused",
            nni="GumbelDARTS",
        ),
    ),
    Entry(
        "gdas",
        "GDAS",
        "One Gumbel sample for the whole network a step; only sampled operations run, gradients go straight through.",
        "explorer.oneshot.methods.gdas:Gdas",
        _gradient(
            Parameter("temperature_start", "float", 10.0, "Temperature in the first epoch.", 1e-3, 100.0),
            Parameter(
                "temperature_end", "float", 0.1, "Temperature in the last epoch; linear between.", 1e-3, 100.0
            ),
            Parameter(
                "gradient",
                "choice",
                "reference",
                "reference: as in the authors' code, where all unchosen operations get the same gradient; "
                "correct: every operation is run, so each gets its own.",
                choices=("reference", "correct"),
            ),
        ),
        paper="Dong & Yang 2019, GDAS, arXiv:1910.04465",
        facts=facts(
            families=_EVERYWHERE, alphas=True, believes=True, selection="top2", supernet="fused", nni=""
        ),
    ),
    Entry(
        "enas",
        "ENAS",
        "An LSTM controller samples architectures that train shared weights; REINFORCE rewards what validates well.",
        "explorer.oneshot.methods.enas:Enas",
        (
            Parameter(
                "controller_steps", "int", 10, "Controller updates after each epoch of the weights.", 1, 1000
            ),
            Parameter(
                "samples", "int", 4, "Architectures sampled an update; their gradients are averaged.", 1, 100
            ),
            Parameter(
                "controller_learning_rate",
                "float",
                3.5e-3,
                "Step size of the controller (Adam, beta1 0).",
                1e-6,
                1.0,
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
            Parameter(
                "entropy_weight",
                "float",
                1e-4,
                "What a nat of the sample's entropy adds to the reward.",
                0.0,
                10.0,
            ),
            Parameter(
                "baseline_decay", "float", 0.95, "How slowly the moving average of rewards follows.", 0.0, 1.0
            ),
            Parameter(
                "baseline_order",
                "choice",
                "before",
                "Whether the baseline takes the reward in before the advantage is formed (the authors' code) or after.",
                choices=("before", "after"),
            ),
            Parameter(
                "skip_target",
                "float",
                0.4,
                "Share of skips that the penalty pulls to (macro spaces).",
                0.01,
                0.99,
            ),
            Parameter("skip_weight", "float", 0.8, "Weight of that penalty.", 0.0, 100.0),
            _HALF,
            *_COMMON,
        ),
        paper="Pham, Guan, Zoph, Le & Dean 2018, ENAS, arXiv:1802.03268",
        facts=facts(
            families=_EVERYWHERE,
            alphas=False,
            believes=True,
            selection="sample",
            supernet="fused",
            nni="ENAS",
        ),
    ),
    Entry(
        "spos",
        "SPOS",
        "Trains the shared weights on one uniformly drawn path a step; searches among inherited weights afterwards.",
        "explorer.oneshot.methods.spos:Spos",
        (_ALL, *_FASTER),
        paper="Guo et al. 2019, Single path one-shot NAS with uniform sampling, arXiv:1904.00420",
        facts=facts(
            families=_EVERYWHERE,
            alphas=False,
            believes=False,
            selection="evolution",
            supernet="fused",
            nni="RandomOneShot",
        ),
    ),
    Entry(
        "fairnas",
        "FairNAS",
        "As SPOS, but every step trains every candidate of every decision exactly once (strict fairness).",
        "explorer.oneshot.methods.fairnas:FairNas",
        (_ALL, *_COMMON),
        paper="Chu, Zhang & Xu 2021, FairNAS, section 3.2, arXiv:1907.01845",
        facts=facts(
            families=_EVERYWHERE,
            alphas=False,
            believes=False,
            selection="evolution",
            supernet="fused",
            nni="",
        ),
    ),
    Entry(
        "pc-darts",
        "PC-DARTS",
        "DARTS on a part of the channels, with learned weights of the edges beside those of the operations.",
        "explorer.oneshot.methods.pc_darts:PcDarts",
        _gradient(
            Parameter(
                "channel_part",
                "int",
                2,
                "One of so many channels is mixed, the others pass by (the paper: 4).",
                1,
                16,
            )
        ),
        paper="Xu et al. 2020, PC-DARTS, arXiv:1907.05737",
        facts=facts(
            families=("cell", "darts"),
            alphas=True,
            believes=True,
            selection="top2",
            supernet="partial",
            nni="",
        ),
    ),
    Entry(
        "drnas",
        "DrNAS",
        "The mixture itself is drawn from a Dirichlet distribution whose concentrations are learned.",
        "explorer.oneshot.methods.drnas:DrNas",
        _gradient(
            Parameter(
                "regularizer",
                "choice",
                "l2",
                "What holds the concentrations near 1: l2 or kl.",
                choices=("l2", "kl"),
            ),
            Parameter("regularizer_weight", "float", 1e-3, "Its weight.", 0.0, 10.0),
            alphas=tuple(
                one for one in _ALPHAS if one.name != "alpha_weight_decay"
            ),  # the regularizer is that
        ),
        paper="Chen et al. 2021, DrNAS, arXiv:2006.10355",
        facts=facts(
            families=_EVERYWHERE, alphas=True, believes=True, selection="top2", supernet="fused", nni=""
        ),
    ),
    Entry(
        "proxyless",
        "ProxylessNAS",
        "Runs one sampled candidate; the alphas' gradient comes from the gates (or from two candidates compared).",
        "explorer.oneshot.methods.proxyless:Proxyless",
        _gradient(
            Parameter(
                "mode",
                "choice",
                "full",
                "full: the gradient through every gate; two: only two sampled candidates are compared.",
                choices=("full", "two"),
            )
        ),
        paper="Cai, Zhu & Han 2019, ProxylessNAS, section 3.2, arXiv:1812.00332",
        facts=facts(
            families=_EVERYWHERE,
            alphas=True,
            believes=True,
            selection="top2",
            supernet="fused",
            nni="Proxyless",
        ),
    ),
    Entry(
        "snas",
        "SNAS",
        "Gumbel weights as in Gumbel DARTS, but weights and alphas learn together from the same images (one level).",
        "explorer.oneshot.methods.snas:Snas",
        _gradient(*_ANNEALED, split=_ALL),
        paper="Xie, Zheng, Liu & Lin 2019, SNAS, arXiv:1812.09926",
        facts=facts(
            families=_EVERYWHERE, alphas=True, believes=True, selection="top2", supernet="fused", nni=""
        ),
    ),
)

_RECALIBRATE = Parameter(
    "recalibrate",
    "bool",
    True,
    "Measure batch norm's statistics anew for each candidate before it is scored (SPOS, section 3.4).",
)

# facts: `families`, and what a rule `needs`: probabilities, a score of architectures by inherited weights, or a policy.
SELECTION_RULES = Registry(
    "selection rule",
    Entry(
        "argmax",
        "Most probable",
        "The most probable candidate of every decision, none included.",
        "explorer.space.derive:argmax",
        facts=facts(families=_EVERYWHERE, needs="probabilities"),
    ),
    Entry(
        "top2",
        "Top two inputs",
        "Per node the two inputs whose best operation (none aside) is most probable, with that operation.",
        "explorer.space.derive:top2",
        paper=f"{_DARTS}, section 2.4",
        facts=facts(families=("darts",), needs="probabilities"),
    ),
    Entry(
        "perturbation",
        "Perturbation",
        "Decision by decision the candidate whose removal hurts the supernet most, with some training between.",
        "explorer.oneshot.selection.perturbation:select",
        (Parameter("tune_epochs", "int", 0, "Epochs that the weights learn after each decision.", 0, 1000),),
        paper="Wang et al. 2021, Rethinking architecture selection in differentiable NAS, arXiv:2108.04392",
        facts=facts(families=_EVERYWHERE, needs="mixture"),
    ),
    Entry(
        "sample",
        "Best of the policy's samples",
        "Samples architectures from the policy and takes the one that scores best with inherited weights.",
        "explorer.oneshot.selection.scored:select_samples",
        (Parameter("count", "int", 20, "How many are sampled.", 1, 10_000), _RECALIBRATE),
        paper="Pham et al. 2018, ENAS, section 2.2, arXiv:1802.03268",
        facts=facts(families=_EVERYWHERE, needs="score"),
    ),
    Entry(
        "evolution",
        "Evolution",
        "Evolves architectures by crossover and mutation, scored with inherited weights.",
        "explorer.oneshot.selection.scored:select_evolution",
        (
            Parameter("population", "int", 20, "Architectures a generation (the paper: 50).", 4, 1000),
            Parameter("generations", "int", 5, "How many generations (the paper: 20).", 1, 1000),
            Parameter(
                "parents", "int", 5, "The best so far that children come from (the paper: 10).", 2, 1000
            ),
            Parameter("mutation_probability", "float", 0.1, "Chance of each choice to change.", 0.0, 1.0),
            _RECALIBRATE,
        ),
        paper="Guo et al. 2019, SPOS, section 3.4, arXiv:1904.00420",
        facts=facts(families=_EVERYWHERE, needs="score"),
    ),
    Entry(
        "random",
        "Best of random ones",
        "Draws distinct architectures uniformly and takes the one that scores best with inherited weights.",
        "explorer.oneshot.selection.scored:select_random",
        (Parameter("count", "int", 50, "How many are drawn.", 1, 10_000), _RECALIBRATE),
        paper="Li & Talwalkar 2019, Random search and reproducibility for NAS, arXiv:1902.07638",
        facts=facts(families=_EVERYWHERE, needs="score"),
    ),
)

ONESHOT_ENGINES = Registry(
    "one-shot engine",
    Entry(
        "own",
        "This app",
        "Small implementations that read like their papers, held against oracles.",
        "explorer.oneshot.engine:run",
    ),
    Entry(
        "nni",
        "NNI 3.0",
        "NNI's own strategy classes on Lightning, watched from outside; the page lists where they differ.",
        "explorer.oneshot.nni_engine:run",
        paper="NNI 3.0, nni.nas.strategy",
    ),
)

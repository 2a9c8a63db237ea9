"""The answer key about itself, section by section: what it is, what is luck, what is tied, what matters, what carries
over.

What a key cannot say is one sentence in the section's place.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import streamlit as st

from explorer.catalogue import DATASETS
from explorer.errors import ExplorerError
from explorer.key import Key, Truth
from explorer.key.recipe import SETTINGS
from explorer.plots.drawn.reel import Moment
from explorer.plots.drawn.shelf import shelf
from pages.widgets import answer_key_facts as known
from pages.widgets import film
from pages.widgets.drawing import facts, picture
from pages.widgets.words import term

HEAD = (
    ("Rank and band", "tie band", True),
    ("Cell", "architecture", False),
    ("Test", "test accuracy", True),
    ("Seeds", "seed", True),
    ("Parameters", "parameters", True),
)
FILM = "film/answer_key/best"


def about(key: Key) -> None:
    """What was trained, how, at which cost, and what it says nothing about."""
    seeds = sorted({int(key.seeds.min()), int(key.seeds.max())})
    data = DATASETS[key.dataset]
    missing = key.space.size - len(key.cells)
    st.markdown(
        f"The answer key holds **{len(key.cells):,} of the {key.space.size:,} cells** of the space "
        f"`{key.space.name}` ({key.space.nodes} nodes, {len(key.labels)} edges, {len(key.space.operations)} "
        f"operations), each trained from scratch on {data.label.lower()} with **{' to '.join(map(str, seeds))} "
        f"seed{'s' if seeds[-1] > 1 else ''}**: {key.epochs} epochs on {data.facts['train']:,} images, "
        f"{str(SETTINGS['optimizer']).upper()} with momentum {SETTINGS['momentum']}, learning rate "
        f"{SETTINGS['learning_rate']} on a {SETTINGS['schedule']} schedule, batches of {SETTINGS['batch_size']}. "
        f"A search sees {key.sizes[0]:,} validation images; {key.sizes[1]:,} test images judge. "
        f"Trained one after the other on one core they would take {_duration(float(key.seconds @ key.seeds))}, "
        f"{float(key.seconds.mean()):.1f} s each.",
        help=term("answer key"),
    )
    if missing:
        st.caption(
            f"{missing:,} cells are not in this key; every rank here is among the {len(key.cells):,} that are."
        )
    st.info(
        "Ranks here say nothing about CIFAR-10 or any other data, nor about larger networks or longer training. The "
        "key judges searches of this space on this data, and no more.",
        icon=":material/warning:",
    )


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{seconds / 60:.0f} minutes"


def luck(key: Key) -> None:
    """How far two trainings of the same cell agree."""
    st.header("How much of a difference is luck?", anchor=False, help=term("seed luck"))
    told, why = known.reliability(key)
    if told is None:
        st.caption(why)
        return
    left, right = st.columns(2, gap="large")
    with left:
        facts(_reliable(told))
        st.markdown(_answer(told))
        st.caption(
            f"On {told.cells - told.dead:,} live cells, whose means lie between {100 * told.lowest:.1f} and "
            f"{100 * told.highest:.1f} % with a standard deviation of {100 * told.spread:.1f} points. {told.dead:,} "
            "cells that no path leads through are left out: they guess, and telling them apart is no art."
        )
    with right:
        _chart(lambda: known.seeds_chart(key), "seed-to-seed correlation")


def _reliable(told: Truth) -> list[tuple[str, str, str]]:
    return [
        ("Luck of a seed", f"{100 * told.sigma:.2f} points", term("seed luck")),
        ("ICC, one training", _share(told.icc), term("ICC")),
        (f"ICC, mean of {told.seeds}", _share(told.icc_of_mean), term("ICC")),
        ("Seed to seed", _share(told.seed_to_seed), term("seed-to-seed correlation")),
        ("Split-half", _share(told.split_half), term("split-half reliability")),
        ("Ceiling", _share(told.ceiling), term("ceiling")),
    ]


def _answer(told: Truth) -> str:
    if math.isnan(told.icc):
        return "All cells have the same mean: nothing here is a difference."
    return (
        f"Of the variance between single trainings **{100 * max(0.0, told.icc):.0f} %** is the cells' own, the rest is "
        f"the seed; of means over {told.seeds} seeds it is **{100 * max(0.0, told.icc_of_mean):.0f} %**. Another key "
        f"made alike would rank the cells with a Spearman correlation of {_share(told.split_half)} to this one, and a "
        f"predictor that knew the truth would reach {_share(told.ceiling)} against it: more is overfitting to this key."
    )


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def ties(key: Key) -> None:
    """What cannot be told apart, and the best cells with the bands around their ranks."""
    st.header("What can it not tell apart?", anchor=False, help=term("tie band"))
    told, why = known.reliability(key)
    left, right = st.columns(2, gap="large")
    with left:
        if told is None:
            st.caption(why)
        else:
            _tied(told)
    with right:
        if math.isnan(key.sigma):
            st.caption(
                "No live cell has two seeds, so nobody knows how large luck is; every rank may be any other."
            )
        else:
            _chart(lambda: known.ranks_chart(key), "tie band")
    _best(key)


def _tied(told: Truth) -> None:
    facts(
        [
            ("Resolution", f"{100 * told.resolution:.1f} points", term("resolution")),
            ("Like the best", f"{told.like_the_best:,}", term("like the best")),
            ("Maybe the best", f"{told.maybe_the_best:,}", term("maybe the best")),
        ]
    )
    like = told.like_the_best - 1
    st.markdown(
        f"Two cells with {told.seeds} seeds each differ only when their means lie more than "
        f"**{100 * told.resolution:.1f} points** apart. "
        + (
            f"**{like:,}** other{'s' if like > 1 else ''} cannot be told from the cell on rank 1. "
            if like
            else "The cell on rank 1 can be told from every other. "
        )
        + f"That cell was also lucky: with luck taken out, **{told.maybe_the_best:,}** in all may be the best. A "
        "search that ends among them has found all that this key can tell."
    )


def _best(key: Key) -> None:
    """The best cells; each shows its network when it is pointed at."""
    head = [(title, term(word)) for title, word, _ in HEAD]
    numbers = [at for at, (_, _, is_number) in enumerate(HEAD) if is_number]
    listed, drawn = st.columns([1.6, 1], gap="large")
    with listed:
        st.markdown("**What are the best cells?**", help=term("true rank"))
        film.shelf(shelf(head, known.listed(key), numbers, 0, "The best cells, one a row"), FILM)
    with drawn:
        st.markdown("**The network of the row you point at**", help=term("architecture"))
        moments = [Moment(known.architecture(key, place), key.text(place)) for place in known.best_cells(key)]
        film.architectures(key.space, moments, FILM)


def choices(key: Key) -> None:
    """Which operation on which edge matters, and how much of it is in single edges."""
    st.header("Which choice matters?", anchor=False, help=term("main effect"))
    whole = known.whole_tables(key)
    if not whole:
        st.caption(
            "Effects need every cell of a table, and this key holds none of the three whole: neither all cells, nor "
            "the 729 of three operations, nor the 125 of three nodes."
        )
        return
    table = st.segmented_control(
        "Over",
        whole,
        default=whole[0],
        key=f"answer_key/table/{key.dataset}",
        required=True,
        label_visibility="collapsed",
    )
    effects, shares = known.effects_charts(key, table or whole[0])
    left, right = st.columns(2, gap="large")
    with left:
        _shown(effects, "main effect")
    with right:
        _shown(shares, "functional ANOVA")


def carries_over(key: Key) -> None:
    """This key's ranks against the other's."""
    st.header("Does it carry over to other data?", anchor=False, help=term("transfer"))
    try:
        other = known.other_of(key)
    except ExplorerError as problem:
        st.caption(str(problem))
        return
    if other is None:
        st.caption(f"There is only the key of {key.dataset} here; a second one is needed to compare with.")
        return
    left, right = st.columns(2, gap="large")
    with left:
        _chart(lambda: known.transfer_chart(key, other), "transfer")
    with right:
        st.markdown(
            "Both datasets are the same 1,797 digits, spoiled in two ways, and the two keys share recipe and space. If "
            "ranks change even between these two, nothing can be expected of them on photographs."
        )


def _chart(make: Callable[[], known.Chart], word: str) -> None:
    """A chart, or in one sentence why there is none."""
    try:
        made = make()
    except ExplorerError as problem:
        st.caption(str(problem))
        return
    _shown(made, word)


def _shown(made: known.Chart, word: str) -> None:
    question, svg, answer, basis = made
    st.markdown(f"**{question}**", help=term(word))
    picture(svg)
    st.markdown(answer)
    st.caption(basis)

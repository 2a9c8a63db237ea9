"""The answer key: a whole cell space, trained exhaustively and repeatedly. numpy only."""

from explorer.key.around import Luck, Neighbour, Reached, best_within, neighbours, trials_to_match
from explorer.key.effects import LESSON, OF_THREE, Effects, effects
from explorer.key.look import (
    Accuracy,
    Estimate,
    Rank,
    Regret,
    accuracies,
    accuracy,
    answer,
    bands,
    margin,
    posterior,
    rank,
    regret,
)
from explorer.key.record import Cell, Key
from explorer.key.replay import Curve, at_epoch, curve, scores
from explorer.key.table import available, load
from explorer.key.truth import Transfer, Truth, spearman, transfer, truth

__all__ = [
    "LESSON",
    "OF_THREE",
    "Accuracy",
    "Cell",
    "Curve",
    "Effects",
    "Estimate",
    "Key",
    "Luck",
    "Neighbour",
    "Rank",
    "Reached",
    "Regret",
    "Transfer",
    "Truth",
    "accuracies",
    "accuracy",
    "answer",
    "at_epoch",
    "available",
    "bands",
    "best_within",
    "curve",
    "effects",
    "load",
    "margin",
    "neighbours",
    "posterior",
    "rank",
    "regret",
    "scores",
    "spearman",
    "transfer",
    "trials_to_match",
    "truth",
]

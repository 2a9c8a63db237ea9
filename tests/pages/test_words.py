"""Every term that a page explains is in the glossary, and every word of the design's table is there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from explorer.errors import UnknownName
from explorer.glossary import GLOSSARY, explain

ROOT = Path(__file__).resolve().parents[2]
DESIGN = (
    "search space, mutable, LayerChoice, InputChoice, ValueChoice, operation, candidate, primitive, cell, node, edge, "
    "normal cell, reduction cell, architecture, genotype, derive, trial, tuner, assessor, strategy, "
    "intermediate result, final result, optimize mode, run, trial status, run status, supernet, one-shot, alphas, "
    "probabilities, controller, policy, baseline, reward, entropy, search accuracy, retrained accuracy, answer key"
)


def terms_on_screen() -> set[str]:
    """Every literal word given to `term(...)`, and those in the tables that feed it."""
    found: set[str] = set()
    for path in (ROOT / "pages").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "term":
                found |= {arg.value for arg in call.args if isinstance(arg, ast.Constant)}
    return found


def test_every_term_on_screen_is_in_the_glossary() -> None:
    used = terms_on_screen()
    assert len(used) > 15
    assert used <= set(GLOSSARY)


def test_the_words_of_the_design_are_in_the_glossary() -> None:
    assert {word.strip() for word in DESIGN.split(",")} <= set(GLOSSARY)


def test_every_meaning_is_one_sentence_with_a_source() -> None:
    for term in GLOSSARY.values():
        assert term.meaning.endswith(".") and ". " not in term.meaning
        assert term.source


def test_a_word_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'trial'"):
        explain("trail")

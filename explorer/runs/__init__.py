"""Runs: what was asked (RunSpec), what happened (events), what that means (RunState, RunSummary), where it is
kept (Store).

Light: nothing here imports torch, nni or Streamlit, and nothing here starts a process; `explorer.jobs` does.
"""

from explorer.runs.events import EVENT_KINDS, TERMINAL, Event
from explorer.runs.spec import RunSpec, trial_seed
from explorer.runs.state import RunState, Trial, fold
from explorer.runs.store import Request, Store
from explorer.runs.summary import RunSummary, summarise

__all__ = [
    "EVENT_KINDS",
    "TERMINAL",
    "Event",
    "Request",
    "RunSpec",
    "RunState",
    "RunSummary",
    "Store",
    "Trial",
    "fold",
    "summarise",
    "trial_seed",
]

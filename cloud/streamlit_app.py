"""The entry point for Streamlit Community Cloud: the same app, within the limits of a small shared machine.

It lies in a folder of its own because the Cloud reads the requirements file beside the entry point, and there the CPU
build of torch is asked for. It decides nothing else: the app is ../streamlit_app.py.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run(entry: Path) -> None:
    """Execute the script `entry` anew, as Streamlit does with its main script at every run."""
    spec = importlib.util.spec_from_file_location("__main__", entry)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"There is no app at {entry}.")
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


os.environ.setdefault("EXPLORER_MODE", "cloud")
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # Streamlit puts this file's folder there, not the repository's
run(ROOT / "streamlit_app.py")

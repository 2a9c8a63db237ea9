"""Imported once by the supervisor's fork server, so that workers are forked warm. Imports, and does nothing
else.

No tensor operation, no CUDA query: either would start threads or a context that a fork cannot take along. A
module that cannot be imported is left out here; the worker that needs it says why.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from importlib import import_module

for _name in filter(None, os.environ.get("EXPLORER_PRELOAD", "").split(",")):
    try:
        import_module(_name)
    except Exception:
        print(f"preload: {_name} was left out", file=sys.stderr)
        traceback.print_exc()

gc.collect()
gc.freeze()  # keep the collector from touching, and so copying, pages that all workers share

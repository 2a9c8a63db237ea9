"""How long a run will take, guessed before it starts from the work that its architectures ask for."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from explorer.catalogue import DATASETS, TRAINING
from explorer.plots.leaderboard import space_of
from explorer.plots.progress import most_trials
from explorer.runs.spec import RunSpec
from explorer.space import Measured

# Measured with torch 2.13 on one core, one thread: `notes-net` and `cell` on digits, batches of 32.
STEP_SECONDS_A_LAYER = 160e-6
MACS_A_SECOND = 19e9
PASSES = 3  # forward, and twice as much backward
START_SECONDS = 2.0  # to be claimed, and to fork and warm the workers
TRIAL_SECONDS = 0.06  # test, events and the strategy, beside the training: 0.05 s of a core measured
SHARED = 1.2  # an epoch is so much longer on a busy machine: 0.084 s of a core on average, 0.07 at best
SAMPLED = 8


def estimated_seconds(spec: RunSpec) -> float | None:
    """Seconds for a whole run, good to a factor of two or so; None when its space cannot be read."""
    space = space_of(spec)
    if space is None or spec.dataset not in DATASETS or space.size == 0:
        return None
    images = DATASETS[spec.dataset].facts["train"]
    batch = spec.settings.get("training", {}).get("batch_size", TRAINING.defaults()["batch_size"])
    one = spec.architecture
    some = [space.architecture(one)] if one else space.sample(min(SAMPLED, space.size), random.Random(0))
    epochs = [_epoch_seconds(space.lower(architecture).rows, images, batch) for architecture in some]
    trials = spec.trials if one else most_trials(spec, space.size)
    rounds = math.ceil(trials / max(1, spec.workers))
    epoch = sum(epochs) / len(epochs) * (SHARED if min(trials, spec.workers) > 1 else 1.0)
    return START_SECONDS + rounds * (TRIAL_SECONDS + spec.epochs * epoch)


def _epoch_seconds(rows: Sequence[Measured], images: int, batch: int) -> float:
    steps = math.ceil(images / max(1, batch))
    return (
        steps * len(rows) * STEP_SECONDS_A_LAYER
        + images * PASSES * sum(row.macs for row in rows) / MACS_A_SECOND
    )

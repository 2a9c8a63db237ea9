"""How a controller is taught: REINFORCE with a moving baseline, as ENAS does it; what is asked of it when is elsewhere.

Pham, Guan, Zoph, Le & Dean 2018, section 2.2, arXiv:1802.03268, with Adam whose beta1 is 0 (melodyguan/enas,
`utils.py:218`); torch's adds its 1e-3 to the corrected root, TensorFlow's to the raw one.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from explorer.nets.controller import Rollout, skip_divergence

ADAM_BETAS, ADAM_EPSILON = (0.0, 0.999), 1e-3


def advantages(
    rewards: Sequence[float], baseline: float, decay: float, order: str
) -> tuple[list[float], float]:
    """R - b of each sample in turn, and the baseline after the last.

    The baseline follows each reward: b + (1 - decay) (R - b), `before` or `after` that sample's advantage is formed.
    """
    found = []
    for reward in rewards:
        following = baseline + (1 - decay) * (reward - baseline)
        found.append(reward - (following if order == "before" else baseline))
        baseline = following
    return found, baseline


def rewards(accuracies: Tensor, rollout: Rollout, entropy_weight: float) -> Tensor:
    """(n,): accuracy plus what entropy is worth; without graph, for it is a reward and not a loss."""
    return accuracies + entropy_weight * rollout.entropy.detach()


def policy_loss(rollout: Rollout, advantage: Tensor, skip_target: float, skip_weight: float) -> Tensor:
    """What the controller descends, a tensor (): its gradient is the REINFORCE estimator, and the skips' penalty."""
    loss = -(rollout.log_probability * advantage).mean()
    return loss + skip_weight * skip_divergence(rollout, skip_target).mean() if rollout.switched else loss

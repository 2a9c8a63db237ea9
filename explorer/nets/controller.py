"""ENAS's controller: an LSTM that decides an architecture one choice after the other.

Pham, Guan, Zoph, Le & Dean 2018, sections 2.1 to 2.3, arXiv:1802.03268. At every turn the LSTM reads what was chosen
last. An operation is drawn from a softmax over its candidates. A skip is drawn by attention: the controller's state is
compared with the *anchor* of each source, which is the LSTM's state when everything before that source was decided.

Where we differ from the authors' code, melodyguan/enas:

* A source also has a learned vector of its own, because two sources may follow the same decision.
* A fixed number of inputs is drawn without replacement and as a set: a set's logit is the sum of its sources' (the
  conditional Bernoulli of Chen, Dempster & Liu 1994). The authors draw each input alone, so one may come twice, and
  the same cell has several probabilities.
* Entropy is that of the whole row everywhere; the authors' macro controller takes -p log p of the drawn item only,
  which for K equal candidates is 1/K of the entropy (`general_controller.py:168`).
* The skip penalty looks at the probability that skips are drawn with, see `skip_divergence`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from explorer.errors import SpaceError
from explorer.space import (
    Architecture,
    CellSpace,
    InputChoice,
    LayerChoice,
    MacroSpace,
    SearchSpace,
    decisions,
)
from explorer.space.darts import INPUTS, KINDS, DartsSpace, darts_edge_label, inputs_label, operation_label
from explorer.space.network import INPUT

INITIAL = 0.1  # every parameter starts in U(-0.1, 0.1), as in the authors' code
SETS = 20_000  # most subsets that a choice of a fixed number of inputs may have
EXACT = 256  # spaces up to this size give exact marginals
SAMPLES = 64  # larger ones an average over so many architectures


@dataclass(frozen=True)
class Turn:
    """One decision of the controller; `anchors` are, for each source, how many turns come before that source."""

    mutable: LayerChoice | InputChoice
    anchors: tuple[int, ...] = ()


@dataclass(frozen=True)
class Rollout:
    """n architectures and what the controller thought of them.

    `log_probability` (n,) and `entropy` (n,), the sum over turns of the entropy of the row that was drawn from, in
    nats. `conditionals`: label -> (n, candidates) probabilities given the choices before; for an InputChoice
    (n, sources) the probability that each source is among the chosen. `switched`: label -> (n, sources) for each
    InputChoice with any number chosen, what the sigmoid turns into the probability of on.
    """

    architectures: tuple[Architecture, ...]
    log_probability: Tensor
    entropy: Tensor
    conditionals: Mapping[str, Tensor]
    switched: Mapping[str, Tensor] = field(default_factory=dict)


def turns(space: SearchSpace) -> tuple[Turn, ...]:
    """The decisions in the order in which the network meets them; raises SpaceError for what it cannot decide."""
    if isinstance(space, MacroSpace):
        return _macro_turns(space)
    if isinstance(space, DartsSpace):
        return _darts_turns(space)
    if isinstance(space, CellSpace):
        return tuple(Turn(mutable) for mutable in space.mutables if isinstance(mutable, LayerChoice))
    raise SpaceError(f"ENAS decides macro spaces and cells, not {space.family!r}; pick another method.")


def _macro_turns(space: MacroSpace) -> tuple[Turn, ...]:
    found: list[Turn] = []
    before = {INPUT: 0}
    for layer in space.layers:
        if isinstance(layer.content, LayerChoice):
            found.append(Turn(layer.content))
        for skip in space.skips:
            if skip.into == layer.name:
                found.append(Turn(skip, tuple(before[source] for source in skip.sources)))
        before[layer.name] = len(found)
    return tuple(found)


def _darts_turns(space: DartsSpace) -> tuple[Turn, ...]:
    found: list[Turn] = []
    choices = {mutable.label: mutable for mutable in space.mutables}
    for kind in KINDS:
        before = [len(found)] * INPUTS
        for target in space.targets:
            found.append(Turn(choices[inputs_label(kind, target)], tuple(before)))  # type: ignore[arg-type]
            found += [Turn(choices[operation_label(kind, target, at)]) for at in range(INPUTS)]  # type: ignore[arg-type]
            before.append(len(found))
    return tuple(found)


class _Drawn(NamedTuple):
    """One turn of n rollouts: what was picked, its log-probability and the row's entropy (n,), the row (n, k).

    Where each source is switched alone, `logits` (n, k) are what the sigmoid makes the row of.
    """

    pick: Tensor
    log_probability: Tensor
    entropy: Tensor
    row: Tensor
    logits: Tensor | None = None


def draw(probabilities: Tensor, generator: torch.Generator | None) -> Tensor:
    """(n, k) -> (n,): one of k candidates each."""
    return torch.multinomial(probabilities, 1, generator=generator)[:, 0]


def _one_of(logits: Tensor, pick: Tensor | None, generator: torch.Generator | None) -> _Drawn:
    log_row = logits.log_softmax(-1)  # (n, k)
    row = log_row.exp()
    if pick is None:
        pick = draw(row.detach(), generator)
    return _Drawn(pick, log_row.gather(1, pick[:, None])[:, 0], -(row * log_row).sum(-1), row)


def _set_of(query: Tensor, sets: Tensor, pick: Tensor | None, generator: torch.Generator | None) -> _Drawn:
    """`sets` (options, sources) holds 1 where a source is in the set."""
    drawn = _one_of(query @ sets.T, pick, generator)
    return drawn._replace(row=drawn.row @ sets)  # (n, sources)


def _any_of(query: Tensor, pick: Tensor | None, generator: torch.Generator | None) -> _Drawn:
    """Each source is switched alone by a softmax over (off, on) = (-query, query), so on with sigmoid(2 query)."""
    logits = 2 * query  # (n, sources)
    on, log_on, log_off = logits.sigmoid(), logsigmoid(logits), logsigmoid(-logits)
    if pick is None:
        pick = torch.bernoulli(on.detach(), generator=generator)
    log_probability = (pick * log_on + (1 - pick) * log_off).sum(-1)
    return _Drawn(pick, log_probability, -(on * log_on + (1 - on) * log_off).sum(-1), on, logits)


class Controller(nn.Module):
    """The policy over the architectures of `space`.

    Candidates of the same names share embedding and softmax in all turns, as in the paper; so do all attentions.
    Logits are divided by `temperature` and then squashed to +- `tanh_constant` (Bello et al. 2017, arXiv:1611.09940),
    which caps the probability of one among K candidates at 1 / (1 + (K - 1) exp(-2 tanh_constant)).
    """

    def __init__(
        self,
        space: SearchSpace,
        generator: torch.Generator,
        units: int = 64,
        temperature: float = 5.0,
        tanh_constant: float = 2.5,
    ) -> None:
        super().__init__()
        self.space, self.turns = space, turns(space)
        self.temperature, self.tanh_constant = temperature, tanh_constant
        self.start = nn.Parameter(torch.empty(units))
        self.cell = nn.LSTMCell(units, units)
        layers = [turn.mutable for turn in self.turns if isinstance(turn.mutable, LayerChoice)]
        self._families = {names: at for at, names in enumerate(dict.fromkeys(each.names for each in layers))}
        self.softmaxes = nn.ModuleList(nn.Linear(units, len(names)) for names in self._families)
        self.embeddings = nn.ModuleList(nn.Embedding(len(names), units) for names in self._families)
        inputs = [turn.mutable for turn in self.turns if isinstance(turn.mutable, InputChoice)]
        names = dict.fromkeys(source for each in inputs for source in each.sources)
        self._sources = {name: at for at, name in enumerate(names)}
        if inputs:
            self.sources = nn.Embedding(len(names), units)
            self.attend_anchor = nn.Linear(units, units, bias=False)
            self.attend_state = nn.Linear(units, units, bias=False)
            self.attend = nn.Linear(units, 1, bias=False)
        self._sets = {each.label: _sets(each) for each in inputs if each.n_chosen is not None}
        self.to(generator.device)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-INITIAL, INITIAL, generator=generator)

    def sample(self, count: int, generator: torch.Generator) -> Rollout:
        """`count` architectures drawn from the policy; gradients flow unless they are switched off outside."""
        return self._roll(count, {}, generator)

    def teach(self, architectures: Sequence[Mapping[str, Any]]) -> Rollout:
        """The same for given architectures (teacher forcing); raises SpaceError for what is none of the space."""
        checked = [self.space.architecture(each) for each in architectures]
        picks = {turn.mutable.label: self._picks(turn.mutable, checked) for turn in self.turns}
        return self._roll(len(checked), picks, None)

    def _roll(self, count: int, given: Mapping[str, Tensor], generator: torch.Generator | None) -> Rollout:
        state: tuple[Tensor, Tensor] | None = None
        digested = self.start.expand(count, -1)  # (n, units)
        hidden: list[Tensor] = []
        drawn: dict[str, _Drawn] = {}
        for turn in self.turns:
            state = self.cell(digested, state)
            hidden.append(state[0])
            pick = given.get(turn.mutable.label)
            if isinstance(turn.mutable, LayerChoice):
                family = self._families[turn.mutable.names]
                one = _one_of(self._squashed(self.softmaxes[family](state[0])), pick, generator)
                digested = self.embeddings[family](one.pick)
            else:
                anchors = self._anchors(turn, hidden)  # (n, sources, units)
                one = self._inputs(turn.mutable, self._query(anchors, state[0]), pick, generator)
                digested = self._mean(turn.mutable, anchors, one.pick)
            drawn[turn.mutable.label] = one
        return self._rollout(count, drawn)

    def _rollout(self, count: int, drawn: Mapping[str, _Drawn]) -> Rollout:
        choices = {
            turn.mutable.label: _choices(turn.mutable, drawn[turn.mutable.label].pick) for turn in self.turns
        }
        labels = [mutable.label for mutable in self.space.mutables]
        return Rollout(
            tuple(Architecture({label: choices[label][at] for label in labels}) for at in range(count)),
            torch.stack([one.log_probability for one in drawn.values()]).sum(0),
            torch.stack([one.entropy for one in drawn.values()]).sum(0),
            {label: one.row for label, one in drawn.items()},
            {label: one.logits for label, one in drawn.items() if one.logits is not None},
        )

    def _squashed(self, logits: Tensor) -> Tensor:
        return self.tanh_constant * torch.tanh(logits / self.temperature)

    def _anchors(self, turn: Turn, hidden: Sequence[Tensor]) -> Tensor:
        assert isinstance(turn.mutable, InputChoice)
        own = torch.tensor([self._sources[name] for name in turn.mutable.sources], device=self.start.device)
        return torch.stack([hidden[at] for at in turn.anchors], 1) + self.sources(own)  # (n, sources, units)

    def _query(self, anchors: Tensor, state: Tensor) -> Tensor:
        """Attention as in the paper's section 2.3: v . tanh(W anchor + W' state), one number a source."""
        attended = torch.tanh(self.attend_anchor(anchors) + self.attend_state(state)[:, None])
        return self._squashed(self.attend(attended)[..., 0])  # (n, sources)

    def _inputs(
        self, mutable: InputChoice, query: Tensor, pick: Tensor | None, generator: torch.Generator | None
    ) -> _Drawn:
        if mutable.n_chosen is None:
            return _any_of(query, pick, generator)
        return _set_of(query, self._sets[mutable.label].to(query), pick, generator)

    def _mean(self, mutable: InputChoice, anchors: Tensor, pick: Tensor) -> Tensor:
        """The chosen sources' anchors over 1 + how many there are, as in the authors' code: (n, units)."""
        held = (
            pick if mutable.n_chosen is None else self._sets[mutable.label].to(anchors)[pick]
        )  # (n, sources)
        return (held[:, None] @ anchors)[:, 0] / (1 + held.sum(-1, keepdim=True))

    def _picks(self, mutable: LayerChoice | InputChoice, architectures: Sequence[Architecture]) -> Tensor:
        chosen = [each[mutable.label] for each in architectures]
        if isinstance(mutable, InputChoice) and mutable.n_chosen is None:
            on = [[float(at in choice) for at in range(len(mutable.sources))] for choice in chosen]
            return torch.tensor(on, dtype=self.start.dtype, device=self.start.device)
        return torch.tensor([mutable.index(choice) for choice in chosen], device=self.start.device)

    @torch.no_grad()
    def marginals(self) -> dict[str, Tensor]:
        """Decision of the supernet -> (candidates,): how probable each candidate is, each row summing to 1.

        Exact where the space has at most 256 architectures. Above that the average of the conditional rows over 64
        architectures from a generator of its own, always seeded alike: an estimate that changes only when the policy
        does. A row of k inputs is divided by k. An edge of the DARTS cell has the probability that it is
        one of its node's two times that of the operation then; the rest stands on none, or, where the space has no
        none, the row is what holds given that the edge is taken.
        """
        rollout, weights = self._everything()
        if isinstance(self.space, DartsSpace):
            return _edges(self.space, rollout, weights)
        rows = {label: weights @ row for label, row in rollout.conditionals.items()}
        found: dict[str, Tensor] = {}
        for mutable in self.space.mutables:
            row = rows[mutable.label]
            if _free(mutable):
                found |= {f"{mutable.label}/{at}": torch.stack([1 - on, on]) for at, on in enumerate(row)}
            else:
                found[mutable.label] = row / row.sum()
        return {decision.label: found[decision.label] for decision in decisions(self.space)}

    def _everything(self) -> tuple[Rollout, Tensor]:
        """Rollouts and their weights (n,), over which averages are expectations under the policy."""
        if self.space.size <= EXACT:
            rollout = self.teach(list(self.space))
            return rollout, rollout.log_probability.exp()
        own = torch.Generator(self.start.device).manual_seed(0)
        return self.sample(SAMPLES, own), self.start.new_full((SAMPLES,), 1 / SAMPLES)


def _free(mutable: Any) -> bool:
    return isinstance(mutable, InputChoice) and mutable.n_chosen is None


def _sets(mutable: InputChoice) -> Tensor:
    """(options, sources): 1 where a source is in the option."""
    if mutable.count > SETS:
        raise SpaceError(
            f"{mutable.label} has {mutable.count:,} sets of inputs, and ENAS weighs at most {SETS:,}; "
            "give it fewer sources."
        )
    sets = torch.zeros(mutable.count, len(mutable.sources))
    for at in range(mutable.count):
        sets[at, list(mutable.option(at))] = 1.0
    return sets


def _choices(mutable: LayerChoice | InputChoice, pick: Tensor) -> list[Any]:
    if _free(mutable):
        return [tuple(at for at, on in enumerate(row) if on) for row in pick.tolist()]
    return [mutable.option(at) for at in pick.tolist()]


def _edges(space: DartsSpace, rollout: Rollout, weights: Tensor) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    derivable = [space.operations.index(name) for name in space.derivable]
    for kind in KINDS:
        for target in space.targets:
            taken = weights @ rollout.conditionals[inputs_label(kind, target)]  # (sources,)
            for source in range(target):
                given = _given_taken(rollout, weights, kind, target, source)
                row = given.new_zeros(len(space.operations))
                if "none" in space.operations:
                    held = taken[source].clamp(max=1.0)
                    row[derivable] = held * given
                    row[space.operations.index("none")] = 1 - held
                else:
                    row[derivable] = given
                found[darts_edge_label(kind, source, target)] = row
    return found


def _given_taken(rollout: Rollout, weights: Tensor, kind: str, target: int, source: int) -> Tensor:
    """(derivable operations,): the row of the edge's operation given that the edge is taken.

    Where no rollout takes it, what the node's inputs have on average.
    """
    rows = [
        rollout.conditionals[operation_label(kind, target, at)] for at in range(INPUTS)
    ]  # (n, operations)
    inputs = [each[inputs_label(kind, target)] for each in rollout.architectures]
    shares = [
        weights * weights.new_tensor([chosen[at] == source for chosen in inputs]) for at in range(INPUTS)
    ]
    if not sum(share.sum() for share in shares) > 0:
        shares = [weights] * INPUTS
    total = sum((share @ row for share, row in zip(shares, rows, strict=True)), torch.zeros_like(rows[0][0]))
    return total / total.sum()


def skip_divergence(rollout: Rollout, target: float) -> Tensor:
    """(n,): KL from each skip's probability to `target`, summed over sources, averaged over InputChoices; 0 without.

    The probability is the one that skips are drawn with, so the penalty alone leads to `target`. The authors take
    sigmoid(q) here (`general_controller.py:231`) and draw with sigmoid(2 q): their penalty with target 0.4 is least
    where skips are drawn with 0.3077.
    """
    switches = rollout.switched.values()
    if not switches:
        return torch.zeros_like(rollout.log_probability)
    return torch.stack([bernoulli_divergence(logits, target).sum(-1) for logits in switches]).mean(0)


def bernoulli_divergence(logits: Tensor, target: float) -> Tensor:
    """KL(Bernoulli(sigmoid(logits)) || Bernoulli(target)) in nats, elementwise.

    From logits, because the logarithm of a probability that rounds to 0 is no finite number.
    """
    on, off = logits.sigmoid(), (-logits).sigmoid()
    return on * (logsigmoid(logits) - math.log(target)) + off * (logsigmoid(-logits) - math.log(1 - target))

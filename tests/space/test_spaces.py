"""Promises that every search space keeps, held over the presets and over generated spaces."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.catalogue import SPACES
from explorer.errors import SpaceError, SpecError
from explorer.space import (
    Architecture,
    CellSpace,
    DartsSpace,
    Mutable,
    SearchSpace,
    architecture_text,
    canonical,
    check,
    cost_range,
    distinct_cells,
    edge_label,
    from_nasbench201,
    full_edges,
    load_architecture,
    load_space,
    node_ranges,
    pack,
    preset,
    space_from_json,
    space_reference,
    to_nasbench201,
    unpack,
)
from explorer.space.costs import extremes
from explorer.space.mutables import Choice
from tests.space.generated import darts_spaces, macro_spaces, small_spaces

ANY_SPACE = st.one_of(st.sampled_from([preset(name) for name in SPACES]), macro_spaces(), darts_spaces())


@pytest.mark.parametrize("name", SPACES)
def test_every_preset_survives_a_round_trip_through_json(name: str) -> None:
    space = preset(name)
    assert space_from_json(space.to_json()) == space
    assert space.name == name


@given(ANY_SPACE)
@settings(max_examples=60, deadline=None)
def test_every_space_survives_a_round_trip_through_json_and_links(space: SearchSpace) -> None:
    assert space_from_json(space.to_json()) == space
    assert load_space(pack(space.to_json())).hash == space.hash


@given(ANY_SPACE, st.data())
@settings(max_examples=100, deadline=None)
def test_numbers_codes_and_texts_name_exactly_one_architecture(
    space: SearchSpace, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, space.size - 1))
    architecture = space.architecture_at(index)
    assert space.index_of(architecture) == index
    assert space.from_code(space.code(architecture)) == architecture
    named, again = load_architecture(architecture_text(space, architecture))
    assert (named.hash, again) == (space.hash, architecture)
    assert space.architecture(architecture.to_json()) == architecture


@given(small_spaces())
@settings(max_examples=40, deadline=None)
def test_enumeration_meets_every_architecture_once(space: SearchSpace) -> None:
    if space.size > 3000:
        return
    assert len(set(space)) == space.size


@given(ANY_SPACE, st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_sampling_is_distinct_and_repeats_with_its_seed(space: SearchSpace, seed: int) -> None:
    drawn = space.sample(12, random.Random(seed))
    assert len(set(drawn)) == min(12, space.size)
    assert drawn == space.sample(12, random.Random(seed))


def test_sampling_is_uniform() -> None:
    space = preset("notes-net")
    counts = dict.fromkeys(space, 0)
    rng = random.Random(7)
    for _ in range(8000):
        counts[space.sample(1, rng)[0]] += 1
    chi_squared = sum((count - 1000) ** 2 / 1000 for count in counts.values())
    assert chi_squared < 24.3  # the 0.1 % point of chi-squared with 7 degrees of freedom


@given(ANY_SPACE, st.data())
@settings(max_examples=60, deadline=None)
def test_neighbours_differ_in_one_choice_and_know_each_other(space: SearchSpace, data: st.DataObject) -> None:
    here = space.architecture_at(data.draw(st.integers(0, space.size - 1)))
    neighbours = list(space.neighbours(here))
    assert len(set(neighbours)) == len(neighbours)
    for there in neighbours[:20]:
        assert sum(here[label] != there[label] for label in here) == 1
        assert here in set(space.neighbours(there))


def test_a_cell_has_24_neighbours() -> None:
    space = preset("cell")
    assert len(list(space.neighbours(space.from_code("340213")))) == 24


@given(macro_spaces())
@settings(max_examples=60, deadline=None)
def test_an_exact_cost_range_is_what_enumeration_finds(space: SearchSpace) -> None:
    if space.size > 3000:
        return
    networks = [space.lower(architecture) for architecture in space]
    found = cost_range(space)
    parameters = [network.parameters for network in networks]
    macs = [network.macs for network in networks]
    if found.exact:
        assert found.parameters == (min(parameters), max(parameters))
        assert found.macs == (min(macs), max(macs))
    assert min(parameters) <= found.parameters[0] <= found.parameters[1] <= max(parameters)


@given(small_spaces())
@settings(max_examples=40, deadline=None)
def test_node_ranges_cover_every_node_of_every_architecture(space: SearchSpace) -> None:
    if space.size > 500:
        return
    found = {row.name: row for row in node_ranges(space)}
    seen: dict[str, set[tuple[int, ...]]] = {}
    counts = dict.fromkeys(found, 0)
    for architecture in space:
        names = [row.node.name for row in space.lower(architecture).rows]
        assert names == [name for name in found if name in names]
        for row in space.lower(architecture).rows:
            counts[row.node.name] += 1
            seen.setdefault(row.node.name, set()).add(row.shape)
            low, high = found[row.node.name].parameters
            assert low <= row.parameters <= high
    assert {name: set(row.shapes) for name, row in found.items()} == seen
    assert {name for name, row in found.items() if row.always} == {
        n for n in counts if counts[n] == space.size
    }


def test_only_the_skip_of_the_notes_network_is_not_always_there() -> None:
    ranges = {row.name: row for row in node_ranges(preset("notes-net"))}
    assert [name for name, row in ranges.items() if not row.always] == ["skip/0", "skip/sum"]
    assert ranges["conv1"].parameters == (224, 608)
    assert ranges["skip/0"].parameters == (128, 128)
    assert list(ranges)[4:8] == ["conv2", "skip/0", "skip/sum", "relu2"]


def test_the_cell_range_is_exact_although_it_is_not_enumerated() -> None:
    space = preset("cell")
    found = cost_range(space)
    assert found.exact
    convolutions = space.lower(space.from_code("333333"))
    assert (found.parameters[1], found.macs[1]) == (convolutions.parameters, convolutions.macs)
    pools = space.lower(space.from_code("444444"))
    assert (found.parameters[0], found.macs[0]) == (pools.parameters, pools.macs)


def test_a_hash_depends_on_what_is_built_and_not_on_its_name() -> None:
    space = preset("cell")
    assert replace(space, name="mine", title="Mine").hash == space.hash
    assert replace(space, channels=8).hash != space.hash  # type: ignore[call-arg]
    assert {preset(name).hash for name in SPACES} == {
        "f8ab620ec6498285",
        "b28879e0e81a3f0c",
        "6b2b59c3e97ea49a",
        "a6729a40c5b157d8",
        "a7d8cc6787d8a560",
        "54f0181d2e081747",
    }  # written down so that a link or a stored run made today is still recognised tomorrow


def test_a_preset_with_other_settings_is_a_space_of_its_own() -> None:
    same, other = preset("darts-cell", nodes=2), preset("darts-cell", nodes=4, channels=16)
    assert same == preset("darts-cell")
    assert other.name == "darts-cell-nodes-4-channels-16"
    assert load_space(space_reference(other)) == other
    assert space_reference(same) == "darts-cell"


def test_impossible_settings_of_a_preset_are_refused_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        preset("darts-cell", nodes=9, cells=2, layers=3)
    assert len(caught.value.problems) == 3
    with pytest.raises(SpecError, match="channels"):
        preset("cell", channels=8)


# -- costs of DARTS cells ------------------------------------------------------------------------------


def costs_of(space: SearchSpace, architectures: Iterable[Architecture]) -> tuple[tuple[int, int], ...]:
    """Smallest and largest parameters, smallest and largest MACs."""
    networks = [space.lower(architecture) for architecture in architectures]
    parameters, macs = [network.parameters for network in networks], [network.macs for network in networks]
    return (min(parameters), max(parameters)), (min(macs), max(macs))


def by_single_choices(space: SearchSpace) -> list[Architecture]:
    """The mutant: each choice alone, as if an operation cost the same from every source."""

    def best(mutable: Mutable, measure: str, pick: Callable[..., Choice]) -> Choice:
        edits = {
            option: space.default.with_choice(mutable.label, option)
            for option in map(mutable.option, range(mutable.count))
        }
        return pick(edits, key=lambda option: getattr(space.lower(edits[option]), measure))

    return [
        space.architecture({mutable.label: best(mutable, measure, pick) for mutable in space.mutables})
        for measure in ("parameters", "macs")
        for pick in (min, max)
    ]


@given(darts_spaces(is_small=True))
@settings(max_examples=15, deadline=None)
def test_the_extremes_of_darts_cells_are_what_enumeration_finds(space: DartsSpace) -> None:
    assert costs_of(space, extremes(space)) == costs_of(space, space)


@pytest.mark.slow
def test_operations_that_cost_more_from_the_cells_inputs_do_not_mislead_the_range() -> None:
    """In a reduction cell a skip from an input learns weights, one from a node none: choices alone do not add up."""
    space = replace(preset("darts-cell"), operations=("sep_conv_3x3", "skip_connect"))  # type: ignore[call-arg]
    wanted = costs_of(space, space)
    assert costs_of(space, extremes(space)) == wanted
    found = cost_range(space)
    assert found.exact and (found.parameters, found.macs) == wanted
    assert costs_of(space, by_single_choices(space)) != wanted


# -- counting cells ------------------------------------------------------------------------------------


def small_cell(nodes: int, *operations: str) -> CellSpace:
    space = preset("cell")
    assert isinstance(space, CellSpace)
    return replace(space, nodes=nodes, edges=full_edges(nodes), operations=operations or space.operations)


def test_sizes_are_the_published_ones() -> None:
    assert preset("cell").size == 15_625
    assert preset("notes-net").size == 8


def darts_count(nodes: int, operations: int) -> int:
    """Liu, Simonyan & Yang 2019, section 3.1.1: for each node a pair of its inputs and two operations, both cells."""
    return math.prod((k + 1) * k // 2 * operations**2 for k in range(1, nodes + 1)) ** 2


def test_the_darts_space_counts_as_the_paper_does() -> None:
    space = preset("darts-cell", nodes=4)
    assert space.size == darts_count(4, operations=7)
    assert space.size == 1_037_664_180**2  # about 10^18, as the paper says
    assert space.size != darts_count(4, operations=8)  # the mutant: `none` in a derived cell
    assert preset("darts-cell").size == darts_count(2, operations=7)


def test_the_enas_space_counts_as_the_paper_does() -> None:
    """Section 2.3: 6^L operations and 2^(L (L - 1) / 2) skips."""
    assert preset("enas-macro").size == 6**6 * 2**15
    assert preset("enas-macro", layers=12).size == 6**12 * 2**66


def test_three_node_cells_count_60_different_ones_of_125() -> None:
    assert (small_cell(3).size, distinct_cells(small_cell(3))) == (125, 60)


def test_the_coarser_count_of_nas_bench_201_is_reproduced_by_its_own_rule() -> None:
    """Section 2.1 of the paper reports 6,466 unique topologies; its rule keeps cut inputs as '#' in a sum."""
    space = small_cell(4)

    def published(architecture: object) -> str:
        nodes = {0: "0"}
        for target in range(1, 4):
            terms = []
            for source in range(target):
                operation = architecture[edge_label((source, target))]  # type: ignore[index]
                if operation == "none" or nodes[source] == "#":
                    terms.append("#")
                elif operation == "skip_connect":
                    terms.append(nodes[source])
                else:
                    terms.append(f"({nodes[source]})@{operation}")
            nodes[target] = "+".join(sorted(terms))
        return nodes[3]

    assert len({published(architecture) for architecture in space}) == 6466


def test_isomorphic_cells_are_those_that_compute_the_same_numbers() -> None:
    """The oracle: cells as functions, every convolution a scalar map named by its edge, under all renamings."""
    import itertools

    space = small_cell(4)
    rng = random.Random(3)
    edges = full_edges(4)

    def output(architecture: object, weights: dict[tuple[int, int], float]) -> float:
        values = {0: 0.37}
        for target in range(1, 4):
            values[target] = 0.0
            for source in range(target):
                operation = architecture[edge_label((source, target))]  # type: ignore[index]
                x = values[source]
                if operation == "skip_connect":
                    values[target] += x
                elif operation == "avg_pool_3x3":
                    values[target] += math.sin(3 * x)  # any fixed map with 0 -> 0 that tells sums apart
                elif operation != "none":
                    scale = 1.0 if operation == "nor_conv_1x1" else 2.0
                    values[target] += math.sinh(scale * weights[source, target] * x) / scale
        return values[3]

    pool = [rng.uniform(0.3, 1.2) for _ in edges]
    cells = space.sample(120, rng)
    cells += [
        neighbour for cell in cells[:20] for neighbour in itertools.islice(space.neighbours(cell), 0, 24, 4)
    ]
    fingerprints = {}
    for cell in cells:
        outputs = {
            round(output(cell, dict(zip(edges, order, strict=True))), 9)
            for order in itertools.permutations(pool)
        }
        fingerprints[cell] = frozenset(outputs)
    groups: dict[str, set[frozenset[float]]] = {}
    for cell, fingerprint in fingerprints.items():
        groups.setdefault(canonical(space, cell), set()).add(fingerprint)
    assert all(len(found) == 1 for found in groups.values())
    assert len(groups) == len(set(fingerprints.values()))


def test_nas_bench_201_strings_go_both_ways() -> None:
    space = preset("cell")
    assert isinstance(space, CellSpace)
    architecture = space.from_code("340213")
    text = to_nasbench201(space, architecture)
    assert text == ("|nor_conv_3x3~0|+|avg_pool_3x3~0|none~1|+|nor_conv_1x1~0|skip_connect~1|nor_conv_3x3~2|")
    assert from_nasbench201(space, text) == architecture
    assert load_architecture(text)[1] == load_architecture("cell:" + text)[1] == architecture


def test_a_dead_cell_is_told_apart_from_a_live_one() -> None:
    space = preset("cell")
    assert not space.lower(space.from_code("000000")).is_connected
    assert not space.lower(space.from_code("333000")).is_connected
    assert space.lower(space.from_code("000100")).is_connected


def test_a_space_that_follows_its_dataset_takes_over_shape_and_classes() -> None:
    bound = preset("cell").bound_to(channels=3, side=32, classes=4)
    network = bound.lower(bound.default)
    assert network.input_shape == (3, 32, 32)
    assert network.output_shape == (4,)
    assert preset("notes-net").bound_to(1, 8, 4) == preset("notes-net")


@pytest.mark.parametrize("name", ["cell", "darts-cell", "enas-macro"])
def test_what_follows_its_dataset_runs_on_any_of_them(name: str) -> None:
    for channels, side in ((1, 28), (3, 32), (2, 9), (1, 1)):
        bound = preset(name).bound_to(channels, side, classes=10)
        assert check(bound, classes=10) == []
        assert bound.lower(bound.default).input_shape == (channels, side, side)


def test_packed_links_hold_any_json() -> None:
    form = {"b": [1, 2.5, None, "ä"], "a": {"x": True}}
    assert unpack(pack(form)) == form


def test_choices_are_checked_all_at_once() -> None:
    space = preset("notes-net")
    with pytest.raises(SpaceError) as caught:
        space.architecture({"conv1": "conv9x9", "skip": [1], "extra": 1})
    assert len(caught.value.problems) == 4
    assert "pick one of conv3x3, conv5x5" in str(caught.value)

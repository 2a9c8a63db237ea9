"""Generated code: it runs, computes what our own network computes, and nobody's text breaks out of it."""

from __future__ import annotations

import ast
import importlib.util
import itertools
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.errors import SpaceError
from explorer.export.nni_code import nni_code
from explorer.export.reserved import RESERVED
from explorer.export.torch_code import torch_code
from explorer.export.writing import identifiers, literal, remark
from explorer.nets.network import NetworkModule
from explorer.nets.nni_modules import LayerChoice, ModelSpace
from explorer.space import (
    Architecture,
    Input,
    InputChoice,
    Layer,
    MacroSpace,
    Operation,
    SearchSpace,
    ValueChoice,
    check,
    preset,
)
from explorer.space import LayerChoice as Choice
from tests.nets.spaces import changing
from tests.space.generated import macro_spaces

Load = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Write code to a file of its own and import it, as a person would."""
    folder, number = tmp_path_factory.mktemp("generated"), itertools.count()

    def imported(code: str) -> ModuleType:
        path = Path(folder) / f"generated_{next(number)}.py"
        path.write_text(code)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        return module

    return imported


def check_equal(space: SearchSpace, architecture: Architecture, generated: nn.Module) -> None:
    """The generated network gives our network's outputs for our network's weights, carried over in order."""
    ours = NetworkModule(space.lower(architecture))
    images = torch.randn(3, *space.input.shape, generator=torch.Generator().manual_seed(0))
    generated(
        images
    ).sum().backward()  # lazy layers take shape; what no gradient reaches belongs to no chosen skip
    weights = [weight for weight in generated.parameters() if weight.grad is not None]
    ours(images).sum().backward()
    sources = [weight for weight in ours.parameters() if weight.grad is not None]
    with torch.no_grad():
        for weight, source in zip(weights, sources, strict=True):
            weight.copy_(source)
    torch.testing.assert_close(generated.train()(images), ours.train()(images))


def test_torch_code_of_every_notes_net_computes_the_same(load: Load) -> None:
    space = preset("notes-net")
    for architecture in space:
        check_equal(space, architecture, load(torch_code(space, architecture)).Net())


def test_nni_code_of_notes_net_frozen_to_each_architecture_computes_the_same(load: Load) -> None:
    space = preset("notes-net")
    for architecture in space:
        check_equal(space, architecture, load(nni_code(space, architecture)).frozen_network())


@pytest.mark.parametrize("code", ["340213", "000000", "123412", "222222", "444444", "100003", "030303"])
def test_both_codes_of_a_cell_compute_the_same(load: Load, code: str) -> None:
    space = preset("cell").bound_to(1, 8, 7)
    architecture = space.from_code(code)
    check_equal(space, architecture, load(torch_code(space, architecture)).Net())
    check_equal(space, architecture, load(nni_code(space, architecture)).frozen_network())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_both_codes_follow_shapes_that_choices_change(load: Load) -> None:
    space = changing()
    for architecture in space.sample(12, random.Random(0)):
        check_equal(space, architecture, load(torch_code(space, architecture)).Net())
        check_equal(space, architecture, load(nni_code(space, architecture)).frozen_network())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(space=macro_spaces())
def test_both_codes_of_generated_spaces_compute_the_same(load: Load, space: SearchSpace) -> None:
    architecture = space.sample(1, random.Random(0))[0]
    check_equal(space, architecture, load(torch_code(space, architecture)).Net())
    check_equal(space, architecture, load(nni_code(space, architecture)).frozen_network())


def test_nni_reads_the_same_choices_from_the_code(load: Load) -> None:
    simple = load(nni_code(preset("notes-net"))).Net().simplify()
    assert list(simple["conv1"].values) == ["conv3x3", "conv5x5"]
    assert simple["skip"].n_chosen is None


def test_the_code_stands_alone() -> None:
    space = preset("notes-net")
    for code, allowed in (
        (torch_code(space, space.default), {"torch"}),
        (nni_code(space, space.default), {"torch", "nni"}),
    ):
        imported = set()
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
        assert imported == allowed


def test_writing_code_loads_neither_torch_nor_nni() -> None:
    script = (
        "import sys; from explorer.export.nni_code import nni_code; from explorer.export.torch_code import torch_code; "
        "from explorer.space import preset; space = preset('cell'); nni_code(space, space.default); "
        "torch_code(space, space.default); assert not {'torch', 'nni'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_what_cannot_run_is_refused_with_every_problem() -> None:
    space = preset("notes-net-as-written")
    for write in (lambda: nni_code(space), lambda: torch_code(space, space.from_code("001"))):
        with pytest.raises(SpaceError) as caught:
            write()
        assert len(caught.value.problems) == 2


HOSTILE = (
    '"); raise SystemExit("out") #',
    "'''\nimport os\n'''",
    '"""\nraise SystemExit\n"""',
    "\\",
    "\r\nraise SystemExit\r\n",
    "\u2028raise SystemExit",
    "class",
    "match",
    "forward",
    "freeze",
    "x",
    "self",
    "torch",
    "nn",
    "Net",
    "3x3",
    "__init__",
    "🙂",
    "{0}%s",
)


def hostile_space(name: str) -> MacroSpace:
    """`name` wherever a person may write: space, layer, candidate, value and skip."""
    conv = Operation("conv2d", {"out_channels": 3, "kernel_size": 3, "padding": 1})
    return MacroSpace(
        name,
        Input(3, 6),
        title=name,
        remarks=(name,),
        layers=(
            Layer(name, Choice(name, ((name, conv), (name + "'", Operation("identity"))))),
            Layer(name + ".", Operation("conv2d", {"out_channels": ValueChoice(name + "=", (2, 4))})),
            Layer(name + "/", Operation("global_avg_pool")),
            Layer(name + " ", Operation("linear", {"out_features": 2})),
        ),
        skips=(InputChoice(name + "-", (name, "input"), name + "."),),
    )


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_out_of_the_code(load: Load, name: str) -> None:
    space = hostile_space(name)
    assert not check(space)
    for architecture in (space.default, space.architecture_at(space.size - 1)):
        check_equal(space, architecture, load(torch_code(space, architecture)).Net())
        check_equal(space, architecture, load(nni_code(space, architecture)).frozen_network())


@given(st.lists(st.text(max_size=8), unique=True, max_size=10))
def test_identifiers_are_distinct_and_python_and_torch_take_them(names: list[str]) -> None:
    found = identifiers(names)
    assert len(set(found.values())) == len(names)
    module = nn.Module()
    for name in found.values():
        ast.parse(f"self.{name} = {name}")
        module.add_module(name, nn.Identity())


@given(st.text())
def test_a_remark_is_one_comment(text: str) -> None:
    assert remark(text).startswith("# ")
    assert (
        ast.parse(f"{remark(text)}\n0").body == ast.parse("\n0").body
        or len(ast.parse(remark(text)).body) == 0
    )
    assert len(remark(text).splitlines()) == 1


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_a_literal_is_the_value(value: Any) -> None:
    assert ast.literal_eval(literal(value)) == value
    assert len(literal(value).splitlines()) == 1


def test_a_literal_of_anything_else_is_refused() -> None:
    with pytest.raises(TypeError):
        literal(object())


def test_every_name_that_torch_and_nni_use_is_reserved() -> None:
    class Space(ModelSpace):
        def __init__(self) -> None:
            super().__init__()
            self.only = LayerChoice([nn.Identity()], label="only")

    space = Space()
    used = {name for thing in (nn.Module(), nn.ModuleDict(), space, space.only) for name in dir(thing)}
    assert {name for name in used if not name.startswith("_")} - {"only"} <= RESERVED

"""The pieces that generated torch and NNI code share: safe names, safe texts, one layer as an expression.

Labels, layer names and candidates come from people. Nothing of theirs reaches code except through `identifiers`
(letters, digits, _), `remark` (a comment that stays one line) or `literal` (a plain value, quoted).
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterable, Mapping
from typing import Any

from explorer.export.reserved import RESERVED
from explorer.space import CellSpace, Node, Shape

LOCAL = frozenset(
    (
        "x",
        "self",
        "torch",
        "nn",
        "nni",
        "functional",
        "image",
        "chosen",
        "center_crop",
        "Align",
        "Cell",
        "Depthwise",
        "FactorizedReduce",
        "Net",
        "NormalCell",
        "ReductionCell",
        "Zero",
        "avg_pool",
        "conv_1x1",
        "conv_bn_relu",
        "conv_edge",
        "dil_conv",
        "max_pool",
        "sep_conv",
        "sep_conv_bn_relu",
    )
)

CENTER_CROP = '''
def center_crop(images, side):
    """The middle side x side pixels."""
    top, left = (images.shape[2] - side) // 2, (images.shape[3] - side) // 2
    return images[:, :, top : top + side, left : left + side]
'''

CONV_EDGE = '''
def conv_edge(channels, kernel_size):
    """ReLU, convolution, batch norm, as on the edges of NAS-Bench-201."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel_size, padding=kernel_size // 2, bias=False),
        nn.BatchNorm2d(channels, affine=False),
    )
'''

# What generated code may call; `helpers` takes in what a body uses.
HELPERS: Mapping[str, str] = {
    "conv_bn_relu": '''
def conv_bn_relu(channels, out_channels, kernel_size):
    """Convolution that keeps the side, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )
''',
    "sep_conv_bn_relu": '''
def sep_conv_bn_relu(channels, out_channels, kernel_size):
    """Depthwise and then 1x1 convolution that keep the side, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, kernel_size, padding=kernel_size // 2, groups=channels, bias=False),
        nn.Conv2d(channels, out_channels, 1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )
''',
    "Depthwise": '''
class Depthwise(ParametrizedModule):
    """Depthwise convolution over as many channels as the first batch has."""

    def __init__(self, kernel_size):
        super().__init__()
        self.kernel_size, self.conv = kernel_size, None

    def forward(self, x):
        if self.conv is None:
            channels, side = x.shape[1], self.kernel_size
            self.conv = nn.Conv2d(channels, channels, side, padding=side // 2, groups=channels, bias=False)
            self.conv.to(x.device)
        return self.conv(x)
''',
    "FactorizedReduce": '''
class FactorizedReduce(nn.Module):
    """Half the side: one 1x1 convolution sees the even pixels, one the odd ones."""

    def __init__(self, channels, out_channels):
        super().__init__()
        self.even = nn.Conv2d(channels, out_channels // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(channels, out_channels // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(out_channels, affine=False)

    def forward(self, x):
        x = torch.relu(x)
        odd = functional.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2))[:, :, 1:, 1:]
        return self.norm(torch.cat([self.even(x), self.odd(odd)], dim=1))
''',
    "conv_1x1": '''
def conv_1x1(channels, out_channels):
    """ReLU, 1x1 convolution, batch norm: the entrance of a cell."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, out_channels, 1, bias=False),
        nn.BatchNorm2d(out_channels, affine=False),
    )
''',
    "max_pool": '''
def max_pool(channels, stride=1):
    """3x3 max pooling, batch norm."""
    return nn.Sequential(
        nn.MaxPool2d(3, stride=stride, padding=1), nn.BatchNorm2d(channels, affine=False)
    )
''',
    "avg_pool": '''
def avg_pool(channels, stride=1):
    """3x3 average pooling, batch norm."""
    return nn.Sequential(
        nn.AvgPool2d(3, stride=stride, padding=1, count_include_pad=False),
        nn.BatchNorm2d(channels, affine=False),
    )
''',
    "sep_conv": '''
def sep_conv(channels, kernel_size, stride=1):
    """Twice: ReLU, depthwise and 1x1 convolution, batch norm."""
    layers = []
    for step in (stride, 1):
        padding = kernel_size // 2
        layers += [
            nn.ReLU(),
            nn.Conv2d(channels, channels, kernel_size, step, padding, groups=channels, bias=False),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels, affine=False),
        ]
    return nn.Sequential(*layers)
''',
    "dil_conv": '''
def dil_conv(channels, kernel_size, stride=1):
    """ReLU, depthwise convolution over every second pixel, 1x1 convolution, batch norm."""
    padding = kernel_size - 1
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel_size, stride, padding, dilation=2, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels, affine=False),
    )
''',
}


def helpers(body: str) -> str:
    """The functions and classes of HELPERS that `body` calls, each behind an empty line."""
    return "".join(f"{text}\n" for name, text in HELPERS.items() if re.search(rf"\b{name}\(", body))


def identifiers(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Name -> a Python identifier of its own, free to be an attribute of a torch or NNI module."""
    given: dict[str, str] = {}
    used = {*RESERVED, *LOCAL, *taken}
    for name in names:
        base = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_") or "layer"
        base = f"layer_{base}" if base[0].isdigit() else base
        safe, number = base, 2
        while safe in used or keyword.iskeyword(safe) or keyword.issoftkeyword(safe):
            safe, number = f"{base}_{number}", number + 1
        used.add(safe)
        given[name] = safe
    return given


def remark(text: str) -> str:
    """One line of comment; whatever could end it is gone."""
    return "# " + re.sub(r"[^\w .,:;()+/=-]", "?", text, flags=re.ASCII)[:100]


def literal(value: Any) -> str:
    """A plain value as Python writes it, texts in double quotes; raises TypeError for anything else."""
    if isinstance(value, str):
        return json.dumps(value) if value.isascii() else ascii(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(literal, value)) + "]"
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    raise TypeError(f"{type(value).__name__} is no plain value.")


def module(
    node: Node, shape: Shape, variables: Mapping[str, str] | None = None, is_open: bool = False
) -> str:
    """The expression that builds the operation of `node` for an input of `shape`.

    `variables` are parameters that an `nni.choice` of that name decides; with `is_open` the input has no one shape, and
    torch infers it from the first batch.
    """
    variables = variables or {}
    prefix = ("Mutable" if variables else "nn.") + ("Lazy" if is_open else "")
    given = {name: variables.get(name, literal(value)) for name, value in node.parameters.items()}
    arriving = [] if is_open else [str(shape[0])]
    if node.operation == "conv2d":
        kernel = f"kernel_size={given['kernel_size']}"
        options = _unless(given, stride="1", padding="0", bias="True")
        return f"{prefix}Conv2d({', '.join([*arriving, given['out_channels'], kernel, *options])})"
    if node.operation == "linear":
        return f"{prefix}Linear({', '.join([*arriving, given['out_features']])})"
    if node.operation == "batch_norm2d":
        return "BatchNorm()" if is_open else f"nn.BatchNorm2d({shape[0]})"
    if node.operation in ("conv_bn_relu", "sep_conv_bn_relu"):
        return _block(node.operation, given, shape, variables, is_open)
    prefix = prefix.removesuffix("Lazy")
    if node.operation == "max_pool2d":
        return f"{prefix}MaxPool2d({', '.join(_window(given))})"
    if node.operation == "avg_pool2d":
        return f"{prefix}AvgPool2d({', '.join([*_window(given), 'count_include_pad=False'])})"
    return PLAIN[node.operation]


def _block(
    operation: str, given: Mapping[str, str], shape: Shape, variables: Mapping[str, str], is_open: bool
) -> str:
    """Convolution, norm and ReLU: a helper where all is known, else layers that NNI and torch decide on later."""
    out, side, arriving = given["out_channels"], given["kernel_size"], str(shape[0])
    if not variables and not is_open:
        return f"{operation}({arriving}, {out}, {side})"
    padding = f"{side} // 2" if "kernel_size" in variables else str(int(side) // 2)
    window = "Mutable" if "kernel_size" in variables else "nn."
    width = "Mutable" if "out_channels" in variables else "nn."
    both = "Mutable" if variables else "nn."
    lazy, first = ("Lazy", "") if is_open else ("", f"{arriving}, ")
    norm = "BatchNorm()" if is_open else f"{width}BatchNorm2d({out})"
    if operation == "conv_bn_relu":
        options = f"kernel_size={side}, padding={padding}, bias=False"
        layers = [f"{both}{lazy}Conv2d({first}{out}, {options})"]
    else:
        options = f"kernel_size={side}, padding={padding}, groups={arriving}, bias=False"
        layers = [
            f"Depthwise({side})" if is_open else f"{window}Conv2d({first}{arriving}, {options})",
            f"{width}{lazy}Conv2d({first}{out}, kernel_size=1, bias=False)",
        ]
    return f"nn.Sequential({', '.join([*layers, norm, 'nn.ReLU()'])})"


def call(node: Node) -> str | None:
    """The operation of `node` on x without a module of its own, or None when it has something to learn."""
    given = {name: literal(value) for name, value in node.parameters.items()}
    if node.operation == "max_pool2d":
        return f"functional.max_pool2d(x, {', '.join(_window(given))})"
    if node.operation == "avg_pool2d":
        return f"functional.avg_pool2d(x, {', '.join([*_window(given), 'count_include_pad=False'])})"
    return CALLS.get(node.operation)


PLAIN: Mapping[str, str] = {
    "relu": "nn.ReLU()",
    "identity": "nn.Identity()",
    "flatten": "nn.Flatten()",
    "global_avg_pool": "nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())",
    "skip_connect": "nn.Identity()",
    "nor_conv_1x1": "conv_edge(channels, 1)",
    "nor_conv_3x3": "conv_edge(channels, 3)",
    "avg_pool_3x3": "nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)",
    "none": "Zero()",
    "max_pool_3x3": "nn.MaxPool2d(3, stride=1, padding=1)",
    "sep_conv_3x3": "sep_conv(channels, 3)",
    "sep_conv_5x5": "sep_conv(channels, 5)",
    "dil_conv_3x3": "dil_conv(channels, 3)",
    "dil_conv_5x5": "dil_conv(channels, 5)",
}
CALLS: Mapping[str, str] = {
    "relu": "torch.relu(x)",
    "identity": "x",
    "flatten": "x.flatten(1)",
    "global_avg_pool": "x.mean((2, 3))",
}


def _window(given: Mapping[str, str]) -> list[str]:
    """torch's stride is the window's side when it is left out."""
    return [given["kernel_size"], *_unless(given, stride=given["kernel_size"], padding="0")]


def _unless(given: Mapping[str, str], **defaults: str) -> list[str]:
    return [f"{name}={given[name]}" for name, default in defaults.items() if given[name] != default]


def net_class(arriving: str, outputs: str, built: list[str], run: list[str], base: str = "nn.Module") -> str:
    """`class Net`, from the lines of its two methods."""
    return f'''
class Net({base}):
    """{arriving} -> (batch, {outputs})"""

    def __init__(self):
        super().__init__()
{indented(built, 2)}

    def forward(self, x):
{indented(run, 2)}
'''


# -- cells ------------------------------------------------------------------------------------------------------------


def skeleton(space: CellSpace) -> tuple[list[str], list[str]]:
    """(lines of __init__, lines of forward) of the network around the cells."""
    built, run = [], []
    channels = space.channels
    built += [
        "self.stem = nn.Sequential(",
        f"    nn.Conv2d({space.input.channels}, {channels}, kernel_size=3, padding=1, bias=False),",
        f"    nn.BatchNorm2d({channels}),",
        ")",
    ]
    run.append("x = self.stem(x)")
    for stage in range(1, space.stages + 1):
        if stage > 1:
            built += [
                f"self.reduce{stage - 1} = nn.Sequential(",
                "    nn.ReLU(),",
                f"    nn.Conv2d({channels}, {2 * channels}, kernel_size=3, stride=2, padding=1, bias=False),",
                f"    nn.BatchNorm2d({2 * channels}),",
                ")",
            ]
            run.append(f"x = self.reduce{stage - 1}(x)")
            channels *= 2
        built.append(f"self.cell{stage} = Cell({channels})")
        run.append(f"x = self.cell{stage}(x)")
    built += [
        "self.head = nn.Sequential(",
        f"    nn.BatchNorm2d({channels}),",
        "    nn.ReLU(),",
        "    nn.AdaptiveAvgPool2d(1),",
        "    nn.Flatten(),",
        f"    nn.Linear({channels}, {space.classes}),",
        ")",
    ]
    run.append("return self.head(x)")
    return built, run


def shown_input(shape: Shape) -> str:
    """`(batch, 3, 32, 32)`"""
    return f"(batch, {', '.join(map(str, shape))})"


def indented(lines: Iterable[str], depth: int) -> str:
    """Lines at `depth` levels, joined."""
    return "\n".join("    " * depth + line if line else "" for line in lines)

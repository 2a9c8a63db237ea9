"""Datasets, operations, search spaces, and how one architecture is trained."""

from __future__ import annotations

from explorer.catalogue.entries import Entry, Parameter, Registry, facts

_DIGITS_SOURCE = "scikit-learn, load_digits (UCI optical recognition of handwritten digits, test part)"

DATASETS = Registry(
    "dataset",
    Entry(
        "digits",
        "Digits",
        "1,797 real 8x8 images of handwritten digits; embedded, trains in seconds, nearly saturated.",
        "explorer.data.digits:load_digits",
        paper=_DIGITS_SOURCE,
        facts=facts(classes=10, channels=1, side=8, train=1000, validation=300, test=497, embedded=True),
    ),
    Entry(
        "noisy-digits",
        "Noisy digits",
        "Digits, standardised, with one fixed N(0, 1) draw added to every pixel; tells architectures apart.",
        "explorer.data.digits:load_noisy_digits",
        paper=_DIGITS_SOURCE,
        facts=facts(classes=10, channels=1, side=8, train=500, validation=400, test=897, embedded=True),
    ),
    Entry(
        "shifted-digits",
        "Shifted digits",
        "Digits, each image moved by one fixed shift of up to 2 pixels; asks for translation tolerance.",
        "explorer.data.digits:load_shifted_digits",
        paper=_DIGITS_SOURCE,
        facts=facts(classes=10, channels=1, side=8, train=1000, validation=300, test=497, embedded=True),
    ),
    Entry(
        "mnist",
        "MNIST",
        "70,000 28x28 images of handwritten digits, through torchvision.",
        "explorer.data.vision:load_mnist",
        paper="LeCun, Bottou, Bengio, Haffner 1998, Gradient-based learning applied to document recognition",
        facts=facts(
            classes=10, channels=1, side=28, train=55000, validation=5000, test=10000, embedded=False
        ),
    ),
    Entry(
        "fashion-mnist",
        "Fashion-MNIST",
        "70,000 28x28 images of clothes, through torchvision.",
        "explorer.data.vision:load_fashion_mnist",
        paper="Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747",
        facts=facts(
            classes=10, channels=1, side=28, train=55000, validation=5000, test=10000, embedded=False
        ),
    ),
    Entry(
        "cifar10",
        "CIFAR-10",
        "60,000 32x32 colour photographs of ten kinds of things, through torchvision.",
        "explorer.data.vision:load_cifar10",
        paper="Krizhevsky 2009, Learning multiple layers of features from tiny images",
        facts=facts(
            classes=10, channels=3, side=32, train=45000, validation=5000, test=10000, embedded=False
        ),
    ),
    Entry(
        "synthetic",
        "Synthetic",
        "Seeded blobs that a small network learns within an epoch or two; made for tests.",
        "explorer.data.synthetic:load_synthetic",
        facts=facts(classes=4, channels=1, side=8, train=256, validation=128, test=128, embedded=True),
    ),
)

_CHANNELS_OUT = Parameter("out_channels", "int", 8, "Channels of the output.", 1, 1024)
_KERNEL = Parameter("kernel_size", "int", 3, "Side of the window, in pixels.", 1, 15)
_ODD_KERNEL = Parameter("kernel_size", "int", 3, "Side of the window, in pixels; odd.", 1, 15)
_STRIDE = Parameter("stride", "int", 1, "Step of the window, in pixels.", 1, 8)
_PADDING = Parameter("padding", "int", 0, "Zeros added on every side, in pixels.", 0, 7)
_STEP = Parameter("stride", "int", 1, "1, or 2 to halve the side.", 1, 2)
_NORM = Parameter(
    "norm", "bool", False, "Batch normalisation without scale and shift behind it, as DARTS has."
)
_NB201 = "Dong & Yang 2020, NAS-Bench-201, section 2.1, arXiv:2001.00326"
_DARTS = "Liu, Simonyan & Yang 2019, DARTS, section 3.1.1, arXiv:1806.09055"
_ENAS = "Pham, Guan, Zoph, Le & Dean 2018, ENAS, section 2.3, arXiv:1802.03268"

# facts: `family` says where an operation may stand: "layer" in a macro chain, "edge" in a cell, "entrance" before one.
OPERATIONS = Registry(
    "operation",
    Entry(
        "conv2d",
        "Convolution",
        "A 2-D convolution; the input's channels are inferred unless stated.",
        "explorer.nets.operations:conv2d",
        (
            _CHANNELS_OUT,
            _KERNEL,
            _STRIDE,
            _PADDING,
            Parameter("bias", "bool", True, "Add one learned number a channel."),
            Parameter("in_channels", "int", None, "Channels expected; inferred when left out.", 1, 1024),
        ),
        facts=facts(family="layer"),
    ),
    Entry(
        "relu",
        "ReLU",
        "max(0, x), element by element.",
        "explorer.nets.operations:relu",
        facts=facts(family="layer"),
    ),
    Entry(
        "batch_norm2d",
        "Batch normalisation",
        "Normalises each channel over the batch, with a learned scale and shift.",
        "explorer.nets.operations:batch_norm2d",
        paper="Ioffe & Szegedy 2015, arXiv:1502.03167",
        facts=facts(family="layer"),
    ),
    Entry(
        "max_pool2d",
        "Max pooling",
        "The largest value in each window.",
        "explorer.nets.operations:max_pool2d",
        (
            Parameter("kernel_size", "int", 2, "Side of the window, in pixels.", 1, 15),
            Parameter("stride", "int", 2, "Step of the window, in pixels.", 1, 8),
            _PADDING,
        ),
        facts=facts(family="layer"),
    ),
    Entry(
        "avg_pool2d",
        "Average pooling",
        "The mean of each window; padding is not counted.",
        "explorer.nets.operations:avg_pool2d",
        (
            Parameter("kernel_size", "int", 2, "Side of the window, in pixels.", 1, 15),
            Parameter("stride", "int", 2, "Step of the window, in pixels.", 1, 8),
            _PADDING,
        ),
        facts=facts(family="layer"),
    ),
    Entry(
        "global_avg_pool",
        "Global average pooling",
        "One number a channel: the mean over all pixels.",
        "explorer.nets.operations:global_avg_pool",
        facts=facts(family="layer"),
    ),
    Entry(
        "flatten",
        "Flatten",
        "Turns channels x height x width into one row of features.",
        "explorer.nets.operations:flatten",
        facts=facts(family="layer"),
    ),
    Entry(
        "linear",
        "Linear",
        "A fully connected layer with bias; the input's features are inferred unless stated.",
        "explorer.nets.operations:linear",
        (
            Parameter("out_features", "int", 10, "Features of the output.", 1, 65536),
            Parameter("in_features", "int", None, "Features expected; inferred when left out.", 1, 1048576),
        ),
        facts=facts(family="layer"),
    ),
    Entry(
        "identity",
        "Identity",
        "Passes its input on unchanged: a layer that is skipped.",
        "explorer.nets.operations:identity",
        facts=facts(family="layer"),
    ),
    Entry(
        "conv_bn_relu",
        "Convolution, norm, ReLU",
        "Convolution without bias that keeps the side, batch normalisation, ReLU.",
        "explorer.nets.operations:conv_bn_relu",
        (_CHANNELS_OUT, _ODD_KERNEL),
        paper=_ENAS,
        facts=facts(family="layer"),
    ),
    Entry(
        "sep_conv_bn_relu",
        "Separable convolution, norm, ReLU",
        "Depthwise and then 1x1 convolution without bias that keep the side, batch normalisation, ReLU.",
        "explorer.nets.operations:sep_conv_bn_relu",
        (_CHANNELS_OUT, _ODD_KERNEL),
        paper=_ENAS,
        facts=facts(family="layer"),
    ),
    Entry(
        "none",
        "None",
        "Contributes zeros: the edge is cut.",
        "explorer.nets.operations:none",
        (_STEP,),
        paper=_NB201,
        facts=facts(family="edge"),
    ),
    Entry(
        "skip_connect",
        "Skip connection",
        "Passes its input on unchanged; at stride 2 through two shifted 1x1 convolutions (factorized reduction).",
        "explorer.nets.operations:skip_connect",
        (_STEP,),
        paper=_NB201,
        facts=facts(family="edge"),
    ),
    Entry(
        "nor_conv_1x1",
        "1x1 convolution",
        "ReLU, 1x1 convolution without bias, batch normalisation without scale and shift.",
        "explorer.nets.operations:nor_conv_1x1",
        paper=_NB201,
        facts=facts(family="edge"),
    ),
    Entry(
        "nor_conv_3x3",
        "3x3 convolution",
        "ReLU, 3x3 convolution without bias, batch normalisation without scale and shift.",
        "explorer.nets.operations:nor_conv_3x3",
        paper=_NB201,
        facts=facts(family="edge"),
    ),
    Entry(
        "avg_pool_3x3",
        "3x3 average pooling",
        "The mean of each 3x3 window; padding is not counted.",
        "explorer.nets.operations:avg_pool_3x3",
        (_STEP, _NORM),
        paper=_NB201,
        facts=facts(family="edge"),
    ),
    Entry(
        "max_pool_3x3",
        "3x3 max pooling",
        "The largest value in each 3x3 window.",
        "explorer.nets.operations:max_pool_3x3",
        (_STEP, _NORM),
        paper=_DARTS,
        facts=facts(family="edge"),
    ),
    Entry(
        "sep_conv_3x3",
        "3x3 separable convolution",
        "Twice: ReLU, depthwise 3x3 and 1x1 convolution, batch normalisation without scale and shift.",
        "explorer.nets.operations:sep_conv_3x3",
        (_STEP,),
        paper=_DARTS,
        facts=facts(family="edge"),
    ),
    Entry(
        "sep_conv_5x5",
        "5x5 separable convolution",
        "Twice: ReLU, depthwise 5x5 and 1x1 convolution, batch normalisation without scale and shift.",
        "explorer.nets.operations:sep_conv_5x5",
        (_STEP,),
        paper=_DARTS,
        facts=facts(family="edge"),
    ),
    Entry(
        "dil_conv_3x3",
        "3x3 dilated convolution",
        "ReLU, depthwise 3x3 convolution over every second pixel, 1x1 convolution, plain batch normalisation.",
        "explorer.nets.operations:dil_conv_3x3",
        (_STEP,),
        paper=_DARTS,
        facts=facts(family="edge"),
    ),
    Entry(
        "dil_conv_5x5",
        "5x5 dilated convolution",
        "ReLU, depthwise 5x5 convolution over every second pixel, 1x1 convolution, plain batch normalisation.",
        "explorer.nets.operations:dil_conv_5x5",
        (_STEP,),
        paper=_DARTS,
        facts=facts(family="edge"),
    ),
    Entry(
        "relu_conv_bn",
        "Cell entrance",
        "ReLU, 1x1 convolution without bias, batch normalisation without scale and shift.",
        "explorer.nets.operations:relu_conv_bn",
        (_CHANNELS_OUT,),
        paper=_DARTS,
        facts=facts(family="entrance"),
    ),
    Entry(
        "factorized_reduce",
        "Reducing cell entrance",
        "ReLU, two 1x1 convolutions at stride 2 on shifted grids, half of the channels each, plain batch norm.",
        "explorer.nets.operations:factorized_reduce",
        (_CHANNELS_OUT,),
        paper=_DARTS,
        facts=facts(family="entrance"),
    ),
)

SPACES = Registry(
    "search space",
    Entry(
        "notes-net",
        "Notes network",
        "The network of the learning notes: two convolutions to choose and one optional skip, 8 architectures.",
        "explorer.space.presets:notes_net",
        facts=facts(family="macro"),
    ),
    Entry(
        "notes-net-as-written",
        "Notes network, as written",
        "The same with the notes' own two mistakes kept, to see them found and repaired.",
        "explorer.space.presets:notes_net_as_written",
        facts=facts(family="macro"),
    ),
    Entry(
        "cell",
        "Cell (NAS-Bench-201)",
        "4 nodes, 6 edges, 5 operations an edge: 15,625 cells, stacked twice on 8x8 images.",
        "explorer.space.presets:cell",
        paper=_NB201,
        facts=facts(family="cell"),
    ),
    Entry(
        "darts-cell",
        "DARTS cell",
        "A normal and a reduction cell; each node takes two earlier outputs through two of seven operations.",
        "explorer.space.presets:darts_cell",
        (
            Parameter("nodes", "int", 2, "Intermediate nodes of a cell; the paper has 4.", 1, 7),
            Parameter("cells", "int", 3, "Cells on top of each other; the paper searches with 8.", 3, 20),
            Parameter(
                "channels", "int", 4, "Channels of the first cell; the paper searches with 16.", 1, 256
            ),
        ),
        paper=_DARTS,
        facts=facts(family="darts"),
    ),
    Entry(
        "enas-macro",
        "ENAS macro",
        "A chain of layers, six operations to choose for each, and a possible skip between every two.",
        "explorer.space.presets:enas_macro",
        (
            Parameter("layers", "int", 6, "Layers with a choice; the paper has 12.", 1, 24),
            Parameter("channels", "int", 8, "Channels of every layer; the paper searches with 36.", 1, 256),
        ),
        paper=_ENAS,
        facts=facts(family="macro"),
    ),
    Entry(
        "blank",
        "Blank",
        "The shortest network that runs, one linear layer on the pixels: add layers, choices and skips to it.",
        "explorer.space.presets:blank",
        facts=facts(family="macro"),
    ),
)

TRAINING = Entry(
    "training",
    "Training",
    "How one architecture is trained from scratch.",
    "explorer.nets.training:train",
    (
        Parameter("optimizer", "choice", "sgd", "sgd (Nesterov momentum) or adam.", choices=("sgd", "adam")),
        Parameter("learning_rate", "float", 0.05, "Step size at the start.", 1e-6, 10.0),
        Parameter("momentum", "float", 0.9, "Momentum of sgd; adam ignores it.", 0.0, 0.999),
        Parameter("weight_decay", "float", 5e-4, "L2 penalty on the weights.", 0.0, 1.0),
        Parameter(
            "schedule",
            "choice",
            "cosine",
            "cosine decay to zero, or constant.",
            choices=("cosine", "constant"),
        ),
        Parameter("batch_size", "int", 32, "Images a step.", 2, 4096),
        Parameter(
            "gradient_clip",
            "float",
            5.0,
            "Longest gradient, as quark0/darts clips it; networks without batch norm need it. 0 leaves it.",
            0.0,
            1e6,
        ),
    ),
)

"""Texts of an exported experiment that are the same for every run; `nni_experiment` puts the pieces together.

Written as a person would write them. They import torch, nni, numpy and scikit-learn (torchvision for what it brings),
and nothing of this package. The data are the same to the bit as those of the app, and so are a trial's seeds.
"""

from __future__ import annotations

TRIAL_HEAD = '''"""One trial: asks NNI for its parameters, trains, tells NNI each epoch's result and the last one.

`python trial.py` without NNI runs with the default settings, to try it out.
"""

{imports}

import nni
{nni_imports}{constants}

def trial_seed(number):
    """The seed of trial `number`: neighbouring runs and trials share nothing."""
    digest = hashlib.sha256(f"trial/{{SEED}}/{{number}}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF


def flat(parameters):
    """Without nesting: a nested choice becomes its option's name, and what it holds stands beside it."""
    found = {{}}
    for name, value in parameters.items():
        if isinstance(value, dict) and "_name" in value:
            found[name] = value["_name"]
            found.update(flat({{key: part for key, part in value.items() if key != "_name"}}))
        elif name == "combine_params" and isinstance(value, dict):
            found.update(flat(value))
        else:
            found[name] = value
    return found

'''

FUNCTION_MAIN = '''
def main():
    parameters = flat(ask())
{body}

def ask():
    """NNI's parameters; outside an experiment NNI warns, and the defaults are taken."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return {{**DEFAULTS, **(in_turn() or {{}})}}


def in_turn():
    """NNI gives the oldest parameters to whichever job asks first. Out of turn two jobs take each other's, and a tuner
    that learns, such as TPE, fails over results of trials that it takes for ended. Jobs of one machine can wait.
    """
    if os.environ.get("NNI_PLATFORM") != "local":
        return nni.get_next_parameter()
    turns, turn = Path(os.environ["NNI_SYS_DIR"]).parent.parent / "turns", nni.get_sequence_id()
    turns.mkdir(exist_ok=True)
    deadline = time.monotonic() + 60
    while turn > 0 and not (turns / str(turn - 1)).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    parameters = nni.get_next_parameter()
    (turns / str(turn)).touch()
    return parameters


if __name__ == "__main__":
    main()
'''

BRANIN = """    x1, x2 = parameters["x1"], parameters["x2"]
    curve = x2 - 5.1 / (4 * math.pi**2) * x1**2 + 5 / math.pi * x1 - 6
    nni.report_final_result(curve**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x1) + 10)
"""

HARTMANN = """    x = [parameters[f"x{number}"] for number in range(1, 7)]
    rows = zip(ALPHA, A, P)
    nni.report_final_result(
        -sum(alpha * math.exp(-sum(a * (v - p) ** 2 for a, p, v in zip(row, at, x))) for alpha, row, at in rows)
    )
"""

HARTMANN_CONSTANTS = """ALPHA = (1.0, 1.2, 3.0, 3.2)
A = (
    (10.0, 3.0, 17.0, 3.5, 1.7, 8.0),
    (0.05, 10.0, 17.0, 0.1, 8.0, 14.0),
    (3.0, 3.5, 1.7, 10.0, 17.0, 8.0),
    (17.0, 8.0, 0.05, 10.0, 0.1, 14.0),
)
P = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)
"""

CURVES = """    rate = math.log10(float(parameters.get("learning_rate", 0.05)))
    width = float(parameters.get("width", 64))
    penalty = math.log10(float(parameters.get("regularisation", 1e-4)))
    asymptote = 0.985 - 0.05 * (rate + 1.2) ** 2 - 0.25 * math.exp(-width / 24) - 0.006 * (penalty + 3) ** 2
    speed = max(0.3, 1.9 + 0.4 * rate - 0.08 * (penalty + 4) - width / 250)
    asymptote = min(0.99, max(0.1, asymptote))
    noise = random.Random(trial_seed(nni.get_sequence_id()))
    for step in range(1, int(parameters.get("TRIAL_BUDGET", EPOCHS)) + 1):
        value = asymptote - (asymptote - 0.1) * step**-speed + noise.gauss(0, 0.008)
        value = min(1.0, max(0.0, value))
        nni.report_intermediate_result(value)
    nni.report_final_result(value)
"""

TRAIN = '''    settings = {name: value for name, value in parameters.items() if name in DEFAULTS}
    seed, epochs = trial_seed(nni.get_sequence_id()), int(parameters.get("TRIAL_BUDGET", EPOCHS))
    torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parts = [(images.to(device), labels.to(device)) for images, labels in load()]
    (images, labels), validation, _test = parts
    torch.manual_seed(seed)
    net = build(parameters).to(device)
    net.eval()
    with torch.no_grad():
        net(images[:2])  # layers whose shape depends on a choice take it from the first images
    start = Path(parameters.get("load_checkpoint_dir", "nowhere"), "weights.pt")  # NNI's PBT inherits weights
    if start.is_file():
        net.load_state_dict(torch.load(start, weights_only=True))
    optimizer = make_optimizer(net, settings)
    order = torch.Generator().manual_seed(seed)
    size = int(settings["batch_size"])
    steps, step, accuracy = epochs * math.ceil(len(labels) / size), 0, 0.0
    for _epoch in range(epochs):
        net.train()
        for batch in torch.randperm(len(labels), generator=order).split(size):
            if len(batch) == 1:  # batch norm cannot take a single image
                continue
            cosine = (1 + math.cos(math.pi * step / steps)) / 2
            for group in optimizer.param_groups:
                group["lr"] = settings["learning_rate"] * (cosine if settings["schedule"] == "cosine" else 1.0)
            optimizer.zero_grad()
            functional.cross_entropy(net(images[batch]), labels[batch]).backward()
            if settings["gradient_clip"] > 0:
                nn.utils.clip_grad_norm_(net.parameters(), settings["gradient_clip"])
            optimizer.step()
            step += 1
        accuracy = score(net, *validation)
        nni.report_intermediate_result(accuracy)
    if "save_checkpoint_dir" in parameters:
        Path(parameters["save_checkpoint_dir"]).mkdir(parents=True, exist_ok=True)
        torch.save(net.state_dict(), Path(parameters["save_checkpoint_dir"], "weights.pt"))
    nni.report_final_result(accuracy)


def make_optimizer(net, settings):
    """SGD with Nesterov momentum, or Adam; both with an L2 penalty."""
    rate, decay = settings["learning_rate"], settings["weight_decay"]
    if settings["optimizer"] == "adam":
        return torch.optim.Adam(net.parameters(), lr=rate, weight_decay=decay)
    momentum = settings["momentum"]
    return torch.optim.SGD(net.parameters(), lr=rate, momentum=momentum, nesterov=momentum > 0, weight_decay=decay)


def score(net, images, labels):
    """Accuracy in 0 .. 1."""
    net.eval()
    with torch.no_grad():
        right = [(net(part).argmax(1) == goal).sum() for part, goal in zip(images.split(256), labels.split(256))]
    return int(sum(right)) / len(labels)
'''

BUILD_PINNED = '''
def build(parameters):
    """The pinned architecture."""
    return Net()
'''

BUILD_JOINT = '''
def build(parameters):
    """The architecture that the parameters choose."""
    for name, (label, candidates) in CHOICES.items():
        value = parameters.get(name)
        chosen[label] = candidates.get(value, value) if isinstance(value, str) else value
    return Net()
'''

BUILD_MLP = '''
def build(parameters):
    """Fully connected layers over the pixels."""
    layers, width = [nn.Flatten()], PIXELS
    activation = {"relu": nn.ReLU, "tanh": nn.Tanh}[parameters["activation"]]
    for _layer in range(int(parameters["hidden_layers"])):
        layers += [nn.Linear(width, int(parameters["hidden_units"])), activation()]
        if parameters["dropout"] > 0:
            layers.append(nn.Dropout(parameters["dropout"]))
        width = int(parameters["hidden_units"])
    return nn.Sequential(*layers, nn.Linear(width, CLASSES))
'''

CHOSEN = '''"""What stands in the place of NNI's model space: each choice is made when the network is built.

So a trial is a plain network, and starts faster than one that imports `nni.nas`.
"""

from torch import nn

chosen = {}  # label -> choice; trial.py fills it before it builds a Net

ModelSpace = nn.Module
MutableAvgPool2d, MutableConv2d, MutableMaxPool2d = nn.AvgPool2d, nn.Conv2d, nn.MaxPool2d
MutableLazyConv2d, MutableLazyLinear, MutableLinear = nn.LazyConv2d, nn.LazyLinear, nn.Linear


def choice(label, values):
    """The value that was chosen."""
    return chosen[label]


def LayerChoice(candidates, label):
    """The layer that was chosen."""
    return candidates[chosen[label]]


class InputChoice(nn.Module):
    """The sum of the inputs that were chosen; None when none was."""

    def __init__(self, n_candidates, n_chosen, label):
        super().__init__()
        self.indices = chosen[label]

    def forward(self, inputs):
        picked = [inputs[index] for index in self.indices]
        return sum(picked) if picked else None
'''

SPLITS = '''
def stratified(labels, counts):
    """Rows of disjoint parts, each with the classes' proportions; always the same ones."""
    rest, parts = np.arange(len(labels)), []
    for count in counts[:-1]:
        part, rest = train_test_split(rest, train_size=count, stratify=labels[rest], random_state=20201)
        parts.append(part)
    return [*parts, rest]


def standardised(levels, labels, rows, top, noise=None):
    """(images, labels) of train, validation and test; one mean and one deviation, those of the training images."""
    train = levels[rows[0]].astype(np.float64) / top
    table = ((np.arange(top + 1) / top - train.mean()) / train.std()).astype(np.float32)
    parts = []
    for part in rows:
        images = table[levels[part]]
        if noise is not None:
            images = (images + noise[part]).astype(np.float32)
        parts.append((fitted(torch.from_numpy(images)), torch.from_numpy(labels[part])))
    return parts

'''

FITTED = '''
def fitted(images):
    """Images as the network wants them: CHANNELS x SIDE x SIDE."""
    if images.shape[1] == 3 and CHANNELS == 1:
        weights = torch.tensor([0.299, 0.587, 0.114])
        images = (images * weights[:, None, None]).sum(1, keepdim=True)
    if images.shape[-1] != SIDE:
        images = functional.interpolate(images, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    return images.expand(-1, CHANNELS, -1, -1).contiguous()

'''

DIGITS_SOURCE = '''
def digits():
    """scikit-learn's 1,797 images of 8x8 pixels, levels 0 .. 16."""
    bunch = datasets.load_digits()
    return bunch.images.astype(np.uint8)[:, None], bunch.target.astype(np.int64)

'''

LOAD = {
    "digits": '''
def load():
    """Digits: 1,000 for training, 300 for decisions, 497 for the end."""
    levels, labels = digits()
    return standardised(levels, labels, stratified(labels, (1000, 300, 497)), top=16)

''',
    "noisy-digits": '''
def load():
    """Digits with one fixed N(0, 1) draw on every pixel: 500 for training, 400 for decisions, 897 for the end."""
    levels, labels = digits()
    noise = np.random.default_rng(20202).standard_normal(levels.shape)
    return standardised(levels, labels, stratified(labels, (500, 400, 897)), top=16, noise=noise)

''',
    "shifted-digits": '''
def load():
    """Digits, each moved by one fixed step of up to 2 pixels: 1,000 for training, 300 for decisions, 497 at the end."""
    levels, labels = digits()
    steps = np.random.default_rng(20203).integers(-2, 2, (len(levels), 2), endpoint=True)
    framed = np.pad(levels, ((0, 0), (0, 0), (2, 2), (2, 2)))
    moved = np.empty_like(levels)
    for at, (down, right) in enumerate(steps):
        moved[at] = framed[at, :, 2 - down : 10 - down, 2 - right : 10 - right]
    return standardised(moved, labels, stratified(labels, (1000, 300, 497)), top=16)

''',
    "synthetic": '''
def load():
    """Seeded blobs of four kinds: 256 for training, 128 for decisions, 128 for the end."""
    rng = np.random.default_rng(20204)
    labels = np.arange(512, dtype=np.int64) % 4
    levels = np.stack([blob(int(label), rng) for label in labels])[:, None]
    return standardised(levels, labels, stratified(labels, (256, 128, 128)), top=255)


def blob(label, rng):
    """One image of 8x8 pixels: its class's corner, width and brightness, with noise on top."""
    centre = ((2.0, 2.0), (2.0, 5.0), (5.0, 2.0), (5.0, 5.0))[label]
    width, peak = (0.8, 1.2, 1.8, 2.6)[label], (0.6, 0.7, 0.8, 0.9)[label]
    row, column = np.asarray(centre) + rng.normal(0.0, 0.4, 2)
    rows, columns = np.mgrid[0:8, 0:8]
    distance = (rows - row) ** 2 + (columns - column) ** 2
    image = peak * np.exp(-distance / (2 * width**2)) + rng.normal(0.0, 0.08, (8, 8))
    return np.rint(np.clip(image, 0.0, 1.0) * 255).astype(np.uint8)

''',
}

VISION_LOAD = '''
def load():
    """{reader} through torchvision, downloaded into DATA; its test images stay the test part."""
    from torchvision import datasets

    halves = [datasets.{reader}(DATA, train=train, download=True) for train in (True, False)]
    levels = np.concatenate([np.asarray(half.data) for half in halves])
    levels = levels[:, None] if levels.ndim == 3 else levels.transpose(0, 3, 1, 2)
    labels = np.concatenate([np.asarray(half.targets, dtype=np.int64) for half in halves])
    learned = stratified(labels[:{known}], ({train}, {validation}))
    return standardised(levels, labels, [*learned, np.arange({known}, len(labels))], top=255)

'''

READERS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "cifar10": "CIFAR10"}

RUN = '''"""Starts the experiment of this folder: `python run.py --port 8080`. Ctrl-C ends it.

`nnictl` does the same with config.yml, but does not start where setuptools is newer than 80.
"""

import argparse
import shlex
import sys
import time
from pathlib import Path

from nni.experiment import Experiment, ExperimentConfig

HERE = Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description="Run this NNI experiment and tell its trials.")
    parser.add_argument("--port", type=int, default=8080, help="where NNI's web page is (default: 8080)")
    parser.add_argument("--config", default="config.yml", help="config_remote.yml for other machines")
    options = parser.parse_args()
    config = ExperimentConfig.load(HERE / options.config)
    if options.config == "config.yml":  # this very Python, wherever its environment is
        config.trial_command = f"{shlex.quote(sys.executable)} trial.py"
    experiment = Experiment(config)
    try:
        experiment.start(options.port)
        print(f"NNI's web page: http://127.0.0.1:{options.port}", flush=True)
        tell(experiment)
    except KeyboardInterrupt:
        pass
    finally:
        experiment.stop()


def tell(experiment):
    """A line for each trial that ends, until all have."""
    told = set()
    while True:
        status = experiment.get_status()
        for trial in experiment.list_trial_jobs():
            if trial.status not in ("WAITING", "RUNNING", "UNKNOWN") and trial.trialJobId not in told:
                told.add(trial.trialJobId)
                results = [metric.data for metric in trial.finalMetricData or []]
                print(f"trial {trial.sequenceId}: {trial.status} {' '.join(map(str, results))}", flush=True)
        if status in ("DONE", "STOPPED", "ERROR"):
            if status == "ERROR":
                sys.exit("NNI reports an error; its log is in ~/nni-experiments.")
            return
        time.sleep(1)


if __name__ == "__main__":
    main()
'''

README = """# {title}

What NNI itself runs: {trials} trials of {objective}, proposed by the tuner {tuner}{judged}.

    python -m pip install -r requirements.txt
    python run.py --port 8080

Then open http://127.0.0.1:8080, NNI's own web page. Ctrl-C ends the experiment. What NNI keeps of it (its database, the
trials' logs) is in `~/nni-experiments`.

| file | |
|---|---|
| `config.yml` | the experiment, in NNI 3's form (local) |
| `search_space.json` | what is tuned |
| `trial.py` | one trial; `python trial.py` tries it without NNI |
{network}| `run.py` | starts it by NNI's Python API |
| `config_remote.yml` | the same on other machines |

`nnictl create --config config.yml` does the same where `nnictl` starts; with setuptools 81 and newer it stops at
`No module named 'pkg_resources'`, which is why `run.py` is here.

## On other machines

Put your machines' address, user and key into `config_remote.yml` (the words in capitals), and into `nniManagerIp` an
address of this machine that they can reach. Each needs the packages of `requirements.txt` for the Python that
`pythonPath` names. Then:

    python run.py --config config_remote.yml

## What differs from the app

{differences}
"""

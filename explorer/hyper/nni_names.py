"""NNI's configuration in its dialects: which key of v1 became which of v3, and how NNI spells its algorithms.

The table follows NNI 3.0's own translation of v1 files; a test holds it against that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """One key: its spelling, its name in v3 (None: v3 has none), and what becomes of it in this app."""

    name: str
    v3: str | None
    why: str = ""


NOT_HERE = "runs here do not need it"
_GONE = "NNI 3 has no such setting"


def _keys(*keys: Key) -> Mapping[str, Key]:
    return {folded(key.name): key for key in keys}


def folded(name: str) -> str:
    """A name as NNI compares it: without regard to case and underscores."""
    return name.lower().replace("_", "")


def letters(name: str) -> str:
    """An algorithm's name without case, blanks, hyphens and underscores."""
    return "".join(char for char in name.lower() if char.isalnum())


TOP = _keys(
    Key("authorName", None, _GONE),
    Key("description", None, _GONE),
    Key("multiPhase", None, _GONE),
    Key("multiThread", None, _GONE),
    Key("versionCheck", None, _GONE),
    Key("logCollection", None, _GONE),
    Key("experimentName", "experimentName", NOT_HERE),
    Key("experimentType", "experimentType", NOT_HERE),
    Key("trialConcurrency", "trialConcurrency"),
    Key("maxExecDuration", "maxExperimentDuration"),
    Key("maxExperimentDuration", "maxExperimentDuration"),
    Key("maxTrialNum", "maxTrialNumber"),
    Key("maxTrialNumber", "maxTrialNumber"),
    Key("maxTrialDuration", "maxTrialDuration", "set the time limit of a trial with the run's limits"),
    Key("searchSpacePath", "searchSpaceFile"),
    Key("searchSpaceFile", "searchSpaceFile"),
    Key("searchSpace", "searchSpace"),
    Key("useAnnotation", "useAnnotation", NOT_HERE),
    Key("nniManagerIp", "nniManagerIp", NOT_HERE),
    Key("logDir", "experimentWorkingDirectory", NOT_HERE),
    Key("experimentWorkingDirectory", "experimentWorkingDirectory", NOT_HERE),
    Key("debug", "debug", NOT_HERE),
    Key("logLevel", "logLevel", NOT_HERE),
    Key("trialCommand", "trialCommand", "trials here are the chosen objective"),
    Key("trialCodeDirectory", "trialCodeDirectory", "trials here are the chosen objective"),
    Key("trialGpuNumber", "trialGpuNumber", NOT_HERE),
    Key("tunerGpuIndices", "tunerGpuIndices", NOT_HERE),
    Key("sharedStorage", "sharedStorage", NOT_HERE),
    Key("trial", "trialCommand"),
    Key("tuner", "tuner"),
    Key("assessor", "assessor"),
    Key("advisor", "tuner"),
    Key("trainingServicePlatform", "trainingService"),
    Key("trainingService", "trainingService", NOT_HERE),
    Key("localConfig", "trainingService"),
    Key("remoteConfig", "trainingService"),
    Key("machineList", "trainingService"),
)
TRIAL = _keys(
    Key("command", "trialCommand", "trials here are the chosen objective"),
    Key("codeDir", "trialCodeDirectory", "trials here are the chosen objective"),
    Key("gpuNum", "trialGpuNumber", NOT_HERE),
)
LOCAL = _keys(
    Key("gpuIndices", "gpuIndices", NOT_HERE),
    Key("maxTrialNumPerGpu", "maxTrialNumberPerGpu", NOT_HERE),
    Key("useActiveGpu", "useActiveGpu", NOT_HERE),
)
REMOTE = _keys(Key("reuse", "reuseMode", NOT_HERE))
MACHINE = _keys(
    Key("ip", "host", NOT_HERE),
    Key("port", "port", NOT_HERE),
    Key("username", "user", NOT_HERE),
    Key("passwd", "password", NOT_HERE),
    Key("sshKeyPath", "sshKeyFile", NOT_HERE),
    Key("passphrase", "passphrase", NOT_HERE),
    Key("gpuIndices", "gpuIndices", NOT_HERE),
    Key("maxTrialNumPerGpu", "maxTrialNumberPerGpu", NOT_HERE),
    Key("useActiveGpu", "useActiveGpu", NOT_HERE),
    Key("pythonPath", "pythonPath", NOT_HERE),
)
PLATFORMS = {"pai": "openpai"} | {
    name: name
    for name in ("local", "remote", "openpai", "aml", "dlc", "kubeflow", "frameworkcontroller", "hybrid")
}
FOREIGN = ("paiConfig", "amlConfig", "kubeflowConfig", "frameworkcontrollerConfig")
"""Blocks of v1 for other platforms: named in a note, not translated."""

TUNERS = (
    *(
        "TPE",
        "Random",
        "GridSearch",
        "Batch",
        "Evolution",
        "PBT",
        "Anneal",
        "GP",
        "Metis",
        "Hyperband",
        "BOHB",
    ),
    *("SMAC", "PPO", "NetworkMorphism", "DNGO", "TPE_legacy", "RegularizedEvolutionTuner"),
)
ASSESSORS = ("Medianstop", "Curvefitting")


def spelled(name: str, names: tuple[str, ...]) -> str | None:
    """NNI's spelling of an algorithm's name, or None when it knows no such one; "ppotuner" is PPO."""
    known = {letters(one): one for one in names}
    short = letters(name)
    return (
        known.get(short)
        or known.get(short.removesuffix("tuner"))
        or known.get(short.removesuffix("assessor"))
    )

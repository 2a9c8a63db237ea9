"""Hyper-parameter search spaces in NNI's form, and NNI's configuration files, as data: read, checked, explained."""

from explorer.hyper.config import ConfigReading, read_config
from explorer.hyper.config_algorithms import Algorithm
from explorer.hyper.domain import COMBINED, TYPES, Combination, Domain, Option
from explorer.hyper.joint import joint, joint_problems, parameter_names, split
from explorer.hyper.objectives import DEFAULT_SPACES, PARAMETERS, REQUIRED, unknown_names
from explorer.hyper.preview import Bar, Preview, preview
from explorer.hyper.reading import RESERVED, read_search_space, space_problems
from explorer.hyper.space import HyperSpace, flat

__all__ = [
    "COMBINED",
    "DEFAULT_SPACES",
    "PARAMETERS",
    "REQUIRED",
    "RESERVED",
    "TYPES",
    "Algorithm",
    "Bar",
    "Combination",
    "ConfigReading",
    "Domain",
    "HyperSpace",
    "Option",
    "Preview",
    "flat",
    "joint",
    "joint_problems",
    "parameter_names",
    "preview",
    "read_config",
    "read_search_space",
    "space_problems",
    "split",
    "unknown_names",
]

"""Hyper-parameter optimisation: the engine behind `run hpo`."""

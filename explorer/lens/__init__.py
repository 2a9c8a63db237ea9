"""The assessor lens: what an assessor saw, why it decided, whether that was right, and what other settings would do.

All of it by arithmetic on the run's recorded events: no training, no NNI, so that a page may call it at once.
"""

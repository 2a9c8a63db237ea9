"""Datasets as in-memory tensors, split once and for all.

`load_dataset` is the door. What exists, with counts and shapes for the screen, is
`explorer.catalogue.DATASETS`; batches, shuffling and augmentation belong to the trainer. Importing this
package pays for torch and scikit-learn, so that a process that forks workers afterwards has paid for all of
them; torchvision waits until one of its datasets is asked for.
"""

from explorer.data import digits, synthetic, vision
from explorer.data.load import load_dataset
from explorer.data.records import Dataset, Split

__all__ = ["Dataset", "Split", "digits", "load_dataset", "synthetic", "vision"]

"""Tables that people bring: read, typed, previewed, checked, kept and written; nothing is learned here."""

from explorer.tables.columns import Column
from explorer.tables.keeping import find, keep
from explorer.tables.reading import Uploaded, read_table
from explorer.tables.target import Task, split_target
from explorer.tables.writing import csv_text

__all__ = ["Column", "Task", "Uploaded", "csv_text", "find", "keep", "read_table", "split_target"]

"""The engine behind `run features`: selectors compared on resamples of a table, new columns searched before that."""

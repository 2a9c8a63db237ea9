"""One-shot search: train one supernet, and read an architecture off it."""

"""One network that holds every candidate of a space with shared weights."""

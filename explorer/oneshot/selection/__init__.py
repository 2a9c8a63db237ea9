"""Rules that derive an architecture with the trained supernet; those that need only probabilities: `space.derive`."""

"""The charts of a search of architectures."""

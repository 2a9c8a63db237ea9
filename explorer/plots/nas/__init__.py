"""The charts of a search of architectures: an info record first, then plotly, and an SVG while the run lives.

What the answer key says comes in as a `Truth`; plots do not read the key.
"""

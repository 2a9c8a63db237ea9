"""Charts of a one-shot search: an info record first (pure), then a plotly figure, and a light SVG for the live page.

`probabilities`, `losses`, `uncertainty`, `policy`, `gap`, `ranks`, `retrained` read snapshots and measurements as the
store keeps them; `worth` sets what the answer key says beside them, `orders` compares ranks; `differences` is the table
of where NNI's one-shot code and ours part; `bilevel` is the toy. What does not fit the run's space (a recorded run is a
stranger's file) is left out rather than drawn wrongly.
"""

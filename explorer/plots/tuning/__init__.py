"""What the hyper-parameter page shows of a run: a board of trials, and charts over it.

`board(state)` reads a run once; every chart is a record made from that board (`info`), then a plotly figure, and for
what is live an SVG text. `selection` narrows the board, and with it every chart.
"""

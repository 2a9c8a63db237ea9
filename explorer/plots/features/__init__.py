"""Charts of a features run: an info record each, then the plotly figure."""

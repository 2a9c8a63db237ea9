"""The hyper-parameter page's charts."""

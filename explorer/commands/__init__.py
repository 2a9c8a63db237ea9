"""What the command line's commands do; `explorer/cli.py` only reads the words."""

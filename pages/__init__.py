"""The pages: each a short script that reads, calls and draws; shared pieces are in `widgets`."""

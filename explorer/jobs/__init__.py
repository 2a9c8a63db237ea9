"""Jobs: processes that turn queued runs into events.

`launch` is what pages use; everything heavy happens in workers.
"""

"""Search strategies for classical NAS, in numpy: ask for architectures, tell their values; and replays on a table.

They know numbers of options only, so that any space and any table will do; training is somebody else's.
"""

"""NNI Explorer without a screen: everything the app and the command line do, as a package.

Importing it costs nothing; see ARCHITECTURE.md for the rooms and the wall between light and heavy.
"""

__version__ = "0.1.0"

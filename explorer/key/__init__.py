"""The answer key: a whole cell space, trained exhaustively and repeatedly. numpy only."""

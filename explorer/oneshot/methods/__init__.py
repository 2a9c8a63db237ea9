"""One file a method, each reading like its paper; chosen by name from the catalogue."""

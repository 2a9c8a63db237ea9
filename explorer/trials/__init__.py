"""What an executor runs as a trial, and what the trials of a run need before the first one starts."""

"""Classical architecture search: trial by trial, each trained from scratch."""

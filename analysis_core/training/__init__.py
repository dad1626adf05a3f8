"""Training scripts of the shipped checkpoints: `python -m analysis_core.training.<name> --out FOLDER --seed N`."""

"""Judging explanations: sanity checks, alignment with known truth, faithfulness, debugging. One module per subject."""

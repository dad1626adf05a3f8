"""Ratios measured side by side in one process: the usual way against ours. Run with `python -m benchmarks`."""

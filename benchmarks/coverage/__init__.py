"""Coverage of intervals and rejection rates of tests in simulated studies: `python -m benchmarks.coverage`."""

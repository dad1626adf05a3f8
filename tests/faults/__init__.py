"""Faults on purpose: real processes on private services are killed, and what is left is counted. `make faults`."""

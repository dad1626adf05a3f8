"""Writes: one module per act. Services own transactions; views, tasks and commands call them with plain arguments."""

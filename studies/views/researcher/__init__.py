"""The researchers' pages."""

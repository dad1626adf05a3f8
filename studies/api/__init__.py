"""The API for scripts: one class per operation, over the same access functions and services as the pages."""

"""The Django app: study files, precomputation, answer sheets, reports."""

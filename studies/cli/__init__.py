"""The verbs of `python manage.py study`, one module per group; each verb is a function (arguments, output) -> None."""

"""The web form of a study: its fields, generated from the schema, and the way from values to the form and back."""

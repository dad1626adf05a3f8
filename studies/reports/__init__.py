"""Reports: rating tables from the database, one Report object built from them, and its forms (text, JSON, HTML)."""

"""Views: parse, call a service, render. Annotators and researchers are two worlds."""

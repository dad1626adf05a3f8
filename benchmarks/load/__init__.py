"""Load on the annotators' pages: whole browsers' worth of requests against a web process of their own."""

"""The annotators' pages. What they show comes from studies/pages.py only."""

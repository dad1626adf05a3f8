"""Generated scenes with questions in CLEVR's terms: vocabulary, rendering, questions, files, recipes."""

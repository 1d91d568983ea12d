"""Prompting: asking a frozen language model. Chapters: prompting, chain_of_thought."""

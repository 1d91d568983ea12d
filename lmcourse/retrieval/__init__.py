"""Retrieval: passages for a question, and answers from them. Chapter: retrieval."""

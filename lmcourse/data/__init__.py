"""The texts and tasks that models learn from."""

"""Models, and the real ones that the course reads: see `pretrained`."""

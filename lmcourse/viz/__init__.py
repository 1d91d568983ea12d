"""Figures, one module per subject: plain data in, matplotlib Axes out."""

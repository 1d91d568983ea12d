"""The recorded runs: what two minutes cannot show, trained by scripts that anyone can repeat."""

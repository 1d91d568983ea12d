"""Speed and memory of the course's code beside the published libraries: `python -m benchmarks tokenization`."""

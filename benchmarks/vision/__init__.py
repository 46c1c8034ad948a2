"""What the eye does a second, bare and through the ingress. `python -m benchmarks.vision --help`."""

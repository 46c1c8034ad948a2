"""What serving costs: one small graph behind five servers, in one run. `python -m benchmarks.overhead --help`."""

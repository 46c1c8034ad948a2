"""Ports over models that an external Triton server serves, or any server of the Open Inference Protocol; see docs/triton.md."""

"""Open Inference Protocol v2 (KServe, Triton): codec, table of models, adapters onto the platform's ports."""

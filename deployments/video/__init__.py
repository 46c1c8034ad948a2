"""Videos and streams for the command line: read, sampled, recognised by a running server, drawn and written.

Nothing of the server imports this package: PyAV's wheel holds GPL libraries (docs/video.md).
"""

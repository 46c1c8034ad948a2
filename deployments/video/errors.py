"""What can go wrong with a video: VideoError <- VideoLibraryError, SourceError, OutputError. Their texts are for the person who asked."""


class VideoError(Exception):
    """The base of all."""


class VideoLibraryError(VideoError):
    """PyAV is not installed."""


class SourceError(VideoError):
    """Nothing can be read from there: not found, not reachable, no video, no decoder for it."""


class OutputError(VideoError):
    """The file cannot be written, or would overwrite another one."""

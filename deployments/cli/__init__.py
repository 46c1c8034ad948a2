"""The command `livecart`. Each module is one group of commands; what a command needs is imported when it runs, so that help is instant."""

from deployments.cli.root import main

__all__ = ["main"]

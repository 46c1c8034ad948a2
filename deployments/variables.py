"""Environment variables that the launcher sets and the processes of its run read."""

STOPPING_VARIABLE = "LIVECART_STOPPING"  # names a file that the launcher makes when it begins to stop

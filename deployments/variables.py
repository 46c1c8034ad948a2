"""Environment variables that the launcher sets and the processes of its run read."""

STOPPING_VARIABLE = "LIVECART_STOPPING"  # names a file that the launcher makes when it begins to stop
LOGS_VARIABLE = "LIVECART_LOGS"  # folder for the log files; unset: standard error

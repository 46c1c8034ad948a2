"""Starts the platform on this machine and leaves nothing behind: `livecart up`, `down`, `status`.

The story: `prepare.py` makes the run (id, folders, environment), `run.py` is the process that lives as long as the platform,
`cluster.py` starts Ray in its tree, `deploy.py` waits until the application answers, `sweep.py` ends what belongs to the run, and
`guardian.py` does the same when the launcher itself is killed.
"""

"""`manage.py up`: every process of a small installation under one roof.

`plan` says which processes there are, `child` runs one of them and starts it again with `backoff`, `output`
prefixes what they print, `first_run` makes a fresh installation usable, `ready` waits for `/health`, `state`
tells other commands what runs, and `run` puts it all in order.
"""

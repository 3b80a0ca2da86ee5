"""One program a peer, run in a virtual environment of its own: `NAME.py`, and what it needs in `NAME.txt`."""

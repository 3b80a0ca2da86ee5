"""The core decides; everything else acts. No I/O and nothing ambient: see design rule 1 in CONTRIBUTING."""

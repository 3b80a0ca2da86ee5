"""The journals: append-only event logs in memory or in an SQLite file."""

"""Stores of large values by their SHA-256."""

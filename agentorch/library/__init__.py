"""The file library: passages of the user's own files, found by words and cited by line."""

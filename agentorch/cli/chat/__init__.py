"""`agentorch chat`: a conversation of which every turn is a run."""

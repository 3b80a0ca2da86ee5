"""What travels on the bus: envelopes, and the work and results inside them."""

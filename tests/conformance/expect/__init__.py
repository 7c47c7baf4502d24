"""What a capture holds, as records that a lookup must give back: one module a protocol."""

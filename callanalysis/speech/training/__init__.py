"""Training a Whisper-format checkpoint from pairs of sound and text; it knows no calls, labels or store."""

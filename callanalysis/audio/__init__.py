"""Sound files read, speech found in them, their levels; it knows no words, no speakers and no store."""

"""What comes in: call lists, folders of recordings, transcripts as JSON lines; each fault with its place.

It knows names, rows and files by their path. It knows nothing of sound, of models, of the store.
"""

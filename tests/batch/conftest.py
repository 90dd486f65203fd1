from __future__ import annotations

from hypothesis import settings

settings.register_profile("busy", deadline=None, max_examples=60)  # a busy machine fails no test
settings.load_profile("busy")

"""Collection-call analysis: speech, tags, rules, measures and the app that shows them."""

__version__ = "0.1.0"

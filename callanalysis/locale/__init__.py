"""The catalogues of the app's messages; `python -m callanalysis.locale.update` keeps them complete."""

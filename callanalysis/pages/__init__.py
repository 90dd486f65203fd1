"""The app's pages and the parts they are made of; they show what is stored and compute no figure themselves.

Page files (calls, call, collectors, failures) are scripts for Streamlit; everything else here is imported by
them. Nothing here knows SQL, sound formats or models.
"""

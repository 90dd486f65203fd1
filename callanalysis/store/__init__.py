"""The database, and the only place with SQL: calls, failures, files seen, running batches, search.

`callanalysis.store.db.open_store(url)` gives a Store, migrated to this version; SQLite by default, any other
SQLAlchemy URL as well. It knows rows and shapes. It knows nothing of sound, of models, of pages.
"""

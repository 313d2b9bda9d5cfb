"""The SQL index of runs: what is known of all of them, to be found without opening each.

The run directories are the truth. The index is fed from them, may lag behind or be deleted, and is brought
up to date by whoever reads it. It speaks the SQL that SQLite and PostgreSQL have in common.
"""

"""Tables in files, read in blocks: records in, Arrow columns out, with the place of every record."""

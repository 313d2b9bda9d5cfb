"""Components for tests, in the shapes that built-in ones have. Importing one of them is a failure."""

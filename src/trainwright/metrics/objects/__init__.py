"""What is found in pictures against what is there: matching, and kinds of errors. No torch."""

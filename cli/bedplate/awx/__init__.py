"""AWX: what the catalog wants there, what is there, and the steps from one to the other."""

"""Independent judges of hosts at the baseline: `make audit`."""

"""Speed and memory, as ratios of ours to a reference measured side by side in one run."""

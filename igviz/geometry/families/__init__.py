"""One small file per family of distributions, all over one base."""

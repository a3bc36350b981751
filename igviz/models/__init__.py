"""What is walked on: models with a log joint density."""

"""What can be told of a request without looking at anything else."""

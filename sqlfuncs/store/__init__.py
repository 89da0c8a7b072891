"""What is kept on disk between runs: trained models and embeddings. Knows files, nothing else."""

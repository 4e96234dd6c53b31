"""From a name or a folder to pictures, samples and batches."""

"""What knows nothing of the product: errors, files, documents, tasks."""

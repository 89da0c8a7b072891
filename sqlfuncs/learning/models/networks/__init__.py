"""Pretrained transformers trained to classify: all of their weights, or adapters beside them."""

"""A training from its request to the registry, in this process or in one of its own.

Knows learning and the store; what is computed is in `sqlfuncs.learning`.
"""

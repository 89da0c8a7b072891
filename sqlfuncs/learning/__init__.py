"""Features, out-of-sample probabilities, confident learning, trained models: numbers only.

Knows no SQL; scikit-learn, cleanlab and torch are imported where they are used.
"""

"""What a row is: text, an embedding, several fields, an image or class probabilities.

Each kind is one file, and nobody but `registry` knows them all. Others ask what `base.Rows` says.
"""

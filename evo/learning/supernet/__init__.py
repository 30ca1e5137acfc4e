"""A supernet: layers of small modules of which a path uses a few; paths are trained, and share what they trained."""

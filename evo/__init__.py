"""Genome-centric evolutionary search."""

"""Bedplate: infrastructure as a product for hybrid datacenters."""

__version__ = "0.1.0"

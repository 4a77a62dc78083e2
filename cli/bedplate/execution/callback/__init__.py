"""Callback plugins that ansible loads by file."""

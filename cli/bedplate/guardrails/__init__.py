"""Guardrails: what may be done, by whom, where and when. Pure; no input or output."""

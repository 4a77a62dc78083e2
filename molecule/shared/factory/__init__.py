"""The host factory: containers with real systemd and SSH, for the lab, for molecule scenarios and for tests.

It is run as a process (`python molecule/shared/factory --help`) and needs nothing but the standard library.
"""

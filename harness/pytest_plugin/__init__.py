"""What the pytest plugin does once it is asked to; :mod:`harness.plugin` is its entry, and imports from here when it must.

Only :mod:`harness.pytest_plugin.options` is imported by every run of pytest; it imports nothing of ours.
"""

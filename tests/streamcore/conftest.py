"""Hypothesis profiles. ``HYPOTHESIS_PROFILE=thorough`` runs 10^5 examples of each property; ``quick`` a few, for coverage."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("default", max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("default"), max_examples=100_000)
settings.register_profile("quick", settings.get_profile("default"), max_examples=25)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

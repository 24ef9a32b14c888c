from hypothesis import settings

import thalweg  # noqa: F401  it settles what XLA reads from the environment, so it comes before JAX

# how long an example takes says how busy the machine is
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

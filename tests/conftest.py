import pipeline  # noqa: F401  it settles what XLA reads from the environment, so it comes before JAX

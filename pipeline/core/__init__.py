"""Pure JAX functions: losses, optimizers, schedules, metrics, augmentations, layers, networks. No disk, no pandas."""

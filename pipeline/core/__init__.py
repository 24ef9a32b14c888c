"""Pure JAX functions: losses, optimizers, schedules, metrics, augmentations, networks. No disk, no pandas."""

"""The version of this package. It stands in a module on which no fingerprint depends: the code counts by itself."""

VERSION = "0.2.0"

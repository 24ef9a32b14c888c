"""The search space in Optuna's form. Only the study imports Optuna."""

from collections.abc import Mapping

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from thalweg.config.experiment import Config
from thalweg.config.spaces import sort_parameters
from thalweg.config.study import ParameterConfig


def build_distributions(
    config: Config, others: Mapping[str, ParameterConfig] | None = None
) -> dict[str, BaseDistribution]:
    """Return the searched parameters in Optuna's form, independent of their order in the file.

    Those in `others` replace parameters of the configuration.
    """
    parameters = dict(sort_parameters(config)) | dict(others or {})
    return {name: _build_distribution(parameter) for name, parameter in parameters.items()}


def _build_distribution(parameter: ParameterConfig) -> BaseDistribution:
    if parameter.choices is not None:
        return CategoricalDistribution(parameter.choices)
    low, high = parameter.range
    if parameter.whole:
        return IntDistribution(int(low), int(high), log=parameter.log)
    return FloatDistribution(float(low), float(high), log=parameter.log)

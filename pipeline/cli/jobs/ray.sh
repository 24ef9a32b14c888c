#!/bin/sh
# Runs the study of params.yaml on a Ray cluster that is there: RAY_ADDRESS=http://HOST:8265 sh {{ file }}
# `thalweg submit ray` wrote this file; edit it as you like. The nodes need Thalweg with the extra ray.
set -eu
cd {{ project }}
: "${RAY_ADDRESS:?set it to the address of the dashboard, http://HOST:8265; for KubeRay first run \
kubectl port-forward service/NAME-head-svc 8265}"
# .gitignore lists data/, which the job needs, so the list below stands in for it
export RAY_RUNTIME_ENV_IGNORE_GITIGNORE=1
ray job submit --working-dir . --runtime-env-json {{ runtime }} -- sh -c {{ command }}

#!/bin/bash
# Runs the study of params.yaml on Slurm: sbatch {{ file }}
# `thalweg submit slurm` wrote this file; edit it as you like. A job that was cut goes on when it is submitted again.
#SBATCH --job-name={{ name }}
#SBATCH --output=%x-%j.log
#SBATCH --nodes={{ nodes }}
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task={{ cores }}
{% if gpus %}
#SBATCH --gpus-per-node={{ gpu_type + ":" if gpu_type else "" }}{{ gpus }}
{% endif %}
#SBATCH --time={{ minutes }}
#SBATCH --requeue
{% if nodes > 1 %}
#SBATCH --exclusive
#SBATCH --mem=0
{% endif %}
set -euo pipefail
cd {{ project }}
# the environment of the command that wrote this file; every node must see it, and the project
export PATH={{ programs }}:"$PATH"
{% if nodes > 1 %}

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
printf -v others '%s,' "${nodes[@]:1}"
# the address of this node, as another one sees it
address=$(srun --nodes=1 --ntasks=1 --nodelist="${nodes[1]}" getent ahostsv4 "${nodes[0]}" | awk 'NR == 1 {print $1}')
share=(--num-cpus="$SLURM_CPUS_PER_TASK" --num-gpus={{ gpus }} --disable-usage-stats --block)
# a token of this job alone: only who knows it may use this Ray
RAY_AUTH_TOKEN=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN

trap 'kill $(jobs -p) 2>/dev/null || true; wait || true' EXIT
ray start --head --node-ip-address="$address" --port=6379 "${share[@]}" &
srun --nodes=$((SLURM_JOB_NUM_NODES - 1)) --ntasks=$((SLURM_JOB_NUM_NODES - 1)) --nodelist="${others%,}" \
    --cpus-per-task="$SLURM_CPUS_PER_TASK" ray start --address="$address:6379" "${share[@]}" &

export RAY_ADDRESS="$address:6379"
python -P - "$SLURM_JOB_NUM_NODES" <<'END'
import sys, time, ray

count, end = int(sys.argv[1]), time.monotonic() + 600
while True:
    try:
        ray.init(log_to_driver=False)
        if sum(node["Alive"] for node in ray.nodes()) >= count:
            break
        ray.shutdown()
    except ConnectionError:
        pass
    if time.monotonic() > end:
        sys.exit(f"not all {count} nodes have joined Ray in 10 minutes")
    time.sleep(2)
END
{% endif %}

thalweg run

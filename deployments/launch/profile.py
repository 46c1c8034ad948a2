"""Environment variables that make Ray Serve fast and quiet, read by every Ray process when it starts.

They must be in the environment of each node before Ray starts; `livecart up` sets them for this machine, and the KubeRay manifest for
others. A variable that is already set wins, so one value can be tried without editing this file. Measured effects: docs/operations.md.
"""

from collections.abc import Mapping
from types import MappingProxyType

TUNED_PROFILE: Mapping[str, str] = MappingProxyType(
    {
        # replicas run user code and routing on one event loop, log in batches, and call each other by gRPC: 5 to 10 times the throughput
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        # HAProxy in front instead of a Python proxy: 0.2 ms instead of 4 ms a request
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        # Ray's own metrics cost a quarter of the throughput; livecart has its own /metrics
        "RAY_enable_metrics_collection": "0",
        "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "5000",
        # HAProxy would send a log line per request to a Python process that feeds the metrics switched off above
        "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
        # a saturated replica is asked again after 2 ms, not 25: the default quantises latency
        "RAY_SERVE_ROUTER_RETRY_INITIAL_BACKOFF_S": "0.002",
        "RAY_SERVE_ROUTER_RETRY_BACKOFF_MULTIPLIER": "2",
        "RAY_SERVE_ROUTER_RETRY_MAX_BACKOFF_S": "0.05",
        # autoscaling sees the load of the last second, not of the last ten: a flash sale does not wait
        "RAY_SERVE_HANDLE_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
        "RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
        # frames of 40 megapixels travel by value between deployments; gRPC's default is 4 MiB
        "RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH": str(64 * 2**20),
        # a constructor that fails twice fails again: report it instead of trying for minutes
        "RAY_SERVE_MAX_PER_REPLICA_RETRY_COUNT": "2",
        # a front end that starts on a busy machine is waited for, not killed after 5 s and started again
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "30",
        # a request that found a dead ingress goes to another one. Not `empty-response`, which would save those under way too: HAProxy then
        # keeps requests for sending them again, and does not notice any more that their callers have left (seen, 2.8.25)
        "RAY_SERVE_HAPROXY_RETRY_ON": "conn-failure",
        "RAY_SERVE_HAPROXY_RETRIES": "3",
        # Ray starts workers at nice 15, behind everything else on the machine; these answer people who wait
        "RAY_worker_niceness": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        # Ray's name for "this machine is no cluster": the node's address is 127.0.0.1, so every gRPC server of Ray listens there only
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # Serve's replicas bind their gRPC server to every interface; the hook binds it to loopback
        "__RAY_WORKER_PROCESS_SETUP_HOOK_ENV_VAR": "deployments.launch.worker_hook.bind_loopback",
        # whoever reaches Ray's ports can run code: other users of this machine need the run's token
        "RAY_AUTH_MODE": "token",
        # setproctitle overwrites /proc/PID/environ unless told otherwise, and the sweep looks there
        "SPT_NOENV": "1",
        # one log file at most 20 MiB, one older one kept
        "RAY_ROTATION_MAX_BYTES": str(20 * 2**20),
        "RAY_ROTATION_BACKUP_COUNT": "1",
        # without it every worker repeats a warning about Ray's next version
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "TOKENIZERS_PARALLELISM": "false",
    }
)

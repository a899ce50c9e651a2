"""What every peer script shares: cases by name, and samples of them on request (see benchmarks/README.md)."""
import gc
import json
import os
import sys
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

SECONDS = 0.1  # least duration of a sample, unless one call takes longer

_cases = {}


def case(op, impl, threads=1):
    """Registers a function that makes the inputs of an operation and returns the call to time."""

    def register(make):
        if (op, impl, threads) in _cases:
            raise ValueError(f"{op} by {impl} on {threads} threads is there twice")
        _cases[op, impl, threads] = make
        return make

    return register


def limit_threads(threads):
    """Holds the libraries that are loaded to a number of threads."""
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def sample(call, seconds=SECONDS):
    """Milliseconds a call, the mean over as many calls as last that long."""
    calls = 1
    while True:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        took = time.perf_counter() - start
        if took >= seconds:
            return 1e3 * took / calls
        calls = 10 * calls if took < 0.1 * seconds else max(calls + 1, int(1.2 * calls * seconds / took))


def serve():
    """Lists the cases (--list), or answers requests on stdin until it ends."""
    if "--list" in sys.argv[1:]:
        for op, impl, threads in _cases:
            print(json.dumps({"op": op, "impl": impl, "threads": threads}))
        return
    current, calls = None, {}  # the calls of one operation, whose inputs are kept
    for line in sys.stdin:
        request = json.loads(line)
        key = request["op"], request["impl"], request["threads"]
        try:
            if key[0] != current:
                current, calls = key[0], {}
                gc.collect()
            if key not in calls:
                calls[key] = _cases[key]()
                limit_threads(key[2])
                calls[key]()  # the first, cold one is not counted
            limit_threads(key[2])
            answer = {"ms": sample(calls[key], request.get("seconds", SECONDS))}
        except ImportError as missing:
            answer = {"left_out": str(missing)}
        print(json.dumps({"op": key[0], "impl": key[1], "threads": key[2], **answer}), flush=True)

"""Our own data layer without its cache: every epoch decodes every picture."""

from benchmarks.workloads.loading.ours import run

if __name__ == "__main__":
    run("none")

"""Play the citizen by hand: `python -m tests.simulators --gateway http://localhost:8000`."""

import argparse
import signal
import threading

from tests.simulators.messenger import MessengerSimulator
from tests.simulators.zalo import ZaloSimulator


def main() -> None:
    """Run both simulators until Ctrl-C and print the gateway's settings for them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--gateway", default="http://localhost:8000", help="address of the running gateway")
    options.add_argument("--port", type=int, default=8091, help="Zalo's port; Messenger gets the next one")
    chosen = options.parse_args()
    simulators = (
        ZaloSimulator(gateway=chosen.gateway, port=chosen.port).start(),
        MessengerSimulator(gateway=chosen.gateway, port=chosen.port + 1).start(),
    )
    print("# Put these into the gateway's .env (or its environment) and restart it:")
    for one in simulators:
        for name, value in one.environment().items():
            print(f"{name}={value}")
    print("\n# Then write as a citizen:")
    for one in simulators:
        print(f"{one.name}: {one.url}/")
    stop = threading.Event()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, lambda *_: stop.set())
    stop.wait()
    for one in simulators:
        one.stop()


if __name__ == "__main__":
    main()

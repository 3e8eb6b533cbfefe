"""Which of a run's processes takes which files of tests."""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

WAITING = (
    "tests/browser",
    "tests/faults/",
    "tests/integration/test_buyer_leaves.py",
    "tests/integration/test_daemons.py",
    "tests/integration/test_lost_seats.py",
    "tests/integration/test_many_messages.py",
    "tests/integration/test_market_commands.py",
    "tests/integration/test_orders.py",
    "tests/integration/test_owner_orders.py",
    "tests/integration/test_runbook.py",
    "tests/integration/test_stores.py",
    "tests/integration/test_watched_market.py",
    "tests/services/runtime/test_outages.py",
    "tests/services/runtime/test_runtime_crashes.py",
    "tests/services/sandbox/test_start_page.py",
    "tests/services/store/",
    "tests/test_late_collection.py",
)
"""What waits more than it computes: for blocks, pages, deadlines and servers that were killed."""

CONSOLES_OF_THEIR_OWN = tuple(
    f"tests/browser/test_{name}.py" for name in ("cards", "failures", "model_card", "order_sample")
)
"""What shares no market with the other tests in a browser."""

OWN_BROKER = (
    "tests/integration/test_many_messages.py",
    "tests/services/bus/amqp/test_connection.py",
    "tests/services/bus/broker/test_temporary_login.py",
)
"""What shares a broker that is killed: nobody else may use it, and each start of one costs seconds."""


class Together(LoadFileScheduling):
    """Files go whole to one process, and those that share a browser and a market, or a broker, to the same.

    The last half of the processes, the smaller one, begins with what waits, the others with what computes: so
    the cores always have work, and trainings with deadlines do not stand in each other's way.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(OWN_BROKER):
            return OWN_BROKER[0]
        if not nodeid.startswith("tests/browser/"):
            return super()._split_scope(nodeid)
        return "tests/browser alone" if nodeid.startswith(CONSOLES_OF_THEIR_OWN) else "tests/browser"

    def _reschedule(self, node: WorkerController) -> None:
        # One that replaces a process that died has to find its tests first; then it is asked again. A process
        # begins with a file once it knows the next one, or that there is none. More is not given to it: what
        # waits for it no other process takes.
        while node in self.registered_collections and not node.shutting_down:
            if self.workqueue and self._has_next(node):
                break
            super()._reschedule(node)

    def _has_next(self, node: WorkerController) -> bool:
        return self._pending_of(self.assigned_work[node]) > 1

    def _assign_work_unit(self, node: WorkerController) -> None:
        waiting = node in self.nodes[(len(self.nodes) + 1) // 2 :]
        fitting = (scope for scope in self.workqueue if scope.startswith(WAITING) is waiting)
        self.workqueue.move_to_end(next(fitting, next(iter(self.workqueue))), last=False)
        super()._assign_work_unit(node)

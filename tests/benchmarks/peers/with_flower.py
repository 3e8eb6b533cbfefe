"""Flower: its own server loop, clients and SecAgg+, in one process without Ray.

Flower's simulation needs Ray, and its loopback needs five daemons; the loop, the messages and the secure
aggregation are the same over this grid, which hands each message to its client as the bytes that travel.
"""

import logging
import sys
import uuid
from functools import partial

import numpy as np
from flwr.app import Context, Message, RecordDict
from flwr.client import ClientApp, NumPyClient
from flwr.client.mod import secaggplus_mod
from flwr.common import ndarrays_to_parameters
from flwr.common.serde import message_from_proto, message_to_proto
from flwr.proto.message_pb2 import Message as Wire
from flwr.proto.node_pb2 import NodeInfo
from flwr.server import Grid, LegacyContext, ServerConfig
from flwr.server.strategy import FedAvg
from flwr.server.workflow import DefaultWorkflow, SecAggPlusWorkflow
from flwr.supercore.run import Run
from flwr.supercore.task_identity import TaskIdentity

from tests.benchmarks.peers.answer import Answer, Stopwatch, answer, answering
from tests.benchmarks.peers.job import Job, Matrix

RUN = 1
LARGEST_WEIGHT = 1024.0
"""SecAgg+ clips weights to this and rounds them to 2²² values in between, as it does by default."""


class Owner(NumPyClient):
    """One trainer; every owner counts the same, as in DeltaML's plain mean."""

    def __init__(self, job: Job, trainer: int):
        self._local = partial(job.local, trainer)

    def fit(self, parameters, config):
        return [self._local(np.asarray(parameters[0]))], 1, {}


class Loopback(Grid):
    """Messages go to their client as bytes, and its reply comes back as bytes."""

    def __init__(self, app: ClientApp, clients: int):
        self._app, self.bytes_sent = app, 0
        self._contexts = {node + 1: _context(node + 1, {"trainer": node}) for node in range(clients)}

    def set_run(self, run):
        raise NotImplementedError

    @property
    def run(self):
        return Run.create_empty(RUN)

    def create_message(self, content, message_type, dst_node_id, group_id, ttl=None):
        return Message(content, dst_node_id, message_type, ttl=ttl, group_id=group_id)

    def get_node_ids(self):
        return list(self._contexts)

    def get_nodes(self):
        return [NodeInfo(node_id=node) for node in self._contexts]

    def push_messages(self, messages):
        raise NotImplementedError

    def pull_messages(self, message_ids):
        raise NotImplementedError

    def send_and_receive(self, messages, *, timeout=None):
        return [self._answered(message) for message in messages]

    def _answered(self, message):
        message.metadata._message_id = uuid.uuid4().hex
        context = self._contexts[message.metadata.dst_node_id]
        return self._carried(self._app(self._carried(message), context))

    def _carried(self, message):
        content = message_to_proto(message).SerializeToString()
        self.bytes_sent += len(content)
        return message_from_proto(Wire.FromString(content))


def solve(job: Job, *, secure: bool) -> Answer:
    """Federated averaging over the job's rounds, with SecAgg+ or in the plain."""
    logging.getLogger("flwr").setLevel(logging.ERROR)
    TaskIdentity.run_id = TaskIdentity.node_id = TaskIdentity.task_id = RUN
    trainers, seen = len(job.trainers), list[Matrix]()
    app = ClientApp(
        client_fn=lambda context: Owner(job, int(context.node_config["trainer"])).to_client(),
        mods=[secaggplus_mod] if secure else [],
    )
    strategy = FedAvg(
        fraction_evaluate=0.0,
        min_fit_clients=trainers,
        min_available_clients=trainers,
        initial_parameters=ndarrays_to_parameters([job.start()]),
        evaluate_fn=lambda number, parameters, config: seen.append(parameters[0]),
    )
    grid, clock = Loopback(app, trainers), Stopwatch()
    context = LegacyContext(_context(0, {}), ServerConfig(num_rounds=job.rounds), strategy)
    aggregation = SecAggPlusWorkflow(trainers, trainers - 1, clipping_range=LARGEST_WEIGHT, max_weight=1.0)
    with clock.running():
        DefaultWorkflow(fit_workflow=aggregation if secure else None)(grid, context)
    return answer(seen[-1], clock, "flwr", note=f"{grid.bytes_sent / 1e6:.2f} MB sent")


def _context(node: int, settings: dict[str, int]) -> Context:
    return Context(run_id=RUN, node_id=node, node_config=settings, state=RecordDict(), run_config={})


if __name__ == "__main__":
    answering(partial(solve, secure="--secure" in sys.argv))

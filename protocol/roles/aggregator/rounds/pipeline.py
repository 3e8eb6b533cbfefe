"""The aggregator's two lanes together: whatever frees one of them may start the other."""

from typing import TypeVar

from protocol.roles.aggregator.rounds import evidence, training
from protocol.roles.aggregator.state import EndingState, TrainingState
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.state import PhaseState
from protocol.roles.engine.table import Handler

P = TypeVar("P", bound=PhaseState)
C = TypeVar("C")


def advancing(handler: Handler[P, C]) -> Handler[P, C]:
    """A handler after which a lane may be free, or the first round due: whatever can start is started."""

    def handle(state: P, content: C, context: Context) -> Step[PhaseState]:
        step = handler(state, content, context)
        if not step.progressed or not isinstance(step.state, TrainingState):
            return step
        advanced = _advance(step.state, context.knowing(step.effects))
        return Step(advanced.state, step.effects + advanced.effects)

    return handle


def _advance(state: TrainingState, context: Context) -> Step[TrainingState | EndingState]:
    """Measure the round that waits; train at most one round ahead of it."""
    measured = evidence.start_next(state, context)
    trained = training.start_next(measured.state, context)
    return Step(trained.state, measured.effects + trained.effects)

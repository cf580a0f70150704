"""The peer's task: does nothing, as Fernlab's no-op protocol does. Celery's defaults, but for what is set here."""
import os

from celery import Celery

# rpc:// sends results straight back to the asking process, without storing them: the fastest of Celery's result
# backends with RabbitMQ. Queues are durable and messages persistent, acknowledgements as Celery has them by default.
app = Celery("tasks", broker=os.environ["BENCH_AMQP"], backend="rpc://")


@app.task
def nothing():
    return None

"""What Prometheus may count. Labels are few and fixed: never a person, a text or an id."""

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("tongdai_messages_total", "Inbound messages accepted", ["channel"])
DECISIONS = Counter("tongdai_decisions_total", "What became of inbound messages", ["outcome"])
DELIVERIES = Counter("tongdai_deliveries_total", "Outbound messages", ["channel", "state"])
ANSWER_SECONDS = Histogram(
    "tongdai_answer_seconds",
    "From a message's row to its reply's row",
    buckets=(0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0),
)
RASA_SECONDS = Histogram(
    "tongdai_rasa_seconds", "One call to Rasa", ["call"], buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
)
WAITING_TICKETS = Gauge("tongdai_waiting_tickets", "Tickets that nobody has taken")
INDEX_GENERATION = Gauge("tongdai_index_generation", "Generation of the question banks this process answers from")

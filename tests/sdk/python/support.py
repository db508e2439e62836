"""What every check needs: the SDK's client, one line per check, and the promises that hold for every resource."""

import os
import uuid

import stripe

RUN = uuid.uuid4().hex[:12]
EMAIL = f"python-{RUN}@example.com"
PAGE = 3
CLIENT = stripe.StripeClient(
    os.environ["STRIPE_KEY"], base_addresses={"api": os.environ["STRIPE_BASE"]}, max_network_retries=0
)
V1 = CLIENT.v1
FAILED = []


def check(name):
    """Runs the decorated function at once; whatever it raises is the failure."""

    def run(body):
        try:
            body()
        except Exception as problem:  # the point is to report and go on
            FAILED.append(name)
            print(f"FAIL {name}: {type(problem).__name__}: {' '.join(str(problem).split())}", flush=True)
        else:
            print(f"ok {name}", flush=True)
        return body

    return run


def same(got, want, what="value"):
    if got != want:
        raise AssertionError(f"{what} is {got!r}, expected {want!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def refused(call, error, status, code=None, param=None):
    """`call` must raise exactly `error`, and say what is wrong in fields a program can read."""
    try:
        call()
    except stripe.StripeError as problem:
        same(type(problem), error, "error class")
        same(problem.http_status, status, "status")
        same(problem.code, code, "code")
        if param is not None:
            same(problem.param, param, "param")
        holds(problem.user_message, "the error has no message")
        holds((problem.request_id or "").startswith("req_"), f"request id is {problem.request_id!r}")
        return problem
    raise AssertionError(f"was accepted; expected {error.__name__}")


def replayed(name, create, other):
    """`create` twice with one key is one object; `other`, with that key and other content, is refused."""

    @check(f"{name}: the same idempotency key gives the same object")
    def _():
        options = {"idempotency_key": f"{name}-{RUN}"}
        first, second = create(options), create(options)
        same(second.id, first.id, "id")
        same(second.to_dict(), first.to_dict(), "replayed body")
        same(first.last_response.headers.get("Idempotent-Replayed"), None, "header of the first answer")
        same(second.last_response.headers.get("Idempotent-Replayed"), "true", "header of the replay")

    @check(f"{name}: the same key with other parameters is an IdempotencyError")
    def _():
        refused(lambda: other({"idempotency_key": f"{name}-{RUN}"}), stripe.IdempotencyError, 400)


def pages(name, first_page, expected):
    """The SDK's auto-paging must meet every id once, newest first, over more than one page, in both directions."""

    @check(f"{name}: auto-paging meets every object once, newest first")
    def _():
        page = first_page({"limit": PAGE})
        same(len(page.data), PAGE, "objects on the first page")
        same(page.has_more, True, "has_more")
        got = [item.id for item in page.auto_paging_iter()]
        same(sorted(got), sorted(expected), "ids")
        same(len(set(got)), len(got), "distinct ids")
        times = [item.created for item in first_page({"limit": 100}).data]
        same(times, sorted(times, reverse=True), "order of creation")

    @check(f"{name}: paging backwards meets the same objects in reverse")
    def _():
        forward = [item.id for item in first_page({"limit": PAGE}).auto_paging_iter()]
        back = first_page({"limit": PAGE, "ending_before": forward[-1]})
        same([item.id for item in back.auto_paging_iter()], forward[-2::-1], "ids")

    @check(f"{name}: both cursors at once are refused")
    def _():
        both = {"starting_after": expected[0], "ending_before": expected[0]}
        refused(lambda: first_page(both), stripe.InvalidRequestError, 400)


def customer(**more):
    return V1.customers.create({"email": EMAIL, **more})

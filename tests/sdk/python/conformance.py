#!/usr/bin/env python3
"""Drives a Stripe-compatible server with Stripe's own Python SDK, unmodified.

    STRIPE_BASE=http://127.0.0.1:12111 STRIPE_KEY=sk_test_… python conformance.py

For every resource: create, retrieve, update, list over more than one page, an error of the right class, and a replay with
the same idempotency key. One line a check, `ok …` or `FAIL …`; the exit status is 1 if any failed. Everything is done
on customers made here, so the server may hold others, and the script may run twice against the same server.
"""

import os
import sys
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
    """`create(options)` twice with one key is one object; `other(options)`, with that key and other content, is refused."""

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


def account_checks():
    @check("account: retrieve says who we are")
    def _():
        account = V1.accounts.retrieve_current()
        same(account.object, "account", "object")
        holds(account.id.startswith("acct_"), f"id is {account.id}")
        same(account.id, os.environ.get("STRIPE_ACCOUNT", account.id), "id")
        holds(account.default_currency and account.country, "no default currency or country")

    @check("account: a wrong key is an AuthenticationError")
    def _():
        addresses = {"api": os.environ["STRIPE_BASE"]}
        stranger = stripe.StripeClient("sk_test_wrong", base_addresses=addresses, max_network_retries=0)
        try:
            stranger.v1.accounts.retrieve_current()
        except stripe.AuthenticationError as problem:
            same(problem.http_status, 401, "status")
        else:
            raise AssertionError("was accepted")

    @check("a path that does not exist is an InvalidRequestError")
    def _():
        refused(lambda: CLIENT.raw_request("get", "/v1/unheard_of"), stripe.InvalidRequestError, 404)


def customer_checks():
    made = []

    @check("customers: create answers what was sent")
    def _():
        made.append(
            customer(
                name="Zoë Müller 木",
                description="first",
                address={"city": "Perth", "country": "AU"},
                preferred_locales=["en", "de"],
                invoice_settings={"custom_fields": [{"name": "PO", "value": "7"}]},
                metadata={"region": "ap", "a key": "a value & more"},
            )
        )
        one = made[0]
        same(type(one), stripe.Customer, "class")
        same((one.name, one.email, one.balance, one.livemode), ("Zoë Müller 木", EMAIL, 0, False))
        same((one.address.city, one.address.country, one.address.line1), ("Perth", "AU", None), "address")
        same(one.preferred_locales, ["en", "de"], "preferred_locales")
        same(one.invoice_settings.custom_fields[0].value, "7", "custom field")
        same(one.metadata.to_dict(), {"region": "ap", "a key": "a value & more"}, "metadata")
        holds((one.last_response.headers.get("Request-Id") or "").startswith("req_"), "no request id")

    @check("customers: retrieve answers the same")
    def _():
        same(V1.customers.retrieve(made[0].id).to_dict(), made[0].to_dict(), "customer")

    @check("customers: update changes what was sent and nothing else")
    def _():
        change = {"description": "", "address": {"line1": "1 Quay St"}, "metadata": {"region": "", "wave": "2"}}
        one = V1.customers.update(made[0].id, change)
        same((one.name, one.description), ("Zoë Müller 木", None))
        same((one.address.line1, one.address.city), ("1 Quay St", "Perth"), "address")
        same(one.metadata.to_dict(), {"a key": "a value & more", "wave": "2"}, "metadata")
        same(V1.customers.update(made[0].id, {"metadata": ""}).metadata.to_dict(), {}, "metadata after clearing")

    @check("customers: expand shows the per-currency balance, which is hidden otherwise")
    def _():
        shown = V1.customers.retrieve(made[0].id, {"expand": ["invoice_credit_balance"]})
        same(shown["invoice_credit_balance"].to_dict(), {}, "invoice_credit_balance")
        holds("invoice_credit_balance" not in V1.customers.retrieve(made[0].id), "shown though nobody asked")

    made.extend(customer(name=f"{number}") for number in range(2 * PAGE))
    pages("customers", lambda params: V1.customers.list({"email": EMAIL, **params}), [one.id for one in made])

    @check("customers: lists by time of creation")
    def _():
        params = {"email": EMAIL, "created": {"gte": made[0].created, "lt": made[-1].created + 1}, "limit": 100}
        same(len(V1.customers.list(params).data), len(made), "customers")
        later = {"email": EMAIL, "created": {"gt": made[-1].created + 86400}}
        same(V1.customers.list(later).data, [], "customers of tomorrow")

    @check("customers: one that does not exist is an InvalidRequestError, resource_missing")
    def _():
        missing = lambda: V1.customers.retrieve("cus_missing")
        problem = refused(missing, stripe.InvalidRequestError, 404, "resource_missing", "id")
        same(problem.user_message, "No such customer: 'cus_missing'", "message")

    @check("customers: an unknown parameter is named")
    def _():
        wrong = lambda: CLIENT.raw_request("post", "/v1/customers", address={"town": "x"})
        refused(wrong, stripe.InvalidRequestError, 400, "parameter_unknown", "address[town]")

    @check("customers: an unknown cursor is refused")
    def _():
        wrong = lambda: V1.customers.list({"starting_after": "cus_missing"})
        refused(wrong, stripe.InvalidRequestError, 400, "resource_missing", "starting_after")

    replayed(
        "customers",
        lambda options: V1.customers.create({"name": "once"}, options),
        lambda options: V1.customers.create({"name": "other"}, options),
    )


def balance_transaction_checks():
    owner = customer(name="ledger").id
    ledger = V1.customers.balance_transactions
    made = []

    @check("balance transactions: create posts a credit")
    def _():
        entry = {"amount": -500, "currency": "usd", "description": "moved", "metadata": {"cutover_of": "cus_0"}}
        made.append(ledger.create(owner, entry))
        one = made[0]
        same((one.amount, one.currency, one.ending_balance, one.type), (-500, "usd", -500, "adjustment"))
        same((one.customer, one.metadata["cutover_of"]), (owner, "cus_0"))
        held = V1.customers.retrieve(owner, {"expand": ["invoice_credit_balance"]})
        same((held.balance, held.currency), (-500, "usd"), "customer's balance")
        same(held["invoice_credit_balance"].to_dict(), {"usd": 500}, "invoice_credit_balance")

    @check("balance transactions: another currency leaves the customer's own balance alone")
    def _():
        made.append(ledger.create(owner, {"amount": -700, "currency": "jpy"}))
        same(made[1].ending_balance, -700, "ending_balance")
        held = V1.customers.retrieve(owner, {"expand": ["invoice_credit_balance"]})
        same((held.balance, held.currency), (-500, "usd"), "customer's balance")
        same(held["invoice_credit_balance"].to_dict(), {"jpy": 700, "usd": 500}, "invoice_credit_balance")

    @check("balance transactions: retrieve and update")
    def _():
        same(ledger.retrieve(owner, made[0].id).to_dict(), made[0].to_dict(), "transaction")
        changed = ledger.update(owner, made[0].id, {"description": "seen", "metadata": {"more": "1"}})
        same((changed.amount, changed.description, changed.metadata["more"]), (-500, "seen", "1"))

    made.extend(ledger.create(owner, {"amount": 1, "currency": "usd"}) for _ in range(2 * PAGE))
    pages("balance transactions", lambda params: ledger.list(owner, params), [one.id for one in made])

    @check("balance transactions: a missing currency is named")
    def _():
        wrong = lambda: ledger.create(owner, {"amount": -5})
        refused(wrong, stripe.InvalidRequestError, 400, "parameter_missing", "currency")

    @check("balance transactions: an amount that is no integer is named")
    def _():
        wrong = lambda: ledger.create(owner, {"amount": "5.5", "currency": "usd"})
        refused(wrong, stripe.InvalidRequestError, 400, "parameter_invalid_integer", "amount")

    @check("balance transactions: the amount cannot be changed afterwards")
    def _():
        wrong = lambda: ledger.update(owner, made[0].id, {"amount": -1})
        refused(wrong, stripe.InvalidRequestError, 400, "parameter_unknown", "amount")

    @check("balance transactions: one that does not exist is resource_missing")
    def _():
        wrong = lambda: ledger.retrieve(owner, "cbtxn_missing")
        refused(wrong, stripe.InvalidRequestError, 404, "resource_missing")

    before = V1.customers.retrieve(owner).balance
    replayed(
        "balance transactions",
        lambda options: ledger.create(owner, {"amount": -100, "currency": "usd"}, options),
        lambda options: ledger.create(owner, {"amount": -101, "currency": "usd"}, options),
    )

    @check("balance transactions: a replay posts no second time")
    def _():
        same(V1.customers.retrieve(owner).balance, before - 100, "balance")


def cash_balance_checks():
    owner = customer(name="cash").id
    fund = V1.test_helpers.customers.fund_cash_balance
    made = []

    @check("cash balance: retrieve before any funds")
    def _():
        cash = V1.customers.cash_balance.retrieve(owner)
        same((cash.object, cash.customer, cash.available), ("cash_balance", owner, None))

    @check("test helper: fund_cash_balance adds funds per currency")
    def _():
        made.append(fund(owner, {"amount": 5000, "currency": "usd", "reference": "wire"}))
        made.append(fund(owner, {"amount": 70, "currency": "jpy"}))
        one = made[0]
        same((one.object, one.type, one.net_amount, one.currency), ("customer_cash_balance_transaction", "funded", 5000, "usd"))
        same((one.ending_balance, one.customer), (5000, owner))
        cash = V1.customers.cash_balance.retrieve(owner)
        same(cash.available.to_dict(), {"jpy": 70, "usd": 5000}, "available")
        expanded = V1.customers.retrieve(owner, {"expand": ["cash_balance"]})
        same(expanded.cash_balance.available.to_dict(), {"jpy": 70, "usd": 5000}, "available, expanded")

    @check("cash balance: update changes the reconciliation mode alone")
    def _():
        changed = V1.customers.cash_balance.update(owner, {"settings": {"reconciliation_mode": "manual"}})
        same((changed.settings.reconciliation_mode, changed.settings.using_merchant_default), ("manual", False))
        same(changed.available.to_dict(), {"jpy": 70, "usd": 5000}, "available")

    @check("cash balance: a mode that does not exist is named")
    def _():
        wrong = {"settings": {"reconciliation_mode": "sometimes"}}
        param = "settings[reconciliation_mode]"
        refused(
            lambda: V1.customers.cash_balance.update(owner, wrong), stripe.InvalidRequestError, 400, None, param
        )

    made.extend(fund(owner, {"amount": 1, "currency": "usd"}) for _ in range(2 * PAGE))
    listing = V1.customers.cash_balance_transactions
    pages("cash balance transactions", lambda params: listing.list(owner, params), [one.id for one in made])

    @check("cash balance transactions: retrieve")
    def _():
        same(listing.retrieve(owner, made[0].id).to_dict(), made[0].to_dict(), "transaction")
        wrong = lambda: listing.retrieve(owner, "ccsbtxn_missing")
        refused(wrong, stripe.InvalidRequestError, 404, "resource_missing")

    @check("test helper: a customer that does not exist is resource_missing")
    def _():
        wrong = lambda: fund("cus_missing", {"amount": 1, "currency": "usd"})
        refused(wrong, stripe.InvalidRequestError, 404, "resource_missing")

    replayed(
        "fund_cash_balance",
        lambda options: fund(owner, {"amount": 9, "currency": "eur"}, options),
        lambda options: fund(owner, {"amount": 10, "currency": "eur"}, options),
    )

    @check("test helper: a replay funds no second time")
    def _():
        same(V1.customers.cash_balance.retrieve(owner).available["eur"], 9, "available")


def grant(owner, value=1000, **more):
    return {
        "customer": owner,
        "category": "promotional",
        "amount": {"type": "monetary", "monetary": {"value": value, "currency": "usd"}},
        "applicability_config": {"scope": {"price_type": "metered"}},
        **more,
    }


def credit_grant_checks():
    owner = customer(name="grants").id
    grants = V1.billing.credit_grants
    made = []

    @check("credit grants: create")
    def _():
        made.append(grants.create(grant(owner, name="welcome", metadata={"why": "sorry"})))
        one = made[0]
        same((one.object, one.customer, one.category, one.name), ("billing.credit_grant", owner, "promotional", "welcome"))
        same((one.amount.type, one.amount.monetary.value, one.amount.monetary.currency), ("monetary", 1000, "usd"))
        same(one.applicability_config.scope.price_type, "metered", "scope")
        same((one.metadata.to_dict(), one.voided_at), ({"why": "sorry"}, None))

    @check("credit grants: retrieve and update")
    def _():
        same(grants.retrieve(made[0].id).to_dict(), made[0].to_dict(), "grant")
        later = made[0].created + 30 * 86400
        changed = grants.update(made[0].id, {"metadata": {"more": "1"}, "expires_at": later})
        same((changed.metadata.to_dict(), changed.expires_at), ({"why": "sorry", "more": "1"}, later))

    made.extend(grants.create(grant(owner)) for _ in range(2 * PAGE))
    pages("credit grants", lambda params: grants.list({"customer": owner, **params}), [one.id for one in made])

    @check("credit grants: the summary adds them up")
    def _():
        filter_ = {"type": "applicability_scope", "applicability_scope": {"price_type": "metered"}}
        summary = V1.billing.credit_balance_summary.retrieve({"customer": owner, "filter": filter_})
        same(summary.object, "billing.credit_balance_summary", "object")
        same(summary.balances[0].available_balance.monetary.value, 1000 * len(made), "available")

    @check("credit grants: a missing amount is named")
    def _():
        wrong = {"customer": owner, "applicability_config": {"scope": {"price_type": "metered"}}}
        refused(lambda: grants.create(wrong), stripe.InvalidRequestError, 400, "parameter_missing", "amount")

    @check("credit grants: one that does not exist is resource_missing")
    def _():
        refused(lambda: grants.retrieve("credgr_missing"), stripe.InvalidRequestError, 404, "resource_missing")

    replayed(
        "credit grants",
        lambda options: grants.create(grant(owner, 77), options),
        lambda options: grants.create(grant(owner, 78), options),
    )


def payment_method_checks():
    owner = customer(name="cards").id

    @check("payment methods: a new customer has none")
    def _():
        same(V1.customers.payment_methods.list(owner).data, [], "payment methods")
        same(V1.payment_methods.list({"customer": owner}).data, [], "payment methods")

    @check("payment methods: one that does not exist is resource_missing")
    def _():
        refused(lambda: V1.payment_methods.retrieve("pm_missing"), stripe.InvalidRequestError, 404, "resource_missing")
        of_owner = lambda: V1.customers.payment_methods.retrieve(owner, "pm_missing")
        refused(of_owner, stripe.InvalidRequestError, 404, "resource_missing")

    @check("payment methods: those of the account's own customers can be read")
    def _():
        for other in V1.customers.list({"limit": 100}).data:
            for method in V1.customers.payment_methods.list(other.id).auto_paging_iter():
                same((type(method), method.customer), (stripe.PaymentMethod, other.id))
                same(V1.payment_methods.retrieve(method.id).to_dict(), method.to_dict(), "payment method")
                return
        print("   (no customer of this account has a payment method)")


def event_checks():
    told = []

    @check("events: what happened above is listed")
    def _():
        page = V1.events.list({"type": "customer.created", "limit": 100})
        told.extend(event for event in page.auto_paging_iter() if event.data.object.get("email") == EMAIL)
        holds(len(told) > PAGE, f"{len(told)} events about customers made here")
        same({event.type for event in told}, {"customer.created"}, "types")
        same(type(told[0]), stripe.Event, "class")
        same(told[0].data.object["object"], "customer", "object")

    @check("events: auto-paging meets every event once, newest first")
    def _():
        page = V1.events.list({"type": "customer.created", "limit": PAGE})
        same((len(page.data), page.has_more), (PAGE, True))
        got = [event for event in page.auto_paging_iter()]
        same([event.id for event in got if event.data.object.get("email") == EMAIL], [event.id for event in told])
        same(len({event.id for event in got}), len(got), "distinct ids")

    @check("events: a wildcard and a list of types")
    def _():
        wild = V1.events.list({"type": "customer.*", "limit": 100}).data
        holds(wild and all(event.type.startswith("customer.") for event in wild), "others among them")
        both = V1.events.list({"types": ["customer.created", "customer.updated"], "limit": 100}).data
        same({event.type for event in both}, {"customer.created", "customer.updated"}, "types")

    @check("events: an update says what was before")
    def _():
        owner = customer(name="before").id
        V1.customers.update(owner, {"name": "after"})
        events = V1.events.list({"type": "customer.updated", "limit": 100}).data
        mine = [event for event in events if event.data.object["id"] == owner]
        same(len(mine), 1, "events")
        same(mine[0].data.object["name"], "after", "name")
        same(mine[0].data.previous_attributes.to_dict(), {"name": "before"}, "previous attributes")

    @check("events: retrieve")
    def _():
        same(V1.events.retrieve(told[0].id).to_dict(), told[0].to_dict(), "event")
        refused(lambda: V1.events.retrieve("evt_missing"), stripe.InvalidRequestError, 404, "resource_missing")


def main():
    parts = [account_checks, customer_checks, balance_transaction_checks, cash_balance_checks]
    for part in [*parts, credit_grant_checks, payment_method_checks, event_checks]:
        check(f"{part.__name__.replace('_', ' ')} ran to their end")(part)
    print(f"{len(FAILED)} failed" if FAILED else "all as Stripe's SDK expects", flush=True)
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()

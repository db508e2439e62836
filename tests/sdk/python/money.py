"""The three stores of credit: balance transactions, cash balance, credit grants."""

import stripe
from support import PAGE, V1, check, customer, pages, refused, replayed, same


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
        same((one.object, one.type), ("customer_cash_balance_transaction", "funded"))
        same((one.net_amount, one.currency), (5000, "usd"))
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
        same((one.object, one.customer), ("billing.credit_grant", owner))
        same((one.category, one.name), ("promotional", "welcome"))
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

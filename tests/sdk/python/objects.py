"""Account, customers, payment methods, events."""

import os

import stripe
from support import CLIENT, EMAIL, PAGE, V1, check, customer, holds, pages, refused, replayed, same


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

    # Stripe's test cards, by the name it gives them: the only way to a payment method that needs no card number.
    made = [customer(name="card", payment_method=f"pm_card_{brand}").id for brand in ("visa", "mastercard")]
    methods = V1.customers.payment_methods

    @check("payment methods: one given when the customer was made can be read in every way")
    def _():
        [method] = methods.list(made[0], {"type": "card"}).data
        same((type(method), method.customer, method.type), (stripe.PaymentMethod, made[0], "card"))
        same((method.card.brand, len(method.card.last4)), ("visa", 4))
        same(V1.payment_methods.retrieve(method.id).to_dict(), method.to_dict(), "payment method")
        same(methods.retrieve(made[0], method.id).to_dict(), method.to_dict(), "payment method of its customer")
        listed = V1.payment_methods.list({"customer": made[0]}).data
        same([one.id for one in listed], [method.id], "payment methods of the customer")
        same(methods.list(made[0], {"type": "us_bank_account"}).data, [], "bank accounts")

    @check("payment methods: one of another customer is not found")
    def _():
        [other] = methods.list(made[1]).data
        wrong = lambda: methods.retrieve(made[0], other.id)
        refused(wrong, stripe.InvalidRequestError, 404, "resource_missing")

    @check("payment methods: the customer is shown when expanded")
    def _():
        [method] = methods.list(made[0], {"expand": ["data.customer"]}).data
        same((type(method.customer), method.customer.id), (stripe.Customer, made[0]))


def method_writing_checks():
    owner, other = customer(name="writes").id, customer(name="other").id
    methods = V1.payment_methods
    made = []

    @check("payment methods: attach makes a test card the customer's")
    def _():
        made.append(methods.attach("pm_card_visa", {"customer": owner}))
        same((type(made[0]), made[0].customer, made[0].card.brand), (stripe.PaymentMethod, owner, "visa"))
        same(methods.attach(made[0].id, {"customer": owner}).to_dict(), made[0].to_dict(), "attached again")

    @check("payment methods: one of another customer cannot be attached, nor be a default")
    def _():
        refused(lambda: methods.attach(made[0].id, {"customer": other}), stripe.InvalidRequestError, 400)
        default = {"invoice_settings": {"default_payment_method": made[0].id}}
        refused(lambda: V1.customers.update(other, default), stripe.InvalidRequestError, 400)
        one = V1.customers.update(owner, default)
        same(one.invoice_settings.default_payment_method, made[0].id, "default")
        shown = V1.customers.retrieve(owner, {"expand": ["invoice_settings.default_payment_method"]})
        same(type(shown.invoice_settings.default_payment_method), stripe.PaymentMethod, "expanded default")

    @check("payment methods: update changes what was sent")
    def _():
        change = {"metadata": {"a": "b"}, "card": {"exp_year": 2033}, "billing_details": {"phone": "1"}}
        one = methods.update(made[0].id, change)
        same((one.metadata.to_dict(), one.card.exp_year, one.billing_details.phone), ({"a": "b"}, 2033, "1"))

    @check("payment methods: detach is for good and unsets the default")
    def _():
        same(methods.detach(made[0].id).customer, None, "customer")
        same(V1.customers.retrieve(owner).invoice_settings.default_payment_method, None, "default")
        refused(lambda: methods.detach(made[0].id), stripe.InvalidRequestError, 400)
        refused(lambda: methods.attach(made[0].id, {"customer": owner}), stripe.InvalidRequestError, 400)

    @check("sources: a card of the older interface is listed and is the default source")
    def _():
        V1.customers.update(other, {"source": "tok_visa"})
        [card] = V1.customers.payment_sources.list(other, {"object": "card"}).data
        same((type(card), card.brand, card.customer), (stripe.Card, "Visa", other))
        same(V1.customers.payment_sources.retrieve(other, card.id).to_dict(), card.to_dict(), "card")
        shown = V1.customers.retrieve(other, {"expand": ["default_source", "sources"]})
        same((shown.default_source.id, shown.sources.data[0].id), (card.id, card.id), "default source")


def tax_id_checks():
    owner = customer(name="tax", tax_id_data=[{"type": "eu_vat", "value": "DE123456789"}]).id
    tax_ids = V1.customers.tax_ids
    made = []

    @check("tax ids: create, retrieve, list, delete")
    def _():
        made.append(tax_ids.create(owner, {"type": "au_abn", "value": "51824753556"}))
        one = made[0]
        same((type(one), one.country, one.value, one.customer), (stripe.TaxId, "AU", "51824753556", owner))
        same(tax_ids.retrieve(owner, one.id).to_dict(), one.to_dict(), "tax id")
        same([t.type for t in tax_ids.list(owner).data], ["au_abn", "eu_vat"], "types")
        shown = V1.customers.retrieve(owner, {"expand": ["tax_ids"]})
        same([t.type for t in shown.tax_ids.data], ["au_abn", "eu_vat"], "types when expanded")
        same(tax_ids.delete(owner, one.id).deleted, True, "deleted")
        refused(lambda: tax_ids.retrieve(owner, one.id), stripe.InvalidRequestError, 404, "resource_missing")

    @check("tax ids: a wrong value is tax_id_invalid")
    def _():
        wrong = lambda: tax_ids.create(owner, {"type": "eu_vat", "value": "?"})
        refused(wrong, stripe.InvalidRequestError, 400, "tax_id_invalid")


def event_checks():
    told = []
    mine = lambda event: getattr(event.data.object, "email", None) == EMAIL

    @check("events: what happened above is listed")
    def _():
        page = V1.events.list({"type": "customer.created", "limit": 100})
        told.extend(filter(mine, page.auto_paging_iter()))
        holds(len(told) > PAGE, f"{len(told)} events about customers made here")
        same({event.type for event in told}, {"customer.created"}, "types")
        same(type(told[0]), stripe.Event, "class")
        same(told[0].data.object["object"], "customer", "object")

    @check("events: auto-paging meets every event once, newest first")
    def _():
        page = V1.events.list({"type": "customer.created", "limit": PAGE})
        same((len(page.data), page.has_more), (PAGE, True))
        got = list(page.auto_paging_iter())
        same([event.id for event in filter(mine, got)], [event.id for event in told], "ids")
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

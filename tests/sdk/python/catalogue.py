"""Products, prices, tax rates, tax settings; payment links and subscriptions as far as they can be read."""

from decimal import Decimal

import stripe
from support import PAGE, RUN, V1, check, holds, pages, refused, replayed, same

TIERS = [{"up_to": 5, "unit_amount": 500}, {"up_to": "inf", "unit_amount_decimal": Decimal("399.5"), "flat_amount": 100}]
MONTHLY = {"interval": "month"}


def product_checks():
    made = []

    @check("products: create answers what was sent, under the id that was chosen")
    def _():
        features = [{"name": "1 hour"}, {"name": "2 tutors"}]
        details = {"tax_code": "txcd_20030000", "unit_label": "lesson", "marketing_features": features}
        made.append(V1.products.create({"id": f"py-{RUN}", "name": "Lesson", **details, "metadata": {"a": "b & c"}}))
        one = made[0]
        same((type(one), one.id, one.name, one.active), (stripe.Product, f"py-{RUN}", "Lesson", True))
        same([feature.name for feature in one.marketing_features], ["1 hour", "2 tutors"], "features")
        same((one.tax_code, one.default_price, one.metadata.to_dict()), ("txcd_20030000", None, {"a": "b & c"}))

    @check("products: retrieve, update, and an expanded default price")
    def _():
        same(V1.products.retrieve(made[0].id).to_dict(), made[0].to_dict(), "product")
        price = V1.prices.create({"product": made[0].id, "currency": "usd", "unit_amount": 4500})
        change = {"default_price": price.id, "unit_label": "", "expand": ["default_price"]}
        changed = V1.products.update(made[0].id, change)
        same((changed.default_price.unit_amount, changed.unit_label), (4500, None))

    @check("products: an id that is taken is resource_already_exists")
    def _():
        wrong = lambda: V1.products.create({"id": made[0].id, "name": "x"})
        refused(wrong, stripe.InvalidRequestError, 400, "resource_already_exists", "id")

    url = f"https://example.com/{RUN}"
    listed = [V1.products.create({"name": f"{n}", "url": url}).id for n in range(2 * PAGE + 1)]
    pages("products", lambda params: V1.products.list({"url": url, **params}), listed)

    @check("products: delete, unless there are prices")
    def _():
        refused(lambda: V1.products.delete(made[0].id), stripe.InvalidRequestError, 400)
        same(V1.products.delete(listed[0]).deleted, True, "deleted")
        refused(lambda: V1.products.retrieve(listed[0]), stripe.InvalidRequestError, 404, "resource_missing", "id")

    replayed(
        "products",
        lambda options: V1.products.create({"name": "once"}, options),
        lambda options: V1.products.create({"name": "other"}, options),
    )


def price_checks():
    owner = V1.products.create({"name": "priced"}).id
    made = []

    def create(**more):
        made.append(V1.prices.create({"product": owner, "currency": "usd", **more}))
        return made[-1]

    @check("prices: a sub-cent amount is in the decimal alone")
    def _():
        one = create(unit_amount_decimal=Decimal("0.123456789012"), recurring=MONTHLY)
        same((type(one), one.unit_amount, one.unit_amount_decimal), (stripe.Price, None, Decimal("0.123456789012")))
        same((one.type, one.recurring.interval_count, one.tax_behavior), ("recurring", 1, "unspecified"))

    @check("prices: tiers and currency options show when expanded")
    def _():
        options = {"aud": {"tiers": [{"up_to": "inf", "unit_amount": 700}]}}
        tiered = {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": TIERS, "recurring": MONTHLY}
        one = create(**tiered, currency_options=options)
        holds("tiers" not in one and "currency_options" not in one, "shown though nobody asked")
        expand = {"expand": ["tiers", "currency_options.aud.tiers"]}
        shown = V1.prices.retrieve(one.id, expand)
        same([tier.up_to for tier in shown.tiers], [5, None], "up_to")
        same((shown.tiers[1].unit_amount_decimal, shown.tiers[1].flat_amount), (Decimal("399.5"), 100))
        same(shown.currency_options["aud"].tiers[0].unit_amount, 700, "aud")

    @check("prices: update changes what may change and nothing else")
    def _():
        changed = V1.prices.update(made[0].id, {"nickname": "n", "tax_behavior": "inclusive", "active": False})
        same((changed.nickname, changed.tax_behavior, changed.active), ("n", "inclusive", False))
        wrong = lambda: V1.prices.update(made[0].id, {"tax_behavior": "exclusive"})
        refused(wrong, stripe.InvalidRequestError, 400, None, "tax_behavior")

    @check("prices: a lookup key has one holder until it is transferred")
    def _():
        key = f"py-{RUN}"
        first = create(unit_amount=1, lookup_key=key)
        refused(lambda: create(unit_amount=2, lookup_key=key), stripe.InvalidRequestError, 400, None, "lookup_key")
        second = create(unit_amount=2, lookup_key=key, transfer_lookup_key=True)
        same(V1.prices.retrieve(first.id).lookup_key, None, "lookup key of the first")
        same([price.id for price in V1.prices.list({"lookup_keys": [key]}).data], [second.id], "holder")

    for amount in range(2 * PAGE):
        create(unit_amount=amount)
    active = [price.id for price in made[1:]]
    pages("prices", lambda params: V1.prices.list({"product": owner, **params}), active)

    @check("prices: inactive ones are listed when asked for")
    def _():
        same([price.id for price in V1.prices.list({"product": owner, "active": False}).data], [made[0].id], "ids")

    @check("prices: a missing currency is named, and so is a product that does not exist")
    def _():
        wrong = lambda: V1.prices.create({"product": owner, "unit_amount": 1})
        refused(wrong, stripe.InvalidRequestError, 400, "parameter_missing", "currency")
        wrong = lambda: V1.prices.create({"product": "prod_no", "currency": "usd", "unit_amount": 1})
        refused(wrong, stripe.InvalidRequestError, 400, "resource_missing", "product")
        refused(lambda: V1.prices.retrieve("price_no"), stripe.InvalidRequestError, 404, "resource_missing", "price")

    of = lambda amount: {"product": owner, "currency": "usd", "unit_amount": amount}
    replayed(
        "prices",
        lambda options: V1.prices.create(of(77), options),
        lambda options: V1.prices.create(of(78), options),
    )


def tax_checks():
    rate = {"display_name": "GST", "percentage": 8.875, "inclusive": False, "country": "US", "state": "NY"}
    made = []

    @check("tax rates: create, retrieve, update")
    def _():
        made.append(V1.tax_rates.create(rate))
        one = made[0]
        same((type(one), one.percentage, one.inclusive, one.state), (stripe.TaxRate, 8.875, False, "NY"))
        same(V1.tax_rates.retrieve(one.id).to_dict(), one.to_dict(), "tax rate")
        changed = V1.tax_rates.update(one.id, {"description": "old", "display_name": "Sales tax"})
        same((changed.display_name, changed.description, changed.percentage), ("Sales tax", "old", 8.875))

    made.extend(V1.tax_rates.create({**rate, "inclusive": True}) for _ in range(2 * PAGE))

    @check("tax rates: filters by inclusive and active")
    def _():
        V1.tax_rates.update(made[1].id, {"active": False})
        mine = {one.id for one in made[2:]}
        listed = V1.tax_rates.list({"inclusive": True, "active": True, "limit": PAGE}).auto_paging_iter()
        holds(mine <= {one.id for one in listed}, "some are not listed")
        archived = V1.tax_rates.list({"active": False, "limit": 100}).data
        holds(made[1].id in {one.id for one in archived}, "the archived one is not listed")

    @check("tax rates: a percentage above 100 is named")
    def _():
        wrong = lambda: V1.tax_rates.create({**rate, "percentage": 100.5})
        refused(wrong, stripe.InvalidRequestError, 400, None, "percentage")

    replayed(
        "tax rates",
        lambda options: V1.tax_rates.create(rate, options),
        lambda options: V1.tax_rates.create({**rate, "percentage": 9}, options),
    )

    @check("tax settings: retrieve and update; registrations are listed")
    def _():
        changed = V1.tax.settings.update({"defaults": {"tax_behavior": "exclusive", "tax_code": "txcd_10000000"}})
        same((changed.object, changed.defaults.tax_behavior), ("tax.settings", "exclusive"))
        same(V1.tax.settings.retrieve().defaults.tax_code, "txcd_10000000", "tax code")
        same(V1.tax.registrations.list().object, "list", "registrations")


def read_only_checks():
    @check("subscriptions: list and retrieve, with the price of every item")
    def _():
        page = V1.subscriptions.list({"status": "all", "limit": PAGE, "expand": ["data.customer"]})
        for one in page.auto_paging_iter():
            same((type(one), type(one.customer)), (stripe.Subscription, stripe.Customer))
            again = V1.subscriptions.retrieve(one.id, {"expand": ["items.data.price.product"]})
            item = again["items"].data[0]
            same((type(item.price), type(item.price.product)), (stripe.Price, stripe.Product))
            holds(item.current_period_end >= item.current_period_start, "the period ends before it starts")
        wrong = lambda: V1.subscriptions.retrieve("sub_no")
        refused(wrong, stripe.InvalidRequestError, 404, "resource_missing")

    @check("subscriptions: five levels of expansion are refused")
    def _():
        wrong = lambda: V1.subscriptions.list({"expand": ["data.items.data.price.product"]})
        refused(wrong, stripe.InvalidRequestError, 400, "property_expansion_max_depth")

    @check("payment links: list, retrieve and their line items")
    def _():
        for link in V1.payment_links.list({"active": True}).data:
            same(V1.payment_links.retrieve(link.id).to_dict(), link.to_dict(), "payment link")
            for item in V1.payment_links.line_items.list(link.id).data:
                same(type(item.price), stripe.Price, "price")
        refused(lambda: V1.payment_links.retrieve("plink_no"), stripe.InvalidRequestError, 404, "resource_missing")

"""Coupons and promotion codes."""

import stripe
from support import PAGE, RUN, V1, check, holds, pages, refused, replayed, same

AMOUNT = {"amount_off": 500, "currency": "usd", "currency_options": {"aud": {"amount_off": 700}}}


def coupon_checks():
    made = []

    def create(**more):
        made.append(V1.coupons.create({"percent_off": 12.5, **more}))
        return made[-1]

    @check("coupons: create answers what was sent, under the id that was chosen")
    def _():
        months = {"duration": "repeating", "duration_in_months": 3}
        one = create(id=f"py-{RUN}", name="Spring", max_redemptions=4, metadata={"a": "b & c"}, **months)
        same((type(one), one.id, one.percent_off, one.valid), (stripe.Coupon, f"py-{RUN}", 12.5, True))
        same((one.duration, one.duration_in_months, one.times_redeemed), ("repeating", 3, 0))
        same(one.metadata.to_dict(), {"a": "b & c"}, "metadata")

    @check("coupons: retrieve and update; what a coupon applies to shows when expanded")
    def _():
        same(V1.coupons.retrieve(made[0].id).to_dict(), made[0].to_dict(), "coupon")
        changed = V1.coupons.update(made[0].id, {"name": "Autumn", "metadata": {"a": ""}})
        same((changed.name, changed.metadata.to_dict()), ("Autumn", {}))
        product = V1.products.create({"name": "applied"}).id
        one = V1.coupons.create({**AMOUNT, "applies_to": {"products": [product]}})
        holds("applies_to" not in one and "currency_options" not in one, "shown though nobody asked")
        shown = V1.coupons.retrieve(one.id, {"expand": ["applies_to", "currency_options"]})
        same((shown.applies_to.products, shown.currency_options["aud"].amount_off), ([product], 700))
        made.append(one)

    @check("coupons: an id that is taken, and one that does not exist")
    def _():
        wrong = lambda: V1.coupons.create({"id": made[0].id, "percent_off": 1})
        refused(wrong, stripe.InvalidRequestError, 400, "resource_already_exists", "id")
        refused(lambda: V1.coupons.retrieve("no"), stripe.InvalidRequestError, 404, "resource_missing", "coupon")

    for _ in range(2 * PAGE):
        create()

    @check("coupons: the list walks over all of them")
    def _():
        listed = [one.id for one in V1.coupons.list({"limit": PAGE}).auto_paging_iter()]
        mine = {one.id for one in made}
        same([one for one in listed if one in mine], [one.id for one in reversed(made)], "ids")

    @check("coupons: delete")
    def _():
        same(V1.coupons.delete(made[-1].id).deleted, True, "deleted")
        wrong = lambda: V1.coupons.retrieve(made[-1].id)
        refused(wrong, stripe.InvalidRequestError, 404, "resource_missing", "coupon")

    replayed(
        "coupons",
        lambda options: V1.coupons.create({"percent_off": 1}, options),
        lambda options: V1.coupons.create({"percent_off": 2}, options),
    )


def promotion_code_checks():
    coupon = V1.coupons.create({"percent_off": 10, "max_redemptions": 9}).id
    promotion = {"type": "coupon", "coupon": coupon}
    made = []

    def create(**more):
        made.append(V1.promotion_codes.create({"promotion": promotion, **more}))
        return made[-1]

    @check("promotion codes: create, retrieve and expand")
    def _():
        minimum = {"minimum_amount": 500, "minimum_amount_currency": "usd"}
        one = create(code=f"Py-{RUN}", max_redemptions=2, restrictions=minimum)
        same((type(one), one.code, one.active), (stripe.PromotionCode, f"Py-{RUN}", True))
        same((one.promotion.coupon, one.restrictions.minimum_amount), (coupon, 500))
        shown = V1.promotion_codes.retrieve(one.id, {"expand": ["promotion.coupon"]})
        same(shown.promotion.coupon.percent_off, 10.0, "percent")

    @check("promotion codes: a text has one active holder")
    def _():
        wrong = lambda: create(code=f"pY-{RUN}")
        problem = refused(wrong, stripe.InvalidRequestError, 400)
        same(problem.user_message, f"An active promotion code with `code: pY-{RUN}` already exists.", "message")
        closed = V1.promotion_codes.update(made[0].id, {"active": False})
        same(closed.active, False, "active")
        same(create(code=f"pY-{RUN}").active, True, "active")

    @check("promotion codes: filters")
    def _():
        both = V1.promotion_codes.list({"code": f"PY-{RUN}"}).data
        same([one.id for one in both], [made[1].id, made[0].id], "ids")
        same([one.id for one in V1.promotion_codes.list({"coupon": coupon, "active": False}).data], [made[0].id])

    @check("promotion codes: more uses than the coupon has, and a coupon that does not exist")
    def _():
        wrong = lambda: create(max_redemptions=10)
        refused(wrong, stripe.InvalidRequestError, 400, None, "max_redemptions")
        wrong = lambda: V1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": "no"}})
        refused(wrong, stripe.InvalidRequestError, 400, "resource_missing", "promotion[coupon]")

    for _ in range(2 * PAGE):
        create()
    listed = [one.id for one in made]
    pages("promotion codes", lambda params: V1.promotion_codes.list({"coupon": coupon, **params}), listed)
    replayed(
        "promotion codes",
        lambda options: V1.promotion_codes.create({"promotion": promotion}, options),
        lambda options: V1.promotion_codes.create({"promotion": promotion, "active": False}, options),
    )

#!/usr/bin/env python3
"""Drives a Stripe-compatible server with Stripe's own Python SDK, unmodified.

    STRIPE_BASE=http://127.0.0.1:12111 STRIPE_KEY=sk_test_… python conformance.py

For every resource: create, retrieve, update, list over more than one page, an error of the right class, and a replay
with the same idempotency key. One line a check, `ok …` or `FAIL …`; the exit status is 1 if any failed. Everything is
done on customers made here, so the server may hold others, and the script may run twice against the same server.
"""

import sys

from catalogue import price_checks, product_checks, read_only_checks, tax_checks
from money import balance_transaction_checks, cash_balance_checks, credit_grant_checks
from objects import account_checks, customer_checks, event_checks, payment_method_checks
from objects import method_writing_checks, tax_id_checks
from pools import coupon_checks, promotion_code_checks
from support import FAILED, check


def main():
    parts = [account_checks, customer_checks, balance_transaction_checks, cash_balance_checks]
    parts += [method_writing_checks, tax_id_checks]
    parts += [product_checks, price_checks, tax_checks, read_only_checks]
    parts += [coupon_checks, promotion_code_checks]
    # Events last: they tell of everything before.
    for part in [*parts, credit_grant_checks, payment_method_checks, event_checks]:
        check(f"{part.__name__.replace('_', ' ')} ran to their end")(part)
    print(f"{len(FAILED)} failed" if FAILED else "all as Stripe's SDK expects", flush=True)
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()

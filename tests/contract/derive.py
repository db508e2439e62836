#!/usr/bin/env python3
"""Derives facts.json from Stripe's OpenAPI description.

    python3 tests/contract/derive.py path/to/spec3.json > tests/contract/facts.json

The description (https://github.com/stripe/openapi, MIT) is large and mostly prose. What a machine can check is small:
which methods and paths exist, which parameters they take, which fields an answer has, of which type, with which enum
values, required, nullable, expandable. This script keeps that and drops the rest, for the operations named below.
The result is sorted and has one fact per line, so that a newer version of the description shows up as a readable diff.

Notation of the result:

* `operations`: "METHOD /path" -> names of the schemas its 200 answer can have. An answer that has no schema of its
  own (a list) is found in `schemas` under the name of the operation.
* `parameters`: "METHOD /path" -> parameter -> fact. Hashes are written as on the wire, `a[b]`; an array's elements
  `a[]`, a free-form hash's values `a[*]`.
* `schemas`: schema -> field -> fact. Nested fields are written `a.b`, an array's elements `a[]`, a map's values `a.*`.
* fact: `type` is the list of alternatives: `string`, `integer`, `number`, `boolean`, `any`, `enum` (one of the values in
  the fact's `enum`), `unset` (the empty string, which clears), `object` (its fields have lines of their own), `map`,
  `array`, `@name` (another schema). A format is written after a colon: `integer:unix-time`. `required`, `nullable` and
  `expandable` (may be named in `expand`) are there when true. `string` beside `@name` is an id that stands for the
  object until it is expanded; the schema of that object has no entry in `schemas` if nothing else leads to it.
"""

import json
import re
import sys

SOURCE = "Stripe OpenAPI description, github.com/stripe/openapi, MIT"

ALL, READ = "get post delete", "get"
# (path pattern, methods): what the program or its simulated accounts use. `{}` stands for one path parameter.
OPERATIONS = [
    ("/v1/account", READ),
    ("/v1/billing/credit_balance_summary", READ),
    ("/v1/billing/credit_grants(/{}(/expire|/void)?)?", ALL),
    ("/v1/charges(/{})?", READ),
    ("/v1/coupons(/{})?", ALL),
    ("/v1/credit_notes(/{}|/{}/lines|/{}/void|/preview|/preview/lines)?", ALL),
    ("/v1/customers(/{}|/search)?", ALL),
    ("/v1/customers/{}/balance_transactions(/{})?", ALL),
    ("/v1/customers/{}/cash_balance", ALL),
    ("/v1/customers/{}/cash_balance_transactions(/{})?", READ),
    ("/v1/customers/{}/discount", ALL),
    ("/v1/customers/{}/payment_methods(/{})?", READ),
    ("/v1/customers/{}/sources(/{})?", READ),
    ("/v1/customers/{}/tax_ids(/{})?", ALL),
    ("/v1/events(/{})?", READ),
    ("/v1/invoice_payments(/{})?", READ),
    ("/v1/invoiceitems(/{})?", ALL),
    ("/v1/invoices(/{}|/search|/create_preview)?", ALL),
    ("/v1/invoices/{}/(lines|lines/{}|add_lines|remove_lines|update_lines|attach_payment)", ALL),
    ("/v1/invoices/{}/(finalize|mark_uncollectible|pay|send|void)", ALL),
    ("/v1/payment_intents(/{}|/search)?", READ),
    ("/v1/payment_intents/{}/apply_customer_balance", ALL),
    ("/v1/payment_links(/{}|/{}/line_items)?", READ),
    ("/v1/payment_methods(/{}(/attach|/detach)?)?", ALL),
    ("/v1/prices(/{}|/search)?", ALL),
    ("/v1/products(/{}|/search)?", ALL),
    ("/v1/promotion_codes(/{})?", ALL),
    ("/v1/quotes(/{}|/{}/line_items)?", READ),
    ("/v1/refunds(/{})?", ALL),
    ("/v1/subscription_items(/{})?", ALL),
    ("/v1/subscription_schedules(/{}(/cancel|/release)?)?", ALL),
    ("/v1/subscriptions(/{}|/search|/{}/discount|/{}/migrate|/{}/resume)?", ALL),
    ("/v1/tax/registrations(/{})?", READ),
    ("/v1/tax/settings", ALL),
    ("/v1/tax_codes(/{})?", READ),
    ("/v1/tax_ids(/{})?", ALL),
    ("/v1/tax_rates(/{})?", ALL),
    ("/v1/test_helpers/customers/{}/fund_cash_balance", ALL),
    ("/v1/test_helpers/test_clocks(/{}(/advance)?)?", ALL),
    ("/v1/webhook_endpoints(/{})?", ALL),
]

REF = "#/components/schemas/"


def unions(spec):
    """Schemas that are nothing but a choice between others, and which: they have no fields of their own."""
    schemas = spec["components"]["schemas"].items()
    return {name: schema["anyOf"] for name, schema in schemas if "anyOf" in schema and "properties" not in schema}


def alternatives(reference, unions):
    """The names of the schemas that a reference can mean."""
    name = reference["$ref"].removeprefix(REF)
    parts = [part for part in unions.get(name, []) if "$ref" in part]
    return [inner for part in parts for inner in alternatives(part, unions)] or [name]


def wanted(path, method):
    """Whether the operation belongs in the table."""
    return any(
        method in methods.split() and re.fullmatch(pattern.replace("{}", r"\{\w+\}"), path)
        for pattern, methods in OPERATIONS
    )


class Flat:
    """Flattens one schema to `path -> fact`. How a child is written differs between parameters and answers."""

    def __init__(self, join, any_key, unions=None):
        self.facts, self.refs, self.join, self.any_key = {}, set(), join, any_key
        self.unions = unions or {}

    def add(self, path, schema, required=False, expandable=False):
        new = path not in self.facts
        fact = self.facts.setdefault(path, {"type": [], "enum": []})
        # Two alternatives that are hashes may share a field: it is required only if both say so.
        fact["required"] = required and (new or fact["required"])
        fact["nullable"] = fact.get("nullable", False) or schema.get("nullable", False)
        fact["expandable"] = fact.get("expandable", False) or expandable
        self.alternative(path, fact, schema, follow="x-expansionResources" not in schema)

    def alternative(self, path, fact, schema, follow):
        if "anyOf" in schema:
            for part in schema["anyOf"]:
                self.alternative(path, fact, part, follow)
        elif "$ref" in schema:
            for name in alternatives(schema, self.unions):
                fact["type"].append("@" + name)
                if follow:
                    self.refs.add(name)
        elif schema.get("type") == "object":
            self.hash(path, fact, schema)
        elif schema.get("type") == "array":
            fact["type"].append("array")
            self.add(path + "[]", schema["items"])
        elif schema.get("enum") == [""]:
            fact["type"].append("unset")
        elif "enum" in schema:
            fact["type"].append("enum")
            fact["enum"] += schema["enum"]
        else:
            fact["type"].append(":".join(filter(None, [schema.get("type", "any"), schema.get("format")])))

    def hash(self, path, fact, schema):
        values = schema.get("additionalProperties", False)
        if values:
            fact["type"].append("map")
            self.add(path + self.any_key, values if isinstance(values, dict) else {})
        else:
            fact["type"].append("object")
        self.fields(path, schema)

    def fields(self, path, schema):
        required, expandable = schema.get("required", []), schema.get("x-expandableFields", [])
        for name, part in schema.get("properties", {}).items():
            self.add(self.join(path, name), part, name in required, name in expandable)

    def result(self):
        return {path: tidy(fact) for path, fact in sorted(self.facts.items())}


def tidy(fact):
    kept = {"type": sorted(set(fact["type"])), "enum": sorted(set(fact["enum"]))}
    kept.update({k: fact[k] for k in ("required", "nullable", "expandable")})
    return {k: v for k, v in kept.items() if v}


def parameters(operation):
    flat = Flat(lambda path, name: f"{path}[{name}]" if path else name, "[*]")
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            flat.add(parameter["name"], parameter["schema"], parameter.get("required", False))
    for body in operation.get("requestBody", {}).get("content", {}).values():
        flat.fields("", body["schema"])
    assert not flat.refs, flat.refs
    return flat.result()


def fields(schema, unions):
    flat = Flat(lambda path, name: f"{path}.{name}" if path else name, ".*", unions)
    flat.fields("", schema)
    return flat.result(), flat.refs


def derive(spec):
    operations, takes, schemas, todo = {}, {}, {}, {"error"}
    choices = unions(spec)
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if not wanted(path, method):
                continue
            name = f"{method.upper()} {path}"
            answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
            refs = {name for a in answer.get("anyOf", [answer]) if "$ref" in a for name in alternatives(a, choices)}
            if not refs:
                schemas[name], below = fields(answer, choices)
                todo |= below
            todo |= refs
            operations[name] = sorted(refs) or [name]
            takes[name] = parameters(operation)
    while todo:
        name = todo.pop()
        if name not in schemas:
            schemas[name], below = fields(spec["components"]["schemas"][name], choices)
            todo |= below
    return operations, takes, schemas


def line(value):
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def block(table):
    return ",\n".join(f"{line(key)}:{value}" for key, value in sorted(table.items()))


def nested(table):
    return block({key: "{\n" + block({k: line(v) for k, v in facts.items()}) + "\n}" for key, facts in table.items()})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    operations, takes, schemas = derive(spec)
    print("{\n" + block({"source": line(SOURCE), "version": line(spec["info"]["version"])}) + ",")
    print('"operations":{\n' + block({k: line(v) for k, v in operations.items()}) + "\n},")
    print('"parameters":{\n' + nested(takes) + "\n},")
    print('"schemas":{\n' + nested(schemas) + "\n}\n}")


if __name__ == "__main__":
    main()

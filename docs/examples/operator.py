#!/usr/bin/env python3
"""A make-believe operator in one file: one card, one plan, orders in a file. docs/exec.md describes the format."""
import json, os, sys, time
request, book = json.load(sys.stdin), os.path.join(sys.argv[1], "orders.json")
orders = json.load(open(book)) if os.path.exists(book) else {}
PLAN = {"id": "1gb", "name": "1 GB", "price": "4.50 USD", "contents": {"data_bytes": 10**9}, "validity_secs": 604800}

def card(asked):
    if asked["iccid"] != "8944501312167518236":
        return {"error": "this operator does not know the card"}
    left = {"kind": "data", "remaining": 200_000_000 + 10**9 * len(orders)}
    return {"state": "active", "renewable": True, "plan": "1gb", "assets": sorted(orders), "allowances": [left]}

def buy(key):
    if key not in orders and len(orders) == 3:
        return {"result": "refused", "kind": "wallet_empty", "code": "E1", "message": "balance too low", "key": key}
    orders.setdefault(key, f"order-{len(orders) + 1}")  # the same key is the same order
    with open(book + ".new", "w") as file:
        json.dump(orders, file)
    os.rename(book + ".new", book)
    return {"result": "accepted", "key": key, "order_id": orders[key], "charged": "4.50 USD"}

def find(key):
    return {"found": "accepted", "key": key, "order_id": orders[key]} if key in orders else {"found": "nothing"}

CALLS = {
    "capabilities": lambda: {"repeat": "replays", "replay_window_secs": 86400, "lookup": "by_ref", "listing_delay_secs": 0},
    "read": lambda: {"readings": [card(asked) for asked in request["cards"]]},
    "catalogue": lambda: {"plans": [PLAN]}, "wallet": lambda: {"balance": "20.00 USD", "methods": ["wallet"]},
    "preflight": lambda: {"offer": PLAN, "operator_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())},
    "buy": lambda: buy(request["key"]), "find": lambda: find(request["key"]),
}
refusal = {"error": {"class": "never", "kind": "other", "message": "this operator does not offer that"}}
print(json.dumps({"version": 1} | CALLS.get(request["call"], lambda: refusal)()))

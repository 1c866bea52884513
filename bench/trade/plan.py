"""The peer of the plan benchmark: HiGHS (through scipy) on the tables that
bench/trade --plan DIR writes. It solves the first stage (the worst ratio as
large as can be) and the last (the least cost at the ratios reached).
Usage: plan.py DIR"""
import csv
import os
import sys
import time

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

rows = lambda name: list(csv.DictReader(open(os.path.join(sys.argv[1], name))))
offers, needs, routes = rows("offers.csv"), rows("needs.csv"), rows("routes.csv")
months = max(int(o["month"]) for o in offers)
supply = {(o["supplier"], int(o["month"])): i for i, o in enumerate(offers)}
need = {(n["member"], int(n["month"])): i for i, n in enumerate(needs)}
amount = np.array([float(n["quantity"]) for n in needs])
a, b, value, high, cost, n = [], [], [], [], [], 0
S = len(offers)
for o in offers:
    t = int(o["month"])
    if t < months:
        a += [supply[o["supplier"], t], supply[o["supplier"], t + 1]]
        b += [n, n]
        value += [1, -1]
        high.append(float(o["keep"]))
        cost.append(0)
        n += 1
for r in routes:
    for t in range(1, months + 1 - int(r["lag"])):
        a += [supply[r["from"], t], S + need[r["to"], t + int(r["lag"])]]
        b += [n, n]
        value += [1, -1]
        high.append(float(r["capacity"]))
        cost.append(float(r["cost"]))
        n += 1
D = len(needs)
have = [float(o["quantity"]) for o in offers]
start = time.perf_counter()
A = csr_matrix((value + list(amount), (a + list(range(S, S + D)), b + [n] * D)), shape=(S + D, n + 1))
first = linprog(np.r_[np.zeros(n), -1], A_ub=A, b_ub=np.r_[have, np.zeros(D)], bounds=np.c_[np.zeros(n + 1), np.r_[high, 1]], method="highs")
one = time.perf_counter() - start
ratio = np.array([float(x["ratio"]) for x in needs])
A = csr_matrix((value, (a, b)), shape=(S + D, n))
last = linprog(cost, A_ub=A, b_ub=np.r_[have, -(ratio - 1e-10) * amount], bounds=np.c_[np.zeros(n), high], method="highs")
print(f"HiGHS: {n} columns, worst ratio {-first.fun:.9f} in {one:.2f} s; least cost at the ratios {last.fun:.3f} in {time.perf_counter() - start - one:.2f} s (two of some hundred stages)")

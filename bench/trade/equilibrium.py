"""The peer of the equilibrium benchmark: the published damped iteration,
vectorised in numpy, on the same files. Usage: equilibrium.py DIR"""
import csv
import gzip
import os
import sys
import time

import numpy as np


def rows(folder, name):
    path = os.path.join(folder, name)
    opener = gzip.open if not os.path.exists(path) else open
    with opener(path if os.path.exists(path) else path + ".gz", "rt") as f:
        return list(csv.DictReader(f))


def lines(folder, name):
    return [x.strip().strip('"') for x in open(os.path.join(folder, name)) if x.strip()]


def main(folder):
    regions, sectors = lines(folder, "regions.txt"), lines(folder, "sectors.txt")
    r, s = {n: i for i, n in enumerate(regions)}, {n: i for i, n in enumerate(sectors)}
    N, J = len(regions), len(sectors)
    M, tau, base, new = (np.zeros((J, N, N)) for _ in range(4))  # sector, importer, exporter
    for x in rows(folder, "trade.csv"):
        k = s[x["sector"]], r[x["importer"]], r[x["exporter"]]
        M[k], tau[k], base[k], new[k] = float(x["value"]), float(x["tariff"]), float(x["tariff_bln"]), float(x["tariff_cfl"])
    inter, final, value, theta = np.zeros((N, J, J)), np.zeros((N, J)), np.zeros((N, J)), np.zeros(J)
    for x in rows(folder, "intermediate_consumption.csv"):
        inter[r[x["region"]], s[x["input"]], s[x["sector"]]] = float(x["value"])
    for x in rows(folder, "final_consumption.csv"):
        final[r[x["region"]], s[x["sector"]]] = float(x["value"])
    for x in rows(folder, "value_added.csv"):
        value[r[x["region"]], s[x["sector"]]] = float(x["value"])
    for x in rows(folder, "theta.csv"):
        theta[s[x["sector"]]] = float(x["value"])
    start = time.perf_counter()
    Y = inter.sum(1) + value
    safe = np.where(Y > 0, Y, 1)
    gamma, gammav = inter / safe[:, None, :], value / safe
    alpha = final / final.sum(1, keepdims=True)
    wL = value.sum(1)
    E = M * (1 + tau)
    X0 = E.sum(2)  # sector, importer
    pi = E / np.where(X0 > 0, X0, 1)[:, :, None]
    th = theta[:, None, None]

    def solve(t):
        kappa = ((1 + t) / (1 + tau)) ** -th * pi
        c, w, X = np.ones((J, N)), np.ones(N), X0.copy()
        for it in range(20000):
            e = np.exp(-theta[:, None] * np.log(c))
            term = kappa * e[:, None, :]
            S = term.sum(2)
            S[X0 <= 0] = 1
            logP = -np.log(S) / theta[:, None]
            share = term / S[:, :, None]
            net = share * X[:, :, None] / (1 + t)
            income = w * wL + (X[:, :, None] * share * t / (1 + t)).sum((0, 2))
            sales = net.sum(1)
            rc = c - np.exp(gammav.T * np.log(w) + np.einsum("nkj,kn->jn", gamma, logP))
            rX = (X - np.einsum("njk,kn->jn", gamma, sales) - alpha.T * income) / np.maximum(X, 1)
            rX[X0 <= 0] = 0
            rw = w - (gammav.T * sales).sum(0) / wL
            rw[-1] = (w * wL).sum() / wL.sum() - 1
            if np.sqrt((rc**2).sum() + (rX**2).sum() + (rw**2).sum()) < 1e-7:
                return it, w, logP, income
            c, X, w = c - 0.5 * rc, X - 0.5 * rX * np.maximum(X, 1), w - 0.5 * rw
        raise SystemExit("no end")

    ia, wa, pa, ya = solve(base)
    ib, wb, pb, yb = solve(new)
    P = np.exp((alpha.T * (pb - pa)).sum(0))
    seconds = time.perf_counter() - start
    m = r["Mexico"]
    print(f"numpy {np.__version__}: {seconds:.3f} s, {ia}+{ib} iterations, Mexico real wage {100 * (wb[m] / wa[m] / P[m] - 1):.4f} %, real income {100 * (yb[m] / ya[m] / P[m] - 1):.4f} %")


main(sys.argv[1])

"""Answers for the oracle test: QuantLib's Black calculator over points read from standard input.

Each line in: right (C or P), forward, strike, standard deviation, discount, spot, years to expiry.
Each line out: value, delta, gamma, theta per day, vega, rho; every number in the shortest form that reads back exactly.
"""

import sys

import QuantLib as ql


def main() -> None:
    for line in sys.stdin:
        right, *numbers = line.split()
        forward, strike, stdev, discount, spot, years = map(float, numbers)
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if right == "C" else ql.Option.Put, strike)
        black = ql.BlackCalculator(payoff, forward, stdev, discount)
        answers = (
            black.value(),
            black.delta(spot),
            black.gamma(spot),
            black.thetaPerDay(spot, years),
            black.vega(years),
            black.rho(years),
        )
        print(*map(repr, answers))


if __name__ == "__main__":
    main()

"""Alpaca's official client against the venue at argv[1] (host:port); prints one JSON line a check.

Nothing of the client is changed but the addresses.
"""

import asyncio
import json
import sys
import threading
from datetime import datetime, timezone

from alpaca.common.exceptions import APIError
from alpaca.data.enums import DataFeed
from alpaca.data.historical import OptionHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.live import OptionDataStream, StockDataStream
from alpaca.data.requests import (
    OptionBarsRequest,
    OptionChainRequest,
    OptionLatestQuoteRequest,
    OptionSnapshotRequest,
    StockBarsRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.requests import GetCalendarRequest, GetOptionContractsRequest

HOST = sys.argv[1]
HTTP, WS = f"http://{HOST}", f"ws://{HOST}"
KEY, SECRET = "python", "local-only"


def tell(check, **found):
    print(json.dumps({"check": check, **found}), flush=True)


def status_of(call):
    try:
        call()
    except APIError as error:
        return [error.status_code, error.code]
    return [200, None]


def collect(stream, subscribe, wanted):
    """Runs a stream until one message of each wanted kind has come."""
    seen, done = {}, threading.Event()

    def handler(kind):
        async def handle(data):
            seen.setdefault(kind, data)
            if len(seen) == wanted:
                done.set()

        return handle

    subscribe(stream, handler)
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    if not done.wait(30):
        raise SystemExit(f"only {sorted(seen)} came")
    stream.stop()
    thread.join(10)
    return seen


trading = TradingClient(KEY, SECRET, paper=True, url_override=HTTP)
clock = trading.get_clock()
tell("clock", is_open=clock.is_open, date=str(clock.timestamp.date()))
account = trading.get_account()
tell("account", cash=account.cash, status=account.status.value)
days = trading.get_calendar(GetCalendarRequest(start="2026-11-25", end="2026-11-27"))
tell("calendar", days=[str(day.date) for day in days])
tell("asset", exchange=trading.get_asset("SPY").exchange.value, all=len(trading.get_all_assets()))
contracts = trading.get_option_contracts(
    GetOptionContractsRequest(underlying_symbols=["SPY"], expiration_date="2026-11-24", limit=1000)
).option_contracts
tell("contracts", count=len(contracts), open_interest=sum(int(one.open_interest) for one in contracts) > 0)
tell("positions", count=len(trading.get_all_positions()))

stocks = StockHistoricalDataClient(KEY, SECRET, url_override=HTTP)
quotes = stocks.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=["SPY", "NVDA"], feed=DataFeed.SIP))
tell("latest quotes", symbols=sorted(quotes), sane=all(0 < one.bid_price < one.ask_price for one in quotes.values()))
trades = stocks.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols="SPY"))
tell("latest trade", size=trades["SPY"].size > 0)
snapshots = stocks.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols=["SPY", "QQQ"]))
tell("snapshots", symbols=sorted(snapshots), volume=snapshots["SPY"].daily_bar.volume > 0)
start = datetime(2026, 11, 24, 14, 30, tzinfo=timezone.utc)
end = datetime(2026, 11, 24, 14, 59, tzinfo=timezone.utc)
bars = stocks.get_stock_bars(
    StockBarsRequest(symbol_or_symbols=["SPY", "AAPL"], timeframe=TimeFrame.Minute, start=start, end=end)
)
tell("bars", counts={symbol: len(rows) for symbol, rows in bars.data.items()})

options = OptionHistoricalDataClient(KEY, SECRET, url_override=HTTP)
chain = options.get_option_chain(OptionChainRequest(underlying_symbol="SPY", expiration_date="2026-11-24"))
with_greeks = [symbol for symbol, one in chain.items() if one.greeks is not None]
tell("chain", count=len(chain), with_greeks=len(with_greeks) >= 40)
# At the money there is a volatility whatever the minute; one deep in the money may lose it before it is asked for again.
symbol = min(with_greeks, key=lambda name: abs(abs(chain[name].greeks.delta) - 0.5))
latest = options.get_option_latest_quote(OptionLatestQuoteRequest(symbol_or_symbols=symbol))
tell("option quote", sane=latest[symbol].ask_price > 0)
one = options.get_option_snapshot(OptionSnapshotRequest(symbol_or_symbols=symbol))
tell("option snapshot", volatility=one[symbol].implied_volatility > 0)
day = options.get_option_bars(
    OptionBarsRequest(symbol_or_symbols=symbol, timeframe=TimeFrame.Day, start=datetime(2026, 11, 20, tzinfo=timezone.utc))
)
tell("option bars", count=len(day[symbol]))

bad = TradingClient(KEY, "wrong", paper=True, url_override=HTTP)
tell("refusals", wrong_secret=status_of(bad.get_account), no_asset=status_of(lambda: trading.get_asset("NOPE")),
     no_position=status_of(lambda: trading.get_open_position("SPY")))


def stock_channels(stream, handler):
    stream.subscribe_quotes(handler("quote"), "SPY")
    stream.subscribe_trades(handler("trade"), "*")
    stream.subscribe_bars(handler("bar"), "*")


seen = collect(StockDataStream(KEY, SECRET, feed=DataFeed.IEX, url_override=f"{WS}/v2/iex"), stock_channels, 3)
tell("stock stream", quote=seen["quote"].symbol, trade=seen["trade"].price > 0, bar=seen["bar"].volume > 0)


def option_channels(stream, handler):
    stream.subscribe_quotes(handler("quote"), *[one.symbol for one in contracts])
    stream.subscribe_trades(handler("trade"), "*")


seen = collect(OptionDataStream(KEY, SECRET, url_override=f"{WS}/v1beta1/indicative"), option_channels, 2)
tell("option stream", quote=seen["quote"].ask_price > 0, trade=seen["trade"].size > 0)

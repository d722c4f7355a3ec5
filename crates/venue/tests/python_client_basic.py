"""Alpaca's official client against a venue with the free plan: what it is refused, and that it stops asking."""

import json
import logging
import sys
import threading

from alpaca.common.exceptions import APIError
from alpaca.data.enums import DataFeed
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.live import StockDataStream
from alpaca.data.requests import StockLatestQuoteRequest

HOST = sys.argv[1]
client = StockHistoricalDataClient("python", "local-only", url_override=f"http://{HOST}")
try:
    client.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="SPY", feed=DataFeed.SIP))
except APIError as error:
    print(json.dumps({"check": "sip", "status": error.status_code, "code": error.code}))


class Heard(logging.Handler):
    said = False

    def emit(self, record):
        Heard.said = Heard.said or "insufficient subscription" in record.getMessage()


logging.getLogger("alpaca").addHandler(Heard())


async def ignore(_):
    pass


stream = StockDataStream("python", "local-only", feed=DataFeed.SIP, url_override=f"ws://{HOST}/v2/sip")
stream.subscribe_quotes(ignore, "SPY")
thread = threading.Thread(target=stream.run, daemon=True)
thread.start()
thread.join(20)
print(json.dumps({"check": "stream", "stopped": not thread.is_alive(), "said": Heard.said}))

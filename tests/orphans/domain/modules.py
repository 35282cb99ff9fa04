"""Sources for tests of fingerprints and twins: a module, copies that were changed in known ways, siblings."""

import ast
import textwrap

LEDGER = textwrap.dedent('''
    """Bookings of one account."""

    import json
    from decimal import Decimal

    from shop.errors import BookingRefused

    LARGEST_BOOKING = Decimal("10000.00")


    class Ledger:
        """Bookings in order."""

        def __init__(self, account, currency="EUR"):
            self.account = account
            self.currency = currency
            self.bookings = []

        def book(self, amount, purpose):
            """Add one booking."""
            rounded = Decimal(amount).quantize(Decimal("0.01"))
            if abs(rounded) > LARGEST_BOOKING:
                raise BookingRefused(self.account, amount=rounded)
            self.bookings.append((rounded, purpose))
            return len(self.bookings)

        def balance(self):
            """Return the sum of all."""
            total = Decimal(0)
            for amount, _purpose in self.bookings:
                total += amount
            return total


    def load_ledger(path):
        """Read a ledger from a file."""
        with open(path, encoding="utf-8") as stream:
            stored = json.load(stream)
        ledger = Ledger(stored["account"], currency=stored["currency"])
        for entry in stored["bookings"]:
            ledger.book(entry["amount"], entry["purpose"])
        return ledger


    def statement(ledger, since):
        """Return lines for people."""
        lines = [f"Account {ledger.account}"]
        for number, (amount, purpose) in enumerate(ledger.bookings):
            if number >= since:
                lines.append(f"{amount:>12} {ledger.currency}  {purpose}")
        return lines
''').lstrip()

SIBLING = (
    LEDGER.replace("Ledger", "Basket")
    .replace("ledger", "basket")
    .replace("bookings", "articles")
    .replace("book", "put")
    .replace("Booking", "Put")
    .replace("BOOKING", "PUT")
    .replace("balance", "weight")
    .replace("account", "customer")
    .replace("currency", "delivery")
    .replace("purpose", "colour")
    .replace("statement", "receipt")
    .replace("Account", "Basket of")
    .replace('"amount"', '"piece"')
)
"""The same statements about something else: shapes as in LEDGER, names of its own."""

UNRELATED = textwrap.dedent('''
    """Colours."""

    import re

    HEX = re.compile("#([0-9a-f]{6})")


    def channels(text):
        """Return red, green and blue."""
        match = HEX.fullmatch(text.strip().lower())
        if match is None:
            raise ValueError(f"no colour: {text}")
        value = int(match.group(1), 16)
        return value >> 16, value >> 8 & 255, value & 255


    def mixed(first, second, share):
        """Return a colour between two."""
        pairs = zip(channels(first), channels(second), strict=True)
        return tuple(round(a * share + b * (1 - share)) for a, b in pairs)
''').lstrip()


def renamed(source: str) -> str:
    """Give every argument and every variable inside functions another name."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    local = {arg.arg for function in functions for arg in function.args.args} - {"self"}
    for function in functions:
        stored = (node for node in ast.walk(function) if isinstance(node, ast.Name))
        local |= {node.id for node in stored if isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in local:
            node.id = f"v_{node.id[::-1]}"
        elif isinstance(node, ast.arg) and node.arg in local:
            node.arg = f"v_{node.arg[::-1]}"
    return ast.unparse(tree)


def reordered(source: str) -> str:
    """Turn the order of functions and classes round."""
    tree = ast.parse(source)
    bodies: list[ast.Module | ast.ClassDef] = [tree]
    bodies += [each for each in tree.body if isinstance(each, ast.ClassDef)]
    for node in bodies:
        parts = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.ClassDef)]
        node.body = [*(each for each in node.body if each not in parts), *parts[::-1]]
    return ast.unparse(tree)


def thinned(source: str, every: int) -> str:
    """Drop every n-th statement inside functions, where another one stays."""
    tree = ast.parse(source)
    seen = 0
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        for statement in list(function.body[1:]):
            seen += 1
            if seen % every == 0:
                function.body.remove(statement)
    return ast.unparse(tree)

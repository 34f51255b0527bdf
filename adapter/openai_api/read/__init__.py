"""Wire requests into orders. Pure: bytes or a decoded request in, an order or a ClientFault out."""

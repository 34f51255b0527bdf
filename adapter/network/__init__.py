"""Addresses from outside: parsed strictly, looked up once, and reached only where they may lead."""

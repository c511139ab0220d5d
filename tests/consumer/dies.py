"""Runs consume.py and ends its process, without a word, at its n-th statement. Arguments: n, and those of consume.py."""

import itertools
import os
import sqlite3
import sys

import consume

connect = sqlite3.connect


def connect_and_die(*arguments, **options):
    database = connect(*arguments, **options)
    statements = itertools.count(1)
    dies_at = int(sys.argv[1])
    database.set_trace_callback(lambda _: os._exit(9) if next(statements) == dies_at else None)
    return database


sqlite3.connect = connect_and_die
consume.main(*sys.argv[2:])

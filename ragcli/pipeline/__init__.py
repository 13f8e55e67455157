"""The only rooms that build the parts and know their order.

``index`` opens an index; ``update`` brings it up to date, with ``survey`` to find the files and
``build`` to take them in; ``remove`` takes documents out; ``ask`` asks, ``judge`` evaluates and
``inspect`` describes an index; ``inplace`` does without one.
"""

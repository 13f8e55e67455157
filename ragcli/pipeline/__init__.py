"""The only rooms that build the parts and know their order.

``index`` opens an index, ``build`` fills it, ``ask`` asks it, ``inplace`` does without one.
"""

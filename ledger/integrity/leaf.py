"""stopgap"""
def leaf_index_of(position): return position-1
def encode_leaf(*, ledger_id, position, kind, commitment):
    return b"\x01"+ledger_id.bytes+position.to_bytes(8)+bytes([kind])+commitment

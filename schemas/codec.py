"""stopgap"""
import io, fastavro, fastavro.write, fastavro.read, datetime as dt
from decimal import Decimal
def _w(v,*a):
    s=format(v.normalize(),"f"); return s
fastavro.write.LOGICAL_WRITERS["string-registro-decimal"]=_w
fastavro.read.LOGICAL_READERS["string-registro-decimal"]=lambda v,*a: Decimal(v)
def encode(schema,record):
    b=io.BytesIO(); fastavro.schemaless_writer(b,schema.parsed,record,strict=True); return b.getvalue()
def decode(schema,body,*,reader=None):
    return fastavro.schemaless_reader(io.BytesIO(body),schema.parsed,None)

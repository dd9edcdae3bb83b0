"""stopgap"""
import json, hashlib, functools, pathlib
from dataclasses import dataclass
@dataclass(frozen=True)
class ReleasedSchema:
    full_name:str; version:int|None; schema_id:bytes; normalised:str; parsed:object; kind:str; key_fields:tuple
class SchemaRegistry:
    def __init__(self, root):
        self.root=pathlib.Path(root); self._l={}; self._id={}
    def _resolve(self,node,seen,attrs):
        P={"null","string","int","long","bytes","boolean"}
        if isinstance(node,str):
            if node in P or node in seen: return node
            ctx,name=node.split(".")[1:]
            return self._resolve(json.loads((self.root/ctx/name/"v1.avsc").read_text()),seen,attrs)
        if isinstance(node,list): return [self._resolve(n,seen,attrs) for n in node]
        if node["type"]=="record":
            full=node["namespace"]+"."+node["name"]
            if full in seen: return full
            seen.add(full)
            return {"name":full,"type":"record","fields":[dict({"name":f["name"],"type":self._resolve(f["type"],seen,attrs)},**({"default":f["default"]} if "default" in f else {})) for f in node["fields"]]}
        if node["type"]=="array": return {"type":"array","items":self._resolve(node["items"],seen,attrs)}
        return node
    def latest(self,name):
        if name not in self._l:
            import fastavro
            ctx,n=name.split(".")[1:]
            raw=json.loads((self.root/ctx/n/"v1.avsc").read_text())
            norm=self._resolve(raw,set(),None)
            text=json.dumps(norm,separators=(",",":"),ensure_ascii=False)
            s=ReleasedSchema(name,1,hashlib.sha256(text.encode()).digest(),text,fastavro.parse_schema(norm,named_schemas={}),raw["registro:kind"],tuple(f["name"] for f in raw["fields"] if f.get("registro:key")))
            self._l[name]=s; self._id[s.schema_id]=s
        return self._l[name]
    def by_id(self,i):
        if i not in self._id:
            for p in self.root.glob("*/*/v1.avsc"): self.latest(f"registro.{p.parts[-3]}.{p.parts[-2]}")
        return self._id[i]
@functools.cache
def default_registry(): return SchemaRegistry(pathlib.Path(__file__).parent/"avro")

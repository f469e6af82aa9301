"""How vim-cmd prints objects: `(Type) {` `key = value,` … `}`, three blanks a level, strings not escaped.

Hosts up to 6.7 print `dynamicType` first and a comma after the last field; later ones do neither.
"""
import paths

UNSET = object()


class Struct:
    def __init__(self, kind, **fields):
        self.kind, self.fields = kind, fields


class Many:
    def __init__(self, kind, items):
        self.kind, self.items = kind, items


class Null:
    def __init__(self, kind):
        self.kind = kind


class Ref:
    def __init__(self, name):
        self.name = name


def value(what, depth):
    pad, end = "   " * (depth + 1), "   " * depth
    if what is UNSET or what is None:
        return "<unset>"
    if isinstance(what, bool):
        return "true" if what else "false"
    if isinstance(what, int):
        return str(what)
    if isinstance(what, Null):
        return f"({what.kind}) null"
    if isinstance(what, Ref):
        return f"'{what.name}'"
    if isinstance(what, Many):
        if not what.items:
            return f"({what.kind}) []"
        return f"({what.kind}) [\n" + ",\n".join(pad + value(item, depth + 1) for item in what.items) + f"\n{end}]"
    if isinstance(what, Struct):
        old = paths.plan()["profile"] == "6.7"
        fields = ({"dynamicType": UNSET} if old else {}) | what.fields
        lines = [f"{pad}{key} = {value(field, depth + 1)}" for key, field in fields.items()]
        return f"({what.kind}) {{\n" + ",\n".join(lines) + ("," if old else "") + f"\n{end}}}"
    return f'"{what}"'


def text(what):
    return value(what, 0) + "\n"


def fault(kind, message):
    space = "vmodl.fault" if kind in ("ManagedObjectNotFound", "RestrictedVersion") else "vim.fault"
    dynamic = "   dynamicType = <unset>,\n" if paths.plan()["profile"] == "6.7" else ""
    return (f"({space}.{kind}) {{\n{dynamic}   faultCause = (vmodl.MethodFault) null,\n   faultMessage = <unset>\n"
            f'   msg = "{message}"\n}}\n')

#!/usr/bin/env python3
"""Compiles UCUM's machine-readable essence to src/FhirIomt.Core/Units/ucum.tsv: codes, numbers and definitions only, no names or prose.

    python3 tools/ucum/compile.py path/to/ucum-essence.xml > src/FhirIomt.Core/Units/ucum.tsv

Rows, by tab:  prefix CODE VALUE | base CODE | unit CODE FLAGS VALUE UNIT | special CODE FLAGS FUNCTION VALUE UNIT
Flags: m takes prefixes, a arbitrary, - none of them.
"""
import sys
import xml.etree.ElementTree as ET

NS = "{http://unitsofmeasure.org/ucum-essence}"


def flags(unit):
    found = ("m" if unit.get("isMetric") == "yes" else "") + ("a" if unit.get("isArbitrary") == "yes" else "")
    return found or "-"


def main():
    root = ET.parse(sys.argv[1]).getroot()
    rows = [("#", "UCUM", root.get("version"))]
    for prefix in root.findall(NS + "prefix"):
        rows.append(("prefix", prefix.get("Code"), prefix.find(NS + "value").get("value")))
    for base in root.findall(NS + "base-unit"):
        rows.append(("base", base.get("Code")))
    for unit in root.findall(NS + "unit"):
        value = unit.find(NS + "value")
        function = value.find(NS + "function")
        if function is not None:
            rows.append(("special", unit.get("Code"), flags(unit), function.get("name"), function.get("value"), function.get("Unit")))
        else:
            rows.append(("unit", unit.get("Code"), flags(unit), value.get("value"), value.get("Unit")))
    for row in rows:
        print("\t".join(row))


main()

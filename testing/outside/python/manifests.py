# Copyright AgentTrader contributors. SPDX-License-Identifier: Apache-2.0
"""Validates every manifest under the folders given, by Kubernetes' own JSON schemas and Google's description of Cloud Run.

Prints a line for each object, `ok` or what is wrong; kustomizations are left to kubectl. Exit 1 where one is wrong or unknown.
"""

import json
import pathlib
import sys
from importlib import metadata

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator

KUBERNETES = "1.37"


def cloud_run():
    """Google's description of the API behind `gcloud run services replace`, as a JSON schema that refuses unknown fields."""
    files = metadata.distribution("google-api-python-client").files or []
    document = next(file for file in files if file.name == "run.v1.json")
    schemas = json.loads(document.locate().read_text())["schemas"]

    def strict(node):
        if isinstance(node, list):
            return [strict(part) for part in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            return {"$ref": "#/$defs/" + node["$ref"]}
        kept = {key: node[key] for key in ("type", "items", "additionalProperties") if key in node}
        kept = {key: strict(part) for key, part in kept.items()}
        if "properties" in node:
            kept["properties"] = {key: strict(part) for key, part in node["properties"].items()}
            kept.setdefault("additionalProperties", False)
        return kept

    schema = {"$defs": {name: strict(schema) for name, schema in schemas.items()}, "$ref": "#/$defs/Service"}
    schema["required"] = ["apiVersion", "kind", "metadata", "spec"]
    return Draft202012Validator(schema)


def objects(document):
    if isinstance(document, dict) and str(document.get("kind", "")).endswith("List") and "items" in document:
        for item in document["items"]:
            yield from objects(item)
    elif document is not None:
        yield document


def problem(document):
    """What is wrong with an object; None where nothing is."""
    if not isinstance(document, dict) or "kind" not in document:
        return "no object"
    if str(document.get("apiVersion", "")).startswith("serving.knative.dev/"):
        errors = sorted(RUN.iter_errors(document), key=lambda error: list(map(str, error.path)))
        return "; ".join(f"{'.'.join(map(str, error.path))}: {error.message}" for error in errors) or None
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return f"no schema for it: {error}"
    return None


RUN = cloud_run()
wrong = 0
for folder in sys.argv[1:]:
    for path in sorted(path for path in pathlib.Path(folder).rglob("*") if path.suffix in (".yaml", ".yml", ".json")):
        if path.name.startswith("kustomization."):
            continue
        for document in yaml.safe_load_all(path.read_text()):
            for each in objects(document):
                found = problem(each)
                named = each.get("kind") if isinstance(each, dict) else "?"
                print(f"{path}: {named}: {found or 'ok'}")
                wrong += found is not None
sys.exit(wrong > 0)

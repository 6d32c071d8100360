"""The OpenAPI document: the same routes as the router's, liked by other people's tools, and true on the wire."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import pytest
import yaml
from kit import ROOT, Server

DOCUMENT = os.path.join(ROOT, "docs", "api", "openapi.yaml")
BUILD = os.path.dirname(os.environ.get("TEST_PROGRAM", os.path.join(ROOT, "build", "ticketrush")))
TOOLS = os.environ.get("TEST_TOOLS", os.path.join(ROOT, "build-test", "tools"))
METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


def described():
    with open(DOCUMENT) as file:
        paths = yaml.safe_load(file)["paths"]
    return {
        (operation["operationId"], method.upper(), path)
        for path, item in paths.items()
        for method, operation in item.items()
        if method in METHODS
    }


def test_the_document_and_the_router_name_the_same_routes():
    folder = tempfile.mkdtemp()
    lister = os.path.join(BUILD, "test", "list_routes")
    listed = subprocess.run([lister, folder], capture_output=True, text=True, check=True).stdout.split("\n")
    shutil.rmtree(folder)
    routed = {tuple(line.split(" ")) for line in listed if line}
    assert routed - described() == set(), "routes that the document does not describe"
    assert described() - routed == set(), "operations that the router does not know"


def test_the_served_document_is_the_repositorys():
    with Server() as server:
        answer = server.stranger().get("/openapi.yaml").expect(200)
        with open(DOCUMENT, "rb") as file:
            assert answer.raw == file.read()


def node_tool(package, version, binary):
    """A tool from npm, pinned, installed once under build-test/tools."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = os.path.join(TOOLS, binary)
    path = os.path.join(folder, "node_modules", ".bin", binary)
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        result = subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, f"{package}@{version}"],
            capture_output=True,
            text=True,
            timeout=300,
        )
        if result.returncode != 0:
            pytest.skip(f"{package}@{version} cannot be installed here: {result.stderr.strip()[-300:]}")
    return path


def test_redocly_likes_it():
    tool = node_tool("@redocly/cli", "1.34.5", "redocly")
    result = subprocess.run(
        [tool, "lint", "--extends", "minimal", DOCUMENT],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
    )
    assert result.returncode == 0, result.stdout + result.stderr


def python_tool(package, binary):
    folder = os.path.join(TOOLS, "venv-" + binary)
    path = os.path.join(folder, "bin", binary)
    if not os.path.exists(path):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
        result = subprocess.run(
            [os.path.join(folder, "bin", "pip"), "install", "--quiet", package],
            capture_output=True,
            text=True,
            timeout=300,
        )
        if result.returncode != 0:
            pytest.skip(f"{package} cannot be installed here: {result.stderr.strip()[-300:]}")
    return path


@pytest.mark.parametrize("role", ["buyer", "organiser", "operator", "nobody"])
def test_schemathesis_finds_nothing(role, tmp_path):
    """Thousands of generated requests: no 5xx, no status that is not in the document, answers as described."""
    tool = python_tool("schemathesis==4.32.5", "schemathesis")
    with Server("--organiser-sign-up", "open") as server:
        server.organiser().sale()
        command = [
            tool,
            "--config-file",
            os.path.join(os.path.dirname(os.path.abspath(__file__)), "schemathesis.toml"),
            "run",
            DOCUMENT,
            "--url",
            f"http://127.0.0.1:{server.port}",
            "--seed",
            "20261121",
            "--max-examples",
            "200" if os.environ.get("TEST_LONG") else "15",
            "--phases",
            "examples,coverage,fuzzing",
            "--generation-database",
            "none",
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            "--workers",
            "1",
            "--no-color",
            "--exclude-path",
            "/api/v1/accounts",
        ]
        if role != "nobody":
            command += ["-H", "Authorization: Bearer " + server.token(role, "acc_0000000000zzz", 3600)]
        # in a folder of its own, where it leaves its cache
        result = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=tmp_path)
        assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
        assert server.process.poll() is None
        server.stop_and_audit(at_rest=False)


def test_tokens_are_read_by_a_foreign_library():
    """jose (npm) with the key set over HTTP."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = os.path.join(TOOLS, "jose")
    if not os.path.exists(os.path.join(folder, "node_modules", "jose")):
        os.makedirs(folder, exist_ok=True)
        result = subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, "jose@6.2.17"],
            capture_output=True,
            text=True,
            timeout=300,
        )
        if result.returncode != 0:
            pytest.skip("jose cannot be installed here: " + result.stderr.strip()[-300:])
    script = """
import { createRemoteJWKSet, jwtVerify } from 'jose';
const [url, token] = process.argv.slice(-2);
const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(url)), { algorithms: ['EdDSA'], issuer: 'ticketrush' });
console.log(JSON.stringify(payload));
"""
    with open(os.path.join(folder, "verify.mjs"), "w") as file:
        file.write(script)
    with Server() as server:
        buyer = server.buyer()
        url = f"http://127.0.0.1:{server.port}/.well-known/jwks.json"
        verify = lambda token: subprocess.run(
            ["node", "verify.mjs", url, token], cwd=folder, capture_output=True, text=True, timeout=60
        )
        accepted = verify(buyer.token)
        assert accepted.returncode == 0 and json.loads(accepted.stdout)["sub"] == buyer.account, accepted.stderr
        header, claims, signature = buyer.token.split(".")
        assert verify(f"{header}.{claims}.{signature[:-4]}AAAA").returncode != 0

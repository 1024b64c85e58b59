"""Every setting of the server: a flag, and an environment variable `SERVICE_<NAME>`; a flag wins over the variable."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

_MB = 1024 * 1024
_ORIGIN = re.compile(r"\*|https?://[^\s/,]+/?")
_ROOT_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_OWN = {"v1", "v2", "docs", "openapi.json", "metrics", "monitoring", "healthz", "livez", "readyz"}
_INSTANCES = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*=([1-9]|[1-5][0-9]|6[0-4])")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class BadSettings(Exception):
    """Settings that the server cannot start with; the text is one line for the operator."""


class Settings(BaseSettings):
    """What an operator can decide."""

    model_config = SettingsConfigDict(
        env_prefix="SERVICE_",
        env_ignore_empty=True,
        cli_prog_name="python -m service serve",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_exit_on_error=False,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )

    models: Path = Field(description="folder of models: <models>/<name>/<version>/saved_model.pb")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="TCP port to listen on; 0: any that is free")
    manage_key: SecretStr | None = Field(
        None, min_length=1, description="key that may upload; better given as SERVICE_MANAGE_KEY or as a file"
    )
    manage_key_file: Path | None = Field(None, description="file that holds the manage key, such as a mounted secret")
    open_inference: bool = Field(False, description="let everybody predict and read, also when not on loopback")
    access_log: bool = Field(False, description="one line on standard error for each request")
    log_format: Literal["text", "json"] = Field("text", description="form of the lines on standard error: text or json")
    otlp_endpoint: str = Field("", description="URL of an OpenTelemetry collector that gets a span for each request")
    root_path: str = Field(
        "", description="path in front of all others, such as /quantum; they are there without it too"
    )
    docs: bool = Field(True, description="serve /docs and /openapi.json; --no-docs answers them 404")
    cors_origins: str = Field("", description="origins whose pages may ask, separated by commas; * for all")
    trusted_proxies: str = Field("", description="addresses of proxies whose X-Forwarded-For counts, by commas")

    rate_limit_per_s: float = Field(0, ge=0, description="requests a second of each key; 0: no limit")
    uploads_per_minute: float = Field(0, ge=0, description="uploads a minute of each key; 0: no limit")
    key_failures_per_minute: float = Field(
        60, ge=0, description="wrong keys a minute from each address; more are answered 429, 0: no limit"
    )
    requests_max: int = Field(4096, ge=1, description="requests answered at once; more get 503, health paths never")
    connections_max: int = Field(8192, ge=1, description="connections; for more, the longest idle one is closed")
    header_timeout_s: float = Field(
        10, gt=0, description="seconds a request's head may take, or a new one's first byte"
    )
    idle_timeout_s: float = Field(75, gt=0, description="seconds a connection may stay open between two requests")
    header_max_bytes: int = Field(32768, ge=1024, description="bytes of a request's headers; more are answered 431")
    headers_max: int = Field(100, ge=1, description="headers of a request; more are answered 431")
    url_max_bytes: int = Field(8192, ge=256, description="bytes of a request's URL; more are answered 414")

    batch_max_rows: int = Field(
        1024, ge=1, description="rows in one call of a model; larger requests are split, 1 calls row by row"
    )
    instances: int = Field(1, ge=1, le=64, description="workers of each version, which share its calls")
    instances_of: str = Field(
        "", description="workers of the versions of single models, instead of --instances: such as slow=4,other=2"
    )
    fronts: int = Field(1, ge=1, le=64, description="HTTP processes on this address, each with workers of its own")
    queue_max_rows: int = Field(16384, ge=1, description="rows that may wait for one version; more are answered 429")
    request_max_rows: int = Field(16384, ge=1, description="rows in one request; more are answered 413")
    request_timeout_s: float = Field(30, gt=0, description="seconds until a waiting prediction is answered 504")
    call_timeout_s: float = Field(20, gt=0, description="seconds one call may compute; then its worker is ended")
    load_timeout_s: float = Field(120, gt=0, description="seconds a version may take to load and warm up")
    load_cpu_s: int = Field(60, ge=1, description="processor seconds a version may take to load and warm up")
    load_parallel: int = Field(2, ge=1, description="versions that are loaded at the same time")
    worker_threads: int = Field(
        0, ge=0, le=256, description="threads that compute a call of a model which takes long; 0: one a core"
    )
    worker_memory_max_mb: int = Field(8192, ge=1024, description="address space of one worker, in MiB")
    worker_growth_max_mb: int = Field(
        1024, ge=0, description="MiB that a worker may grow by while it serves; then another takes its place; 0: any"
    )
    answer_max_mb: int = Field(128, ge=1, description="MiB of a call's outputs; more are answered 400")
    graph_max_mb: int = Field(32, ge=1, le=2048, description="size of an upload's saved_model.pb, in MiB")
    strict_folder: bool = Field(False, description="refuse models in the folder too for what the static check finds")
    strict_readiness: bool = Field(False, description="be not ready while a version is listed that cannot be loaded")
    require_sandbox: bool = Field(False, description="refuse to start where the kernel has no Landlock")
    restarts_max: int = Field(5, ge=0, description="deaths of a worker within a minute that are answered by a restart")

    predict_max_bytes: int = Field(16 * _MB, ge=1, description="bytes of a prediction's body, also once inflated")
    upload_max_bytes: int = Field(512 * _MB, ge=1, description="bytes of an uploaded archive")
    unpacked_max_bytes: int = Field(2048 * _MB, ge=1, description="bytes of all files in an uploaded archive")
    archive_files_max: int = Field(1000, ge=1, description="files and directories in an uploaded archive")
    file_max_bytes: int = Field(1024 * _MB, ge=1, description="bytes of one file in an uploaded archive")
    unpack_timeout_s: float = Field(120, gt=0, description="seconds an uploaded archive may take to unpack")
    uploads_max: int = Field(16, ge=1, description="uploads at the same time; more are answered 503")
    disk_reserve_mb: int = Field(64, ge=0, description="MiB of disk that uploads leave free")
    models_max: int | None = Field(None, ge=1, description="models that uploads may make; no value: no limit")
    versions_max: int | None = Field(None, ge=1, description="versions that uploads may make of one model")
    stored_max_bytes: int | None = Field(None, ge=1, description="bytes of all versions, those in the trash too")
    key_max_bytes: int | None = Field(None, ge=1, description="bytes of all versions that one key uploaded")
    trash_keep_days: float = Field(30, ge=0, description="days that a deleted version can be restored")
    load: str = Field(
        "latest:1",
        pattern=r"^(all|latest:[1-9][0-9]{0,5})$",
        description="versions of each model that are always loaded, beside labelled ones: latest:N or all",
    )
    idle_unload_s: float = Field(300, ge=0, description="seconds until any other version is unloaded again; 0: never")
    memory_budget_mb: int | None = Field(
        None, ge=1, description="MiB of all workers, beyond which idle versions are unloaded and no others loaded"
    )
    body_timeout_s: float = Field(30, gt=0, description="seconds a body may take, or that of an upload may pause")
    upload_timeout_s: float = Field(600, gt=0, description="seconds an upload's body may take in all")
    poll_interval_s: float = Field(1, gt=0, description="seconds between two looks at the folder of models")
    drain_wait_s: float = Field(
        1, ge=0, description="seconds between SIGTERM (/readyz is 503 then) and the listener's end"
    )

    @property
    def is_open(self) -> bool:
        """Whether everybody may predict and read."""
        return self.open_inference or self.host in _LOOPBACK

    @property
    def instances_by_model(self) -> dict[str, int]:
        """How many workers the versions of single models have."""
        return {name: int(count) for name, count in (part.split("=") for part in _parts(self.instances_of))}

    def given_manage_key(self) -> str | None:
        """The manage key that the operator gave, if any."""
        if self.manage_key_file is None:
            return self.manage_key.get_secret_value() if self.manage_key else None
        try:
            key = self.manage_key_file.read_text().strip()
        except OSError as exc:
            raise BadSettings(f"manage_key_file: cannot read {self.manage_key_file}: {exc.strerror}") from exc
        if not key:
            raise BadSettings(f"manage_key_file: {self.manage_key_file} is empty")
        return key

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, text: str) -> str:
        wrong = [part for part in _parts(text) if not _ORIGIN.fullmatch(part)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no origin; one is scheme and host, such as https://example.org, or *")
        return text

    @field_validator("instances_of")
    @classmethod
    def _check_instances(cls, text: str) -> str:
        wrong = [part for part in _parts(text) if not _INSTANCES.fullmatch(part)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is none: expected model=workers, with 1 to 64 workers, such as slow=4")
        return text

    @field_validator("root_path")
    @classmethod
    def _check_root(cls, text: str) -> str:
        if not _ROOT_PATH.fullmatch(text):
            raise ValueError(
                f"{text!r} is none: expected such as /quantum, of letters, digits and . _ ~ -, without '/' at its end"
            )
        if text and text.lower().split("/")[1] in _OWN:
            raise ValueError(f"{text!r} begins with a path of the server's own: expected such as /quantum")
        return text

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, text: str) -> str:
        for part in _parts(text):
            if part != "*":
                ip_network(part, strict=False)
        return text


def _parts(text: str) -> list[str]:
    """What stands between the commas."""
    return [part for part in map(str.strip, text.split(",")) if part]


def read_settings(arguments: list[str]) -> Settings:
    """The settings from the command line and the environment.

    Raises:
        BadSettings: a setting is missing, unknown or wrong.
    """
    try:
        settings = Settings(_cli_parse_args=arguments)  # type: ignore[call-arg]  # the plugin-less view of pydantic
    except ValidationError as exc:
        raise BadSettings("; ".join(_complaint(error["loc"], error["msg"]) for error in exc.errors())) from exc
    except SettingsError as exc:
        raise BadSettings(str(exc).splitlines()[-1]) from exc
    if not settings.models.is_dir():
        raise BadSettings(f"models: {settings.models} is not a folder")
    return settings


def _complaint(location: tuple[int | str, ...], message: str) -> str:
    name = ".".join(map(str, location))
    return f"{name}: {message} (give --{name.replace('_', '-')} or SERVICE_{name.upper()})"

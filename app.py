"""``python app.py``: the page in the browser. Everything on it is in ``cyclegan/page``."""

import contextlib
import os
import signal
import sys
import tempfile
import threading
from dataclasses import dataclass

import tyro

UPLOAD = "100mb"  # of one file; pictures have a lower bound of their own


@dataclass(frozen=True)
class Options:
    """Open a page on which pictures are translated: with the translators in pretrained/ and the trainings in runs/."""

    port: int | None = None
    """The port to listen on. Default: the first free one from 7860."""
    host: str | None = None
    """The address to listen on; 0.0.0.0 lets other machines in. Default: this machine only."""
    share: bool = False
    """Make a public link through gradio's servers, good for a week."""
    root_path: str | None = None
    """The path, such as /demo, under which a proxy in front of this program shows the page."""
    auth: str | None = None
    """USER:PASSWORD, asked of every visitor."""


def main(arguments: list[str] | None = None) -> int:
    """Parses the flags and serves the page until Ctrl-C; returns the exit code."""
    options = tyro.cli(Options, args=arguments, prog="python app.py", config=(tyro.conf.FlagCreatePairsOff,))
    user, _, password = (options.auth or "").partition(":")
    if options.auth and not (user and password):
        return _complain("--auth takes USER:PASSWORD, with a colon between them")
    if options.port is not None and not 0 < options.port < 65536:
        return _complain(f"--port is a number from 1 to 65535, not {options.port}")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    for name in ("no_proxy", "NO_PROXY"):  # gradio asks its own server something first, which is behind no proxy
        own = [os.environ.get(name), "127.0.0.1", "localhost", options.host]
        os.environ[name] = ",".join(filter(None, own))
    try:
        import gradio  # noqa: F401
    except ModuleNotFoundError:
        return _complain("the page needs gradio: pip install -e '.[app]'")
    signal.signal(signal.SIGTERM, _leave)  # so that the folder below goes with the program then too
    with tempfile.TemporaryDirectory(prefix="cyclegan-page-", ignore_cleanup_errors=True) as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder  # uploads and results; gone with the program
        with contextlib.suppress(SystemExit):  # of _leave
            return serve(options, (user, password) if options.auth else None)
    return 0


def serve(options: Options, auth: tuple[str, str] | None) -> int:
    """Builds the page and serves it."""
    from cyclegan.page.page import OLD, SWEEP, build
    from cyclegan.page.parts import sweep_forever
    from cyclegan.page.theme import ABILITIES, CSS, ICON, theme

    page = build()
    threading.Thread(target=_warm_up, daemon=True).start()
    threading.Thread(target=sweep_forever, args=(SWEEP, OLD), daemon=True).start()
    try:
        page.launch(
            server_name=options.host, server_port=options.port, share=options.share, root_path=options.root_path,
            auth=auth, max_file_size=UPLOAD, theme=theme(), css=CSS, head=ICON + ABILITIES, ssr_mode=False, pwa=False,
            footer_links=["api"], enable_monitoring=False, show_error=True,
            _frontend=False,  # no look at its own address, which fails on a busy machine
        )  # fmt: skip
    except OSError:
        return _complain(f"the port {options.port or 'range from 7860'} is taken: give another --port")
    return 0


def _warm_up() -> None:
    """Imports torch and translates the examples while nobody has asked for anything yet."""
    import cyclegan.translate.translator  # noqa: F401
    from cyclegan.page import examples
    from cyclegan.translate import closeness

    examples.prepare()
    closeness.prepare()


def _leave(*_) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would interrupt the clearing up
    sys.exit(0)


def _complain(text: str) -> int:
    print(f"app.py: {text}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # not sys.exit, which waits for threads that compute, or lets torch abort the program

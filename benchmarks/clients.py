"""Other programs' own clients against `chatdesk serve`: one table, a line for what each can do.

    python benchmarks/clients.py --chatdesk .venv/bin/python [--model FILE.gguf]

It runs in any environment that has some of the clients (openai, anthropic, ollama, litellm,
langchain-openai, instructor, pydantic-ai-slim, llm, lm-eval, guidellm) and leaves out those that
are not there; it needs nothing of ChatDesk itself, which runs as a process of `--chatdesk`.
"""

import argparse
import importlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

KEY = "a-key"
HELLO: list[Any] = [{"role": "user", "content": "Name a colour."}]
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 9}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
TEXT = "One, two, three, four, five,"
Trial = Callable[[str], object]
"""Does one thing with a client, given the server's address without /v1; raises what fails."""


@contextmanager
def serving(python: str, model: str | None) -> Iterator[str]:
    """Run `chatdesk serve` with a home of its own; yield its address."""
    with tempfile.TemporaryDirectory() as home:
        command = [python, "-m", "chatdesk", "serve", "--port", "0", "--api-key", KEY]
        server = subprocess.Popen(
            [*command, *(["--model", model] if model else [])],
            env={**os.environ, "CHATDESK_HOME": home},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout
            found = re.search(r"http://[^/\s]+", server.stdout.readline())
            if not found:
                raise SystemExit("chatdesk serve did not start")
            yield found[0]
        finally:
            server.terminate()
            server.wait()


def _of(module: str) -> Any:
    """Import a client's module where it is tried: none is needed for the others."""
    return importlib.import_module(module)


def _openai(address: str) -> Any:
    return _of("openai").OpenAI(base_url=f"{address}/v1", api_key=KEY, max_retries=0)


def _openai_chat(address: str) -> object:
    create = _openai(address).chat.completions.create
    with create(model="default", messages=HELLO, max_tokens=9, stream=True) as stream:
        assert any(chunk.choices[0].delta.content for chunk in stream)
    return create(model="default", messages=HELLO, max_tokens=9, n=2).choices[1].message.content


def _openai_schema(address: str) -> object:
    shape = {"type": "json_schema", "json_schema": {"name": "p", "schema": PERSON}}
    made = _openai(address).chat.completions.create(
        model="default", messages=HELLO, response_format=shape
    )
    return json.loads(made.choices[0].message.content)["age"] + 0


def _openai_echo(address: str) -> object:
    made = _openai(address).completions.create(
        model="default", prompt=[TEXT, TEXT], echo=True, max_tokens=0, logprobs=1
    )
    values = made.choices[1].logprobs.token_logprobs
    assert made.choices[1].text == TEXT
    return sum(filter(None, values))


def _openai_embeddings(address: str) -> object:
    made = _openai(address).embeddings.create(model="default", input=["a", "b"])
    return len(made.data[1].embedding)


def _openai_responses(address: str) -> object:
    made = _openai(address).responses.create(model="default", input="Hi", max_output_tokens=9)
    return made.output_text


def _anthropic_messages(address: str) -> object:
    client = _of("anthropic").Anthropic(base_url=address, api_key=KEY, max_retries=0)
    with client.messages.stream(model="default", max_tokens=9, messages=HELLO) as stream:
        assert "".join(stream.text_stream)
    assert client.messages.count_tokens(model="default", messages=HELLO).input_tokens
    return client.messages.create(model="default", max_tokens=9, messages=HELLO).usage.output_tokens


def _ollama_all(address: str) -> object:
    client = _of("ollama").Client(host=address, headers={"Authorization": f"Bearer {KEY}"})
    name = client.list().models[0].model
    assert client.show(name).details.family
    options = {"num_predict": 9}
    assert client.chat(model=name, messages=HELLO, options=options).message.content
    assert list(client.generate(model=name, prompt="Hi", options=options, stream=True))
    return len(client.embed(model=name, input=["a", "b"]).embeddings)


def _litellm_all(address: str) -> object:
    litellm = _of("litellm")
    where = {"api_base": f"{address}/v1", "api_key": KEY}
    made = litellm.completion("openai/default", messages=HELLO, max_tokens=9, **where)
    assert made.choices[0].message.content
    try:
        litellm.completion(
            "openai/default", messages=[{"role": "user", "content": "word " * 20_000}], **where
        )
    except litellm.ContextWindowExceededError:
        return len(litellm.embedding("openai/default", input=["a"], **where).data)
    raise AssertionError("a prompt that is too long was not known as that")


def _langchain_all(address: str) -> object:
    langchain = _of("langchain_openai")
    where: dict[str, Any] = {"base_url": f"{address}/v1", "api_key": KEY, "max_retries": 0}
    chat = langchain.ChatOpenAI(model="default", max_completion_tokens=60, **where)
    assert list(chat.stream("Hi"))
    assert chat.with_structured_output({**PERSON, "title": "Person"}, method="json_schema")
    return len(langchain.OpenAI(model="default", max_tokens=5, **where).batch(["One,", "Two,"]))


def _instructor_json(address: str) -> object:
    instructor = _of("instructor")
    person = _of("pydantic").create_model("Person", name=(str, ...), age=(int, ...))
    client = instructor.from_openai(_openai(address), mode=instructor.Mode.JSON_SCHEMA)
    made = client.chat.completions.create(
        model="default", messages=HELLO, response_model=person, max_tokens=200
    )
    return made.age + 0


def _pydantic_ai_text(address: str) -> object:
    provider = _of("pydantic_ai.providers.openai").OpenAIProvider(
        base_url=f"{address}/v1", api_key=KEY
    )
    model = _of("pydantic_ai.models.openai").OpenAIChatModel("default", provider=provider)
    return _of("pydantic_ai").Agent(model).run_sync("Hi").output


def _llm_command(address: str, *options: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        entry = f"- model_id: desk\n  model_name: default\n  api_base: {address}/v1\n"
        entry += "  api_key_name: desk\n  supports_schema: true\n"
        Path(folder, "extra-openai-models.yaml").write_text(entry)
        Path(folder, "keys.json").write_text(json.dumps({"desk": KEY}))
        command = ["llm", "-m", "desk", "-o", "max_tokens", "60", *options, "Invent a person."]
        return _run(command, LLM_USER_PATH=folder)


def _llm_schema(address: str) -> object:
    return json.loads(_llm_command(address, "--schema", json.dumps(PERSON)))["age"] + 0


def _lm_eval_likelihood(address: str) -> object:
    """Log-likelihoods and generated text as a task of lm_eval asks for them."""
    instance = _of("lm_eval.api.instance").Instance
    os.environ["OPENAI_API_KEY"] = KEY
    with tempfile.TemporaryDirectory() as folder:
        _tokenizer(folder)
        model = _of("lm_eval.models.openai_completions").LocalCompletionsAPI(
            model="default",
            base_url=f"{address}/v1/completions",
            tokenizer_backend="huggingface",
            tokenizer=folder,
            batch_size=2,
            max_length=512,
        )
        pairs = [("a b c", " d e"), ("a b", " c d e f")]
        asked = [instance("loglikelihood", {}, pair, n) for n, pair in enumerate(pairs)]
        found = model.loglikelihood(asked)
        assert all(value < 0 for value, _ in found), found
        until = {"until": ["."], "max_gen_toks": 5}
        written = model.generate_until([instance("generate_until", {}, ("a b c", until), 0)])
        return found, written


def _tokenizer(folder: str) -> None:
    """Write a tokenizer of letters; any token ids of the model's vocabulary will do."""
    tokenizers = _of("tokenizers")
    letters = {letter: 5 + n for n, letter in enumerate(" abcdefghijklmnopqrstuvwxyz")}
    words = tokenizers.models.WordLevel({"<unk>": 0, "<s>": 1, **letters}, unk_token="<unk>")
    tokenizer = tokenizers.Tokenizer(words)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex("."), "isolated")
    _of("transformers").PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<s>"
    ).save_pretrained(folder)


def _guidellm_command(address: str) -> object:
    with tempfile.TemporaryDirectory() as folder:
        questions, report = Path(folder, "questions.jsonl"), Path(folder, "report.json")
        questions.write_text('{"prompt": "Say hi in a word."}\n' * 3)
        _run(
            [
                "guidellm", "run", "--disable-console", "--profile", "kind=synchronous",
                "--constraint", "kind=max_requests,count=3",
                "--backend", f"kind=openai_http,target={address},model=default,api_key={KEY}",
                "--data", f"kind=json_file,path={questions}",
                "--output", f"kind=json,path={report}",
            ]
        )  # fmt: skip
        (benchmark,) = json.loads(report.read_text())["benchmarks"]
        assert len(benchmark["requests"]["successful"]) == 3
        return benchmark


def _run(command: list[str], **environment: str) -> str:
    program = shutil.which(command[0], path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        raise ImportError(command[0])
    done = subprocess.run(
        [program, *command[1:]],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **environment},
    )
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip()[-300:])
    return done.stdout.strip()


TRIALS: dict[str, dict[str, Trial]] = {
    "openai": {
        "chat, stream, n": _openai_chat,
        "schema": _openai_schema,
        "echo with logprobs, lists": _openai_echo,
        "embeddings": _openai_embeddings,
        "responses": _openai_responses,
    },
    "anthropic": {"messages, stream, count": _anthropic_messages},
    "ollama": {"list, show, chat, generate, embed": _ollama_all},
    "litellm": {"completion, overflow, embedding": _litellm_all},
    "langchain-openai": {"stream, structured, batch": _langchain_all},
    "instructor": {"JSON_SCHEMA": _instructor_json},
    "pydantic-ai-slim": {"text": _pydantic_ai_text},
    "llm": {"prompt": _llm_command, "--schema": _llm_schema},
    "lm_eval": {"loglikelihood, generate_until": _lm_eval_likelihood},
    "guidellm": {"benchmark": _guidellm_command},
}


def main() -> int:
    """Print the table; 1 if something does not work."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--chatdesk", default=sys.executable, help="the Python of ChatDesk")
    options.add_argument("--model", help="a GGUF file; else the model of the settings")
    chosen = options.parse_args()
    failed = False
    print("| client, version | what | |\n|---|---|---|")
    with serving(chosen.chatdesk, chosen.model) as address:
        for client, trials in TRIALS.items():
            try:
                version = importlib.metadata.version(client)
            except importlib.metadata.PackageNotFoundError:
                print(f"| {client} | | not installed |")
                continue
            for what, trial in trials.items():
                try:
                    trial(address)
                    outcome = "works"
                except Exception as problem:
                    failed = True
                    outcome = " ".join(f"{type(problem).__name__}: {problem}".split())[:200]
                print(f"| {client} {version} | {what} | {outcome} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())

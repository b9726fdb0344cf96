"""The shape that a client wants an answer to have: a grammar, or a JSON Schema."""

from collections.abc import Iterator
from typing import Any

import msgspec

from chatdesk.core.i18n import tr
from chatdesk.server.bodies.sampling import SamplingBody
from chatdesk.server.errors import bad_request

ANY_OBJECT = {"type": "object"}
ITS_PLACE = "response_format.json_schema.schema"


class JsonSchema(msgspec.Struct):
    """The schema of a `response_format`; it is enforced whether `strict` or not."""

    schema: dict[str, Any] | None = None


class ResponseFormat(msgspec.Struct):
    """The wanted form: text, json_object or json_schema.

    `schema` beside the type is how llama-server and llama-cpp-python document it.
    """

    type: str
    json_schema: JsonSchema | None = None
    schema: dict[str, Any] | None = None


class ShapedBody(SamplingBody, kw_only=True):
    """The fields of a body that say what shape an answer must have, beside those of sampling.

    The last ones are other servers' names for it: whoever sends one believes that it is kept.
    """

    response_format: ResponseFormat | None = None
    grammar: str | None = None
    json_schema: dict[str, Any] | None = None
    format: Any = None
    guided_json: Any = None
    guided_regex: Any = None
    guided_choice: Any = None
    guided_grammar: Any = None
    structured_outputs: Any = None

    def constraint(self) -> tuple[str | None, str | None]:
        """Return the grammar and the schema as text; at most one is set. Raises `ApiError`."""
        self._refuse_foreign_names()
        schemas = list(self._schemas())
        if len(schemas) > 1:
            raise bad_request(tr("There are two schemas; send one."), ITS_PLACE)
        if self.grammar and schemas:
            raise bad_request(tr("A grammar and a response_format exclude each other."), "grammar")
        if not schemas:
            return self.grammar or None, None
        return None, msgspec.json.encode(schemas[0]).decode()

    def _refuse_foreign_names(self) -> None:
        for name in (
            "format", "guided_json", "guided_regex", "guided_choice", "guided_grammar",
            "structured_outputs",
        ):  # fmt: skip
            if getattr(self, name):
                message = tr(
                    "Send a schema as {place} and a grammar as “grammar”.", place=ITS_PLACE
                )
                raise bad_request(message, name)

    def _schemas(self) -> Iterator[dict[str, Any]]:
        if self.json_schema is not None:
            yield self.json_schema
        wanted = self.response_format
        if wanted is None or wanted.type == "text":
            return
        inner = wanted.json_schema.schema if wanted.json_schema else None
        if wanted.type not in ("json_object", "json_schema"):
            raise bad_request(
                tr("This must be “text”, “json_object” or “json_schema”."), "response_format.type"
            )
        given = [schema for schema in (wanted.schema, inner) if schema is not None]
        if not given and (wanted.type == "json_schema" or wanted.json_schema):
            raise bad_request(
                tr("The schema is missing; it belongs into {place}.", place=ITS_PLACE), ITS_PLACE
            )
        yield from given or ([] if self.json_schema is not None else [ANY_OBJECT])

//! `docs/openapi.json` and `docs/asyncapi.yaml` against the golden frames, each other, and a server.

mod answers;
mod documents;
mod frames;

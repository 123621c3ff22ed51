//! The heads of a request and its answer, for those who want to see them.

use serde::Serialize;

use super::json::to_vec;
#[cfg(test)]
use super::schema;

/// What was said before the first frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Inspect {
    /// As the server saw it, whatever proxies had made of it.
    pub request: Head,
    /// As the server sent it.
    pub response: Head,
}

/// One side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Head {
    /// The request line or the status line.
    pub line: String,
    /// Names in lower case, and values.
    #[cfg_attr(test, schema(value_type = Vec<schema::Header>))]
    pub headers: Vec<(String, String)>,
}

/// Adds `inspect` as the last member of a JSON object.
pub fn append(json: &[u8], inspect: &Inspect) -> Vec<u8> {
    let mut out = json.strip_suffix(b"}").unwrap_or(json).to_vec();
    out.extend_from_slice(b",\"inspect\":");
    out.extend(to_vec(inspect));
    out.push(b'}');
    out
}

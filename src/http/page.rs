//! The dashboard, embedded in the binary with its compressed variants.

use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName,
    IF_NONE_MATCH, VARY,
};
use actix_web::{HttpRequest, HttpResponse};
use include_dir::{Dir, File, include_dir};

use crate::wire::error::ErrorCode;

use super::Problem;

static PAGE: Dir<'_> = include_dir!("$OUT_DIR/dashboard");

/// The page may talk to its own origin only. COOP and COEP make it cross-origin isolated, which takes the
/// browser's clock from steps of 100 µs to 5 µs: without it no page can measure ages below a millisecond.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        HeaderName::from_static("content-security-policy"),
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; frame-ancestors 'none'",
    ),
    (HeaderName::from_static("x-content-type-options"), "nosniff"),
    (HeaderName::from_static("referrer-policy"), "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-embedder-policy"),
        "require-corp",
    ),
];

/// Compressed variants that the page's build leaves beside a file, the best first.
const VARIANTS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

pub(super) async fn index(request: HttpRequest) -> Result<HttpResponse, Problem> {
    serve(&request, "index.html")
}

pub(super) async fn asset(request: HttpRequest) -> Result<HttpResponse, Problem> {
    serve(&request, request.match_info().query("asset"))
}

fn serve(request: &HttpRequest, path: &str) -> Result<HttpResponse, Problem> {
    let plain = PAGE
        .get_file(path)
        .ok_or_else(|| Problem::new(ErrorCode::NotFound, format!("There is nothing at /{path}")))?;
    let (file, encoding) = best_variant(request, path).unwrap_or((plain, None));
    let etag = etag(file);
    let fresh = (request.headers().get(IF_NONE_MATCH))
        .is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let mut response = if fresh {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    for header in HEADERS {
        response.insert_header(header);
    }
    // Names under assets/ carry a hash of what they hold.
    let keep = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response
        .insert_header((CONTENT_TYPE, content_type(path)))
        .insert_header((CACHE_CONTROL, keep))
        .insert_header((VARY, "Accept-Encoding"))
        .insert_header((ETAG, etag));
    if let Some(encoding) = encoding {
        response.insert_header((CONTENT_ENCODING, encoding));
    }
    if fresh {
        return Ok(response.finish());
    }
    Ok(response.body(file.contents()))
}

fn best_variant(
    request: &HttpRequest,
    path: &str,
) -> Option<(&'static File<'static>, Option<&'static str>)> {
    let accepted = request.headers().get(ACCEPT_ENCODING)?.to_str().ok()?;
    VARIANTS.iter().find_map(|(encoding, suffix)| {
        let wanted = (accepted.split(',')).any(|offer| {
            let (name, quality) = offer.trim().split_once(';').unwrap_or((offer.trim(), ""));
            let refused = quality.trim().strip_prefix("q=").map(str::parse) == Some(Ok(0.0));
            name == *encoding && !refused
        });
        let file = wanted.then(|| PAGE.get_file(format!("{path}{suffix}")))??;
        Some((file, Some(*encoding)))
    })
}

fn content_type(path: &str) -> String {
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    if guess.type_() == "text" {
        return format!("{guess}; charset=utf-8");
    }
    guess.to_string()
}

/// A strong validator, made of the bytes that are sent.
fn etag(file: &File<'_>) -> String {
    let mut hasher = DefaultHasher::new();
    file.contents().hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

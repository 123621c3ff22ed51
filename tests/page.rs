//! The dashboard as it is served.

use super::support::TestServer;
use super::support::http::{Answer, get, get_with};

/// The page's script, by the name that the page gives it.
async fn script(server: &TestServer, headers: &[(&str, &str)]) -> Answer {
    let page = get(server.address, "/").await;
    let name = page.text().split("src=\"/").find_map(|part| {
        let name = part.split('"').next()?;
        name.ends_with(".js").then(|| name.to_owned())
    });
    let target = format!("/{}", name.expect("the page has a script"));
    get_with(server.address, &target, headers).await
}

#[tokio::test]
async fn the_page_is_isolated_and_talks_to_its_own_origin_only() {
    let server = TestServer::start();
    let page = get(server.address, "/").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'self'")
    );
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    assert_eq!(page.header("cross-origin-embedder-policy"), "require-corp");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("cache-control"), "no-cache");
}

#[tokio::test]
async fn hashed_assets_may_be_kept_for_ever() {
    let server = TestServer::start();
    let script = script(&server, &[]).await;
    assert_eq!(script.status, 200);
    assert!(script.header("cache-control").contains("immutable"));
}

#[tokio::test]
async fn the_best_encoding_that_a_client_takes_is_sent() {
    let server = TestServer::start();
    for (accepted, sent) in [
        ("gzip, br", "br"),
        ("gzip;q=0.5, br;q=0", "gzip"),
        ("identity", ""),
    ] {
        let script = script(&server, &[("accept-encoding", accepted)]).await;
        assert_eq!(script.header("content-encoding"), sent, "{accepted}");
        assert_eq!(script.header("vary"), "Accept-Encoding");
    }
}

#[tokio::test]
async fn an_asset_that_is_known_is_not_sent_again() {
    let server = TestServer::start();
    let etag = script(&server, &[]).await.header("etag").to_owned();
    let again = script(&server, &[("if-none-match", &etag)]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test]
async fn an_asset_that_is_not_there_is_not_found() {
    let server = TestServer::start();
    let answer = get(server.address, "/assets/../Cargo.toml").await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (404, "not_found")
    );
}

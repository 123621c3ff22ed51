//! Frames and messages: golden ones, examples, broken ones, and those of a server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::contract::{asyncapi, component, faults, members};
use crate::support::server::Settings;
use crate::support::{Client, LongPoll, Ndjson, Sse, TestServer, WebSocket};

/// Every golden frame with its file's name.
fn golden() -> Vec<(String, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/frames");
    let files = std::fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&text).unwrap())
        })
        .collect()
}

/// The pointer to the schema of a message, by its `type`.
fn schema_of(message: &Value) -> String {
    let name = message["type"].as_str().unwrap();
    let payload = &members(asyncapi(), "/components/messages")[name]["payload"]["$ref"];
    let reference = payload.as_str().unwrap();
    reference.strip_prefix("openapi.json#").unwrap().to_owned()
}

/// The messages that operations of a kind name, by their `type`.
fn named_in(action: &str) -> BTreeSet<&'static str> {
    let operations = members(asyncapi(), "/operations").values();
    let lists = operations
        .filter(|operation| operation["channel"]["$ref"] == "#/channels/websocket")
        .flat_map(|operation| {
            let own = (operation["action"] == action).then(|| &operation["messages"]);
            let replies = (action == "send").then(|| &operation["reply"]["messages"]);
            [own, replies]
        });
    lists.flatten().flat_map(named).collect()
}

/// The messages that a list refers to, by their `type`.
fn named(list: &'static Value) -> impl Iterator<Item = &'static str> {
    let references = list.as_array().into_iter().flatten();
    references
        .map(|reference| reference["$ref"].as_str().unwrap())
        .map(|reference| reference.rsplit_once('/').unwrap().1)
}

fn examples(name: &str) -> impl Iterator<Item = &'static Value> {
    let message = &members(asyncapi(), "/components/messages")[name];
    let examples = message["examples"].as_array();
    let examples = examples.unwrap_or_else(|| panic!("{name} has no examples"));
    examples.iter().map(|example| &example["payload"])
}

#[test]
fn every_golden_frame_is_as_described() {
    for (name, frame) in golden() {
        assert_eq!(faults(&schema_of(&frame), &frame), [""; 0], "{name}");
        assert_eq!(faults(&component("Frame"), &frame), [""; 0], "{name}");
        if name.starts_with("poll-") {
            assert_eq!(faults(&component("PollAnswer"), &frame), [""; 0], "{name}");
        }
    }
}

#[test]
fn the_frames_that_are_sent_are_those_that_have_a_golden_one() {
    let golden = golden();
    let golden: BTreeSet<_> = (golden.iter())
        .map(|(_, frame)| frame["type"].as_str().unwrap())
        .collect();
    assert_eq!(named_in("send"), golden);
}

#[test]
fn one_way_streams_have_the_frames_that_no_message_asks_for() {
    let unasked = &members(asyncapi(), "/operations")["sendOverWebsocket"]["messages"];
    let unasked: BTreeSet<_> = named(unasked).collect();
    for channel in ["sse", "ndjson"] {
        let listed = members(asyncapi(), &format!("/channels/{channel}/messages"));
        let listed: BTreeSet<_> = listed.keys().map(String::as_str).collect();
        assert_eq!(listed, unasked, "{channel}");
    }
}

#[test]
fn the_examples_of_frames_are_golden_ones() {
    let golden: Vec<_> = golden().into_iter().map(|(_, frame)| frame).collect();
    for name in named_in("send") {
        for example in examples(name) {
            assert!(golden.contains(example), "{example}");
        }
    }
}

#[test]
fn the_examples_of_messages_are_as_described() {
    for name in named_in("receive") {
        for example in examples(name) {
            assert_eq!(example["type"], name);
            assert_eq!(faults(&schema_of(example), example), [""; 0], "{example}");
        }
    }
}

#[tokio::test]
async fn the_examples_of_messages_are_followed() {
    let server = TestServer::start();
    for example in named_in("receive").into_iter().flat_map(examples) {
        let mut client = WebSocket::open(server.address, "symbols=").await;
        client.send(Message::text(example.to_string())).await;
        let answer = loop {
            let frame = client.next().await.unwrap();
            if ["subscribed", "pong", "error"]
                .iter()
                .any(|kind| frame["type"] == *kind)
            {
                break frame;
            }
        };
        assert_ne!(answer["type"], "error", "{example}: {answer}");
        assert_eq!(answer.get("id"), example.get("id"), "{example}");
    }
}

/// A value with one member set to another, or taken out.
fn with(value: &Value, pointer: &str, member: Option<Value>) -> Value {
    let mut broken = value.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = broken.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match member {
        Some(member) => parent.insert(name.to_owned(), member),
        None => parent.remove(name),
    };
    broken
}

#[test]
fn a_broken_frame_is_refused() {
    let golden: BTreeMap<_, _> = golden().into_iter().collect();
    let breaks = [
        ("welcome", "/protocol", Some(json!("ticker.v2"))),
        ("welcome", "/max_symbols", Some(json!(0))),
        ("welcome", "/session", None),
        ("ticks", "/cursor", None),
        ("ticks", "/cursor", Some(json!("18443"))),
        ("ticks", "/ts", Some(json!(1.5))),
        ("ticks", "/ts", Some(json!("1795231558223471"))),
        ("ticks", "/data", None),
        ("ticks", "/data/0/last", Some(json!("190.13"))),
        ("ticks", "/data/0/last", Some(json!(-1))),
        ("ticks", "/data/0/n", Some(json!(0))),
        ("ticks", "/data/0/n", None),
        ("ticks", "/data/0/symbol", Some(json!("aapl"))),
        ("ticks", "/data/0/volume", Some(json!(-1))),
        ("ticks", "/data/0/halted", Some(json!(false))),
        ("ticks", "/data/0/open", Some(Value::Null)),
        ("ticks", "/data/0/price", Some(json!(190.13))),
        ("ticks", "/more", Some(json!(false))),
        ("snapshot", "/data/0/open", None),
        ("poll-gap", "/gap/reason", Some(json!("because"))),
        ("poll-gap", "/gap/type", Some(json!("gap"))),
        ("gap", "/reason", None),
        ("gap", "/reason", Some(json!("because"))),
        ("gap", "/from", Some(Value::Null)),
        ("gap", "/cursor", Some(json!("m3k9x2-18443"))),
        ("lag", "/conflated", Some(json!(-1))),
        ("heartbeat", "/cursor", None),
        ("subscribed", "/mode", Some(json!("some"))),
        ("subscribed", "/max_rate", Some(json!(1_001))),
        ("pong", "/id", Some(json!("x".repeat(37)))),
        ("pong", "/id", Some(json!(1.5))),
        ("error", "/code", Some(json!("sorry"))),
        ("error", "/type", Some(json!("problem"))),
    ];
    for (name, pointer, member) in breaks {
        let (whole, broken) = (&golden[name], with(&golden[name], pointer, member));
        let schema = schema_of(whole);
        assert_ne!(faults(&schema, &broken), [""; 0], "{broken}");
        assert_ne!(faults(&component("Frame"), &broken), [""; 0], "{broken}");
    }
}

#[test]
fn a_close_that_is_none_of_ours_is_refused() {
    for (code, reason) in [(4499, "going_away"), (1001, "slow_consumer"), (1006, "")] {
        let close = json!({ "code": code, "reason": reason });
        assert_ne!(faults(&component("Close"), &close), [""; 0], "{close}");
    }
}

#[tokio::test]
async fn schema_and_server_refuse_the_same_messages() {
    let server = TestServer::start();
    for message in [
        json!({ "type": "dance" }),
        json!({ "symbols": ["F"] }),
        json!({ "type": "subscribe", "symbols": "F" }),
        json!({ "type": "subscribe", "since": "rubbish" }),
        json!({ "type": "subscribe", "max_rate": 1_001 }),
        json!({ "type": "subscribe", "mode": "some" }),
        json!({ "type": "subscribe", "policy": "none" }),
        json!({ "type": "unsubscribe" }),
        json!({ "type": "list", "id": "x".repeat(37) }),
        json!({ "type": "ping", "id": true }),
    ] {
        assert_ne!(
            faults(&component("Request"), &message),
            [""; 0],
            "{message}"
        );
        let mut client = WebSocket::open(server.address, "symbols=").await;
        client.send(Message::text(message.to_string())).await;
        client.next_of("error").await;
    }
}

/// Reads every kind of frame that a stream has without being slow, and holds each against its schema.
async fn frames_are_as_described<C: Client>(kinds: &[&str]) {
    let mut server = TestServer::with(Settings {
        heartbeat: Duration::from_millis(50),
        ..Settings::default()
    });
    let elsewhere = "since=zzzzzz-7&inspect=1&symbols=F";
    let mut client = C::open(server.address, elsewhere).await;
    server.publish(&["F"]);
    let mut missing: BTreeSet<_> = kinds.iter().copied().collect();
    while !missing.is_empty() {
        let frame = client.next().await.expect("another frame");
        assert_eq!(faults(&schema_of(&frame), &frame), [""; 0], "{frame}");
        missing.remove(frame["type"].as_str().unwrap());
        if missing.contains("ticks") {
            server.publish(&["F"]);
        }
    }
}

const ONE_WAY: [&str; 5] = ["welcome", "gap", "snapshot", "ticks", "heartbeat"];

#[tokio::test]
async fn websocket_frames_are_as_described() {
    frames_are_as_described::<WebSocket>(&ONE_WAY).await;
}

#[tokio::test]
async fn sse_frames_are_as_described() {
    frames_are_as_described::<Sse>(&ONE_WAY).await;
}

#[tokio::test]
async fn ndjson_frames_are_as_described() {
    frames_are_as_described::<Ndjson>(&ONE_WAY).await;
}

#[tokio::test]
async fn polls_are_answered_as_described() {
    frames_are_as_described::<LongPoll>(&["snapshot", "ticks"]).await;
}

#[tokio::test]
async fn answers_to_messages_are_as_described() {
    let server = TestServer::start();
    let mut client = WebSocket::open(server.address, "symbols=").await;
    for (message, answered) in [
        (
            json!({ "type": "subscribe", "id": 1, "symbols": ["F", "NOPE"] }),
            "subscribed",
        ),
        (json!({ "type": "ping", "id": "x" }), "pong"),
        (json!({ "type": "dance" }), "error"),
    ] {
        client.send(Message::text(message.to_string())).await;
        let answer = client.next_of(answered).await;
        assert_eq!(faults(&schema_of(&answer), &answer), [""; 0], "{answer}");
    }
}

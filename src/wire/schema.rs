//! The schemas of all messages, for `docs/openapi.json`. Structs that are written or read derive theirs, so that
//! neither can change alone; the rest is described here.

mod parts;
mod written;

use serde_json::{Value, json};
use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{Discriminator, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::api;
use super::error::ErrorCode;
use super::json::{Gap, LagJson, WelcomeJson};
use super::message::{Error, Id, Pong, Subscribe, Subscribed, Unsubscribe};
use super::report::Report;

use written::{Bars, Heartbeat, List, Ping, Snapshot, Ticks};

pub(super) use crate::market::Cursor;
pub(super) use parts::{
    Ages, ClockError, Close, Header, MaxRate, Micros, ProblemType, Protocol, Symbol, True,
};

/// A schema as JSON text has it.
pub(crate) fn read(schema: Value) -> RefOr<Schema> {
    serde_json::from_value(schema).expect("a schema")
}

/// What stands for a schema that has a name.
pub(crate) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Every schema by its name.
pub(crate) fn components() -> Vec<(String, RefOr<Schema>)> {
    let mut all = Components::default();
    all.add::<Close>();
    all.add::<ErrorCode>();
    all.add::<Bars>();
    all.add::<Report>();
    all.add::<api::Symbols<'static>>();
    all.add::<api::Time>();
    all.add::<api::Stats<'static>>();
    all.add::<api::Liveness>();
    all.add::<api::Ready<'static>>();
    all.add::<api::Problem<'static>>();
    let frames = [
        all.message::<WelcomeJson<'static>>("welcome"),
        all.message::<Subscribed<'static>>("subscribed"),
        all.message::<Snapshot>("snapshot"),
        all.message::<Ticks>("ticks"),
        all.message::<LagJson>("lag"),
        all.message::<Gap>("gap"),
        all.message::<Heartbeat>("heartbeat"),
        all.message::<Pong<'static>>("pong"),
        all.message::<Error<'static>>("error"),
    ];
    all.one_of("Frame", "What the server sends.", &frames);
    all.one_of(
        "PollAnswer",
        "What answers a poll.",
        &["Snapshot", "Ticks"].map(str::to_owned),
    );
    let requests = [
        all.request::<Subscribe>("subscribe"),
        all.request::<Unsubscribe>("unsubscribe"),
        all.request::<List>("list"),
        all.request::<Ping>("ping"),
    ];
    all.one_of(
        "Request",
        "What a client sends over a WebSocket.",
        &requests,
    );
    all.0
}

#[derive(Default)]
struct Components(Vec<(String, RefOr<Schema>)>);

impl Components {
    fn add<T: ToSchema>(&mut self) {
        T::schemas(&mut self.0);
        self.0.push((T::name().into_owned(), T::schema()));
    }

    /// Adds a message that its `type` tells from the others; returns its name.
    fn message<T: ToSchema>(&mut self, tag: &str) -> String {
        self.tagged::<T>(tag, ObjectBuilder::new())
    }

    /// Adds a message of clients, which may have an `id`.
    fn request<T: ToSchema>(&mut self, tag: &str) -> String {
        let id = Ref::from_schema_name(Id::name());
        self.tagged::<T>(tag, ObjectBuilder::new().property("id", id))
    }

    fn tagged<T: ToSchema>(&mut self, tag: &str, more: ObjectBuilder) -> String {
        T::schemas(&mut self.0);
        let fields = object::<T>();
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some([tag]));
        let mut message = ObjectBuilder::new()
            .property("type", text)
            .required("type")
            .build();
        message.properties.extend(more.build().properties);
        message.properties.extend(fields.properties);
        message.required.extend(fields.required);
        message.description = fields.description;
        let (first, rest) = tag.split_at(1);
        let name = first.to_uppercase() + rest;
        self.0.push((name.clone(), message.into()));
        name
    }

    fn one_of(&mut self, name: &str, description: &str, names: &[String]) {
        let any = names.iter().fold(OneOfBuilder::new(), |any, name| {
            any.item(Ref::from_schema_name(name))
        });
        let mut tag = Discriminator::new("type");
        tag.mapping = names
            .iter()
            .map(|name| (name.to_lowercase(), format!("#/components/schemas/{name}")))
            .collect();
        let any = any.description(Some(description)).discriminator(Some(tag));
        self.0
            .push((name.to_owned(), Schema::from(any.build()).into()));
    }
}

fn object<T: PartialSchema>() -> Object {
    match T::schema() {
        RefOr::T(Schema::Object(object)) => object,
        _ => panic!("{} is no object", std::any::type_name::<T>()),
    }
}

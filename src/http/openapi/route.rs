//! A route as its clients see it.

use actix_web::http::Method;
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{Content, Required, Response};

use crate::wire::error::ErrorCode;
use crate::wire::schema;

use super::answers::{problems, said};

pub(super) struct Route {
    pub(super) path: &'static str,
    pub(super) methods: &'static [Method],
    /// The operation's name, for generated clients.
    id: &'static str,
    summary: &'static str,
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    answers: Vec<(String, Response)>,
}

pub(super) fn route(
    methods: &'static [Method],
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Route {
    Route {
        path,
        methods,
        id,
        summary,
        parameters: Vec::new(),
        body: None,
        answers: Vec::new(),
    }
}

impl Route {
    pub(super) fn takes(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    pub(super) fn body(mut self, content_type: &str, content: Content) -> Self {
        let body = RequestBodyBuilder::new()
            .content(content_type, content)
            .required(Some(Required::True));
        self.body = Some(body.build());
        self
    }

    pub(super) fn answer(mut self, status: u16, response: ResponseBuilder) -> Self {
        self.answers.push((status.to_string(), response.build()));
        self
    }

    /// Answers 200 with JSON of this schema.
    pub(super) fn json(self, name: &str) -> Self {
        let schema = schema::reference(name);
        self.answer(200, said("Answered", "application/json", schema))
    }

    pub(super) fn problems(mut self, codes: &[ErrorCode]) -> Self {
        self.answers.extend(problems(codes));
        self
    }

    /// What it does for a method. HEAD is GET without the bodies.
    pub(super) fn operation(&self, method: &Method) -> Operation {
        let head = *method == Method::HEAD;
        let id = format!("{}{}", self.id, if head { "Head" } else { "" });
        let parameters = (!self.parameters.is_empty()).then(|| self.parameters.clone());
        let mut operation = OperationBuilder::new()
            .operation_id(Some(id))
            .summary(Some(self.summary))
            .parameters(parameters)
            .request_body(self.body.clone());
        for (status, mut response) in self.answers.iter().cloned() {
            if head {
                response.content.clear();
            }
            operation = operation.response(status, response);
        }
        operation.build()
    }
}

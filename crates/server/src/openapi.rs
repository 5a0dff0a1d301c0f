//! The OpenAPI document of the HTTP interface, put together by hand beside the routes of `http`, so that `visavis-wire` needs to know
//! nothing of OpenAPI. A test compares every schema with what its type really serialises to.

use utoipa::openapi::path::{HttpMethod, OperationBuilder, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ComponentsBuilder, ObjectBuilder, Ref, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, RefOr, ResponseBuilder, Schema};

const BEARER: &str = "bearer";

/// One line of the table of routes.
struct Route {
    method: HttpMethod,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    body: Option<&'static str>,
    status: &'static str,
    answer: Option<&'static str>,
    open: bool,
}

const fn get(path: &'static str, id: &'static str, summary: &'static str, answer: Option<&'static str>) -> Route {
    Route { method: HttpMethod::Get, path, id, summary, body: None, status: "200", answer, open: false }
}

const fn post(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    body: Option<&'static str>,
    answer: Option<&'static str>,
) -> Route {
    Route { method: HttpMethod::Post, path, id, summary, body, status: "200", answer, open: false }
}

const ROUTES: [Route; 30] = [
    Route { open: true, ..get("/v1/health", "health", "Whether the server is at work", Some("Health")) },
    Route {
        open: true,
        ..get(
            "/v1/ready",
            "ready",
            "Whether new people may be sent here; 503 while it drains, lacks its store, or its store has no room to write",
            None,
        )
    },
    Route { open: true, ..get("/v1/openapi.json", "openapi", "This document", None) },
    Route {
        open: true,
        ..get("/v1/configuration", "configuration", "What an app must know before it signs in", Some("Configuration"))
    },
    Route {
        open: true,
        ..post("/v1/sign-in", "startSignIn", "Begin a sign-in at the issuer", Some("SignInStart"), Some("SignInStarted"))
    },
    Route {
        open: true,
        ..post("/v1/sign-in/finish", "finishSignIn", "Turn the issuer's code into tokens", Some("SignInFinish"), Some("Tokens"))
    },
    Route {
        open: true,
        ..post("/v1/token", "refresh", "Turn a refresh token, once, into new tokens", Some("Refresh"), Some("Tokens"))
    },
    Route { status: "204", ..post("/v1/sign-out", "signOut", "Revoke all tokens of this sign-in", None, None) },
    get("/v1/me", "me", "Own name and profile", Some("Me")),
    Route {
        method: HttpMethod::Put,
        body: Some("Profile"),
        ..get("/v1/me/profile", "setProfile", "Replace the profile; age and sign are kept", Some("Me"))
    },
    get("/v1/me/card", "card", "Exactly what a match would see", Some("PeerCard")),
    get("/v1/me/picture", "picture", "Own picture, as a match would see it", Some("Picture")),
    Route {
        method: HttpMethod::Put,
        body: Some("NewPicture"),
        ..get("/v1/me/picture", "setPicture", "A JPEG or PNG file, of which a small JPEG is made", Some("Me"))
    },
    Route { method: HttpMethod::Delete, ..get("/v1/me/picture", "removePicture", "Take the picture away", Some("Me")) },
    get("/v1/matches/{match}/picture", "pictureInMatch", "The other's picture, where they share it", Some("Picture")),
    get("/v1/me/standing", "standing", "What moderators decided and is in force or unread", Some("Standing")),
    post("/v1/me/standing/{decision}/read", "readNotice", "A notice has been read", None, Some("Standing")),
    post("/v1/me/standing/{decision}/appeal", "appeal", "Ask for another look, once", Some("Appeal"), Some("Standing")),
    get("/v1/me/export", "export", "Everything that is held of the caller", Some("Export")),
    post("/v1/me/deletion", "offerDeletion", "First confirmation of a deletion", None, Some("DeletionOffer")),
    Route {
        method: HttpMethod::Delete,
        ..post("/v1/me", "delete", "Second confirmation; deletes the account", Some("Deletion"), Some("Deleted"))
    },
    post("/v1/reports", "report", "Report the other of one of the latest twenty sessions", Some("Report"), Some("Reported")),
    get("/v1/follows", "follows", "Mutual follows, newest first", Some("Follows")),
    Route {
        method: HttpMethod::Delete,
        status: "204",
        ..get("/v1/follows/{follow}", "unfollow", "End a follow and its conversation, for both", None)
    },
    Route { status: "204", ..post("/v1/follows/{follow}/block", "blockFollow", "Never meet this person again", None, None) },
    get("/v1/follows/{follow}/texts", "texts", "The conversation, which is read from then on", Some("Conversation")),
    post("/v1/follows/{follow}/texts", "write", "Write to somebody one follows", Some("NewText"), Some("Text")),
    get("/v1/history", "history", "The latest sessions, newest first", Some("History")),
    Route {
        status: "204",
        ..post("/v1/history/{match}/block", "blockSession", "Never meet the other of this session again", None, None)
    },
    Route { status: "101", ..get("/v1/socket", "socket", "WebSocket of waiting, matching and signalling", None) },
];

pub fn document() -> OpenApi {
    let mut paths = PathsBuilder::new();
    for route in &ROUTES {
        paths = paths.path(route.path, PathItem::new(route.method.clone(), operation(route)));
    }
    let mut components = ComponentsBuilder::new()
        .security_scheme(BEARER, SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()));
    for (name, schema) in schemas() {
        components = components.schema(name, schema);
    }
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Visavis").version(env!("CARGO_PKG_VERSION")).build())
        .paths(paths.build())
        .components(Some(components.build()))
        .build()
}

fn operation(route: &Route) -> OperationBuilder {
    let mut done = ResponseBuilder::new().description(match route.status {
        "204" => "Done",
        "101" => "The socket is open",
        _ => "The answer",
    });
    if let Some(answer) = route.answer {
        done = done.content("application/json", content(answer));
    }
    let refusal = ResponseBuilder::new().description("Refused").content("application/json", content("Refusal"));
    let mut operation = OperationBuilder::new()
        .operation_id(Some(route.id))
        .summary(Some(route.summary))
        .response(route.status, done.build())
        .response("default", refusal.build());
    if let Some(body) = route.body {
        operation = operation.request_body(Some(RequestBodyBuilder::new().content("application/json", content(body)).build()));
    }
    if !route.open {
        operation = operation.security(SecurityRequirement::new(BEARER, [] as [&str; 0]));
    }
    operation
}

fn content(schema: &str) -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build()
}

fn of(kind: Type) -> Schema {
    ObjectBuilder::new().schema_type(kind).build().into()
}

fn nullable(kind: Type) -> Schema {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([kind, Type::Null])).build().into()
}

fn texts() -> Schema {
    ArrayBuilder::new().items(RefOr::T(of(Type::String))).build().into()
}

/// All fields are required and no others are sent.
fn object<const N: usize>(fields: [(&str, RefOr<Schema>); N]) -> Schema {
    let mut object = ObjectBuilder::new().schema_type(Type::Object);
    for (name, schema) in fields {
        object = object.property(name, schema).required(name);
    }
    object.additional_properties(Some(AdditionalProperties::FreeForm(false))).build().into()
}

fn fact(value: Schema) -> RefOr<Schema> {
    RefOr::T(object([("value", RefOr::T(value)), ("shared", RefOr::T(of(Type::Boolean)))]))
}

fn schemas() -> Vec<(&'static str, Schema)> {
    let text = || RefOr::T(of(Type::String));
    let number = || RefOr::T(of(Type::Integer));
    let named = |name: &str| RefOr::Ref(Ref::from_schema_name(name));
    vec![
        ("Health", object([("status", text()), ("protocol", number())])),
        (
            "Configuration",
            object([("protocol", number()), ("moderation_key", RefOr::T(nullable(Type::String))), ("evidence_days", number())]),
        ),
        ("SignInStart", object([("redirect_uri", text()), ("code_challenge", text())])),
        ("SignInStarted", object([("authorization_url", text()), ("state", text()), ("expires_in_s", number())])),
        ("SignInFinish", object([("state", text()), ("code", text()), ("code_verifier", text())])),
        ("Refresh", object([("refresh_token", text())])),
        ("Tokens", object([("access_token", text()), ("expires_in_s", number()), ("refresh_token", text())])),
        ("Me", object([("username", text()), ("profile", named("Profile"))])),
        (
            "Profile",
            object([
                ("city", fact(of(Type::String))),
                ("languages", fact(texts())),
                ("interests", fact(texts())),
                ("games", fact(texts())),
                ("age", fact(nullable(Type::Integer))),
                ("sign", fact(nullable(Type::String))),
                ("picture", fact(of(Type::Boolean))),
            ]),
        ),
        (
            "PeerCard",
            object([
                ("city", RefOr::T(nullable(Type::String))),
                ("age", RefOr::T(nullable(Type::Integer))),
                ("sign", RefOr::T(nullable(Type::String))),
                ("languages", RefOr::T(texts())),
                ("interests", RefOr::T(texts())),
                ("games", RefOr::T(texts())),
                ("picture", RefOr::T(of(Type::Boolean))),
            ]),
        ),
        ("Picture", object([("jpeg", text())])),
        ("NewPicture", object([("file", text())])),
        ("Follows", object([("follows", RefOr::T(ArrayBuilder::new().items(named("Follow")).build().into()))])),
        ("Standing", object([("notices", RefOr::T(ArrayBuilder::new().items(named("StandingNotice")).build().into()))])),
        (
            "StandingNotice",
            object([
                ("decision", text()),
                ("what", text()),
                ("reason", text()),
                ("since", number()),
                ("until", RefOr::T(nullable(Type::Integer))),
                ("read", RefOr::T(of(Type::Boolean))),
                ("appeal", text()),
                ("answer", text()),
            ]),
        ),
        ("Appeal", object([("text", text())])),
        ("Export", object([("made_at", number()), ("about", text()), ("held", RefOr::T(of(Type::Object)))])),
        (
            "DeletionOffer",
            object([("confirmation", text()), ("expires_in_s", number()), ("held_until", RefOr::T(nullable(Type::Integer)))]),
        ),
        ("Deletion", object([("confirmation", text())])),
        ("Deleted", object([("held_until", RefOr::T(nullable(Type::Integer)))])),
        (
            "Report",
            object([
                ("match_id", text()),
                ("category", text()),
                ("text", text()),
                ("evidence", RefOr::T(nullable(Type::String))),
            ]),
        ),
        ("Reported", object([("decided_by", number())])),
        (
            "Follow",
            object([
                ("id", text()),
                ("username", text()),
                ("since", number()),
                ("online", RefOr::T(of(Type::Boolean))),
                ("unread", number()),
            ]),
        ),
        ("NewText", object([("text", text())])),
        ("Text", object([("number", number()), ("own", RefOr::T(of(Type::Boolean))), ("text", text()), ("sent_at", number())])),
        ("Conversation", object([("texts", RefOr::T(ArrayBuilder::new().items(named("Text")).build().into()))])),
        (
            "PastSession",
            object([
                ("match_id", text()),
                ("card", named("PeerCard")),
                ("began_at", number()),
                ("lasted_s", RefOr::T(nullable(Type::Integer))),
                ("ended", RefOr::T(nullable(Type::String))),
                ("blocked", RefOr::T(of(Type::Boolean))),
            ]),
        ),
        ("History", object([("sessions", RefOr::T(ArrayBuilder::new().items(named("PastSession")).build().into()))])),
        ("Refusal", object([("code", text()), ("message", text())])),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use visavis_wire::Private;
    use visavis_wire::friends::*;
    use visavis_wire::http::*;
    use visavis_wire::people::{NewPicture, PeerCard, Picture, Profile};
    use visavis_wire::safety::*;
    use visavis_wire::socket::MatchId;

    fn keys(value: &Value) -> BTreeSet<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    }

    #[test]
    fn every_schema_has_the_fields_of_its_type() {
        let text = || Private::new(String::from("x"));
        let notice = StandingNotice {
            decision: "x".into(),
            what: Measure::Ban,
            reason: text(),
            since: 1,
            until: None,
            read: false,
            appeal: AppealState::Open,
            answer: text(),
        };
        let id = FollowId(String::from("f"));
        let follow = Follow { id, username: text(), since: 1, online: true, unread: 2 };
        let words = Text { number: 1, own: true, text: text(), sent_at: 1 };
        let past = PastSession {
            match_id: MatchId(String::from("m")),
            card: PeerCard::default(),
            began_at: 1,
            lasted_s: None,
            ended: None,
            blocked: false,
        };
        let examples = [
            ("Configuration", json!(Configuration { protocol: 1, moderation_key: None, evidence_days: 30 })),
            ("SignInStart", json!(SignInStart { redirect_uri: "x".into(), code_challenge: "x".into() })),
            ("SignInStarted", json!(SignInStarted { authorization_url: "x".into(), state: text(), expires_in_s: 1 })),
            ("SignInFinish", json!(SignInFinish { state: text(), code: text(), code_verifier: text() })),
            ("Refresh", json!(Refresh { refresh_token: text() })),
            ("Tokens", json!(Tokens { access_token: text(), expires_in_s: 1, refresh_token: text() })),
            ("Me", json!(Me { username: text(), profile: Profile::default() })),
            ("Profile", json!(Profile::default())),
            ("PeerCard", json!(PeerCard::default())),
            ("Picture", json!(Picture { jpeg: text() })),
            ("NewPicture", json!(NewPicture { file: text() })),
            ("Follows", json!(Follows { follows: vec![follow.clone()] })),
            ("Follow", json!(follow)),
            ("Standing", json!(Standing { notices: vec![notice.clone()] })),
            ("StandingNotice", json!(notice)),
            ("Appeal", json!(Appeal { text: text() })),
            ("Export", json!({"made_at": 1, "about": "x", "held": {}})),
            ("DeletionOffer", json!(DeletionOffer { confirmation: text(), expires_in_s: 1, held_until: None })),
            ("Deletion", json!(Deletion { confirmation: text() })),
            ("Deleted", json!(Deleted { held_until: None })),
            ("Report", json!(Report { match_id: MatchId("x".into()), category: Category::Other, text: text(), evidence: None })),
            ("Reported", json!(Reported { decided_by: 1 })),
            ("NewText", json!(NewText { text: text() })),
            ("Text", json!(words)),
            ("Conversation", json!(Conversation { texts: vec![words.clone()] })),
            ("PastSession", json!(past)),
            ("History", json!(History { sessions: vec![past.clone()] })),
            ("Refusal", json!(crate::refusal::refusal(RefusalCode::Internal))),
        ];
        let document = json!(document());
        let schemas = &document["components"]["schemas"];
        for (name, example) in &examples {
            assert_eq!(keys(&schemas[name]["properties"]), keys(example), "{name}");
        }
        let described: BTreeSet<String> =
            examples.iter().map(|(name, _)| (*name).to_owned()).chain(["Health".to_owned()]).collect();
        assert_eq!(keys(schemas), described);
    }

    /// `METHOD path` of every route that `http` has.
    fn routes_of_the_server() -> BTreeSet<String> {
        let source = include_str!("http.rs");
        let table = source.split("pub fn router").nth(1).and_then(|rest| rest.split(".fallback").next()).unwrap();
        let mut routes = BTreeSet::new();
        for part in table.split(".route(").skip(1) {
            let path = part.split('"').nth(1).unwrap();
            // Only there with `--dev`, for tests of many people.
            if path.starts_with("/dev/") {
                continue;
            }
            for method in ["get", "post", "put", "delete"] {
                let called = part.split(&format!("{method}(")).next().filter(|before| before.len() < part.len());
                if called.is_some_and(|before| before.ends_with([' ', '.', '\n'])) {
                    routes.insert(format!("{method} {path}"));
                }
            }
        }
        routes
    }

    #[test]
    fn the_document_has_the_routes_of_the_server_and_no_others() {
        let document = json!(document());
        let paths = document["paths"].as_object().unwrap();
        let described: BTreeSet<String> =
            paths.iter().flat_map(|(path, item)| keys(item).into_iter().map(move |method| format!("{method} {path}"))).collect();
        let served = routes_of_the_server();
        assert!(served.len() > 10, "the table has been read: {served:?}");
        assert_eq!(described, served);
    }

    #[test]
    fn every_route_is_there_and_says_who_may_call() {
        let document = json!(document());
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(paths.values().map(|item| keys(item).len()).sum::<usize>(), ROUTES.len());
        assert!(document["paths"]["/v1/me"]["get"]["security"][0]["bearer"].is_array());
        assert!(document["paths"]["/v1/sign-in"]["post"]["security"].is_null());
        let body = &document["paths"]["/v1/me/profile"]["put"]["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(body, "#/components/schemas/Profile");
    }
}

//! Whether this node should be sent new people, as proxies and service managers ask it.

use super::App;
use crate::store::{Condition, Store};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Anybody may ask, and each look at the store is a write.
const HOLDS_FOR: Duration = Duration::from_secs(1);

/// How the store was when somebody last asked. Who asks at the same time waits for one answer.
#[derive(Default)]
pub struct Readiness(Mutex<Option<(Instant, Condition)>>);

impl Readiness {
    async fn of(&self, store: &dyn Store) -> Condition {
        let mut last = self.0.lock().await;
        if let Some((asked, condition)) = *last
            && asked.elapsed() < HOLDS_FOR
        {
            return condition;
        }
        let condition = store.condition().await;
        *last = Some((Instant::now(), condition));
        condition
    }
}

/// That the process is alive is said by `/v1/health`.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    let state = if app.draining.load(Ordering::Relaxed) {
        "draining"
    } else {
        match app.readiness.of(&*app.store).await {
            Condition::Well => "ready",
            Condition::NoRoom => "the database has no room to write",
            Condition::Away => "the database does not answer",
        }
    };
    let status = if state == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "status": state }))).into_response()
}

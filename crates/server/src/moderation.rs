//! What moderators do, and what becomes of it: the tasks that carry measures to whoever is connected and forget what has served,
//! the words of the command line and the page.

pub mod command;
pub mod page;

use crate::adult::{Date, date_of};
use crate::http::App;
use crate::metrics::kind;
use crate::store::safety::Bar;
use std::sync::Weak;
use std::time::Duration;
use visavis_wire::http::RefusalCode;

/// How soon a measure reaches every node.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const FORGET_EVERY: Duration = Duration::from_secs(3600);

pub fn code(bar: Bar) -> RefusalCode {
    match bar {
        Bar::Paused { .. } => RefusalCode::Paused,
        Bar::Banned => RefusalCode::Banned,
        Bar::Leaving => RefusalCode::Leaving,
    }
}

/// Measures are made by other processes too: by the command line, and by other nodes. Ends with the server.
pub async fn carry_out_measures(app: Weak<App>) {
    let mut seen = None;
    let mut ended_since = None;
    loop {
        let Some(app) = app.upgrade() else { return };
        let now = crate::random::unix_seconds();
        let tokens_last = i64::try_from(app.access.lasts().as_secs()).unwrap_or(i64::MAX);
        // A clock that was set back since the latest look: what ended meanwhile lies before that.
        app.look_for_ended_sign_ins(ended_since.unwrap_or(now.saturating_sub(tokens_last)).min(now)).await;
        ended_since = Some(now);
        let found = match seen {
            // Those from before this process are seen by whoever joins.
            None => app.store.audit_head().await.map(|(seq, _)| (seq, Vec::new())),
            Some(seen) => app.store.measures_since(seen).await,
        };
        match found {
            Ok((newest, about)) => {
                seen = Some(newest);
                for account in about {
                    app.bar(account).await;
                }
            }
            Err(error) => tracing::warn!(%error, "new measures could not be read"),
        }
        if let Ok(queue) = app.store.queue(crate::random::unix_seconds()).await {
            let counts = [
                ("reports", queue.reports),
                ("late_reports", queue.late_reports),
                ("appeals", queue.appeals),
                ("late_appeals", queue.late_appeals),
            ];
            for (name, count) in counts {
                app.metrics.moderation.get_or_create(&kind(name)).set(count);
            }
        }
        drop(app);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The janitor. Every node runs one; what is gone cannot go twice.
pub async fn forget(app: Weak<App>) {
    loop {
        let Some(app) = app.upgrade() else { return };
        match app.store.forget(&app.retention, app.hand("janitor")).await {
            Ok(forgotten) => {
                for (name, rows) in forgotten {
                    app.metrics.forgotten.get_or_create(&kind(name)).inc_by(rows);
                }
            }
            Err(error) => tracing::error!(%error, "what has served could not be forgotten"),
        }
        drop(app);
        tokio::time::sleep(FORGET_EVERY).await;
    }
}

/// `2026-11-25 14:03` in UTC.
pub fn time_of(unix: i64) -> String {
    let Date { year, month, day } = date_of(unix);
    let seconds = unix.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", seconds / 3600, seconds / 60 % 60)
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_read_as_utc() {
        for (unix, text) in [(0, "1970-01-01 00:00"), (951_782_399, "2000-02-28 23:59"), (951_782_400, "2000-02-29 00:00")] {
            assert_eq!(super::time_of(unix), text);
        }
        assert_eq!(super::time_of(1_800_000_000), "2027-01-15 08:00");
    }
}

//! What the room of one pool wants written, in its order, one transaction after another; pairs that come together are committed
//! together. While the engine is away it waits and asks again: a commit may be asked again, and the room hears nothing until it
//! is answered.

use super::{AGAIN_AFTER, Event, report};
use crate::node::packet::Pool;
use crate::node::{Input, leads};
use crate::random;
use crate::room::{self, Output};
use crate::store::{Committed, Fence, MatchWrite, RunningMatch, Store, StoreError, StoreResult};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Pairs in one transaction. The lease is locked for as long, and signs of life wait.
const PAIRS: usize = 60;
/// At the end of a process, for an engine that is away.
const FINISH_WITHIN: Duration = Duration::from_secs(2);

macro_rules! until_done {
    ($work:expr, $question:expr) => {
        loop {
            let answer = $question.await;
            if let Some(done) = $work.judge(answer).await {
                break done;
            }
        }
    };
}

pub struct Writer {
    outputs: mpsc::UnboundedSender<Output>,
    task: JoinHandle<()>,
}

impl Writer {
    pub(super) fn start(pool: Pool, store: Arc<dyn Store>, answers: mpsc::Sender<Event>) -> Self {
        let (outputs, inbox) = mpsc::unbounded_channel();
        let fence = Fence { lease: leads::pool_lease(&pool.name), number: pool.fence };
        Self { outputs, task: tokio::spawn(Work { pool, fence, store, answers, retrying: false }.run(inbox)) }
    }

    pub fn write(&self, output: Output) {
        // The task ends after this sender alone.
        let _ = self.outputs.send(output);
    }

    /// Writes what is left.
    pub async fn finish(self) {
        drop(self.outputs);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(FINISH_WITHIN, self.task).await.is_err() {
            tracing::error!("the store is away; what the room decided last is not written");
            abort.abort();
        }
    }
}

struct Work {
    pool: Pool,
    fence: Fence,
    store: Arc<dyn Store>,
    answers: mpsc::Sender<Event>,
    /// Complained already.
    retrying: bool,
}

impl Work {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Output>) {
        let mut waiting = Vec::new();
        while inbox.recv_many(&mut waiting, PAIRS).await > 0 {
            // A pair is committed before anything else is said of it, in an earlier round; what ended frees people for new pairs.
            let (mut pairs, mut writes) = (Vec::new(), Vec::new());
            for output in waiting.drain(..) {
                match output {
                    Output::Commit { pair } => pairs.push(pair),
                    Output::Began { running } => writes.push(MatchWrite::Began(running)),
                    Output::Ended { match_id, how } => writes.push(MatchWrite::Ended(match_id, how)),
                    Output::Withdrawn { match_id } => writes.push(MatchWrite::Withdrawn(match_id)),
                    Output::Parted(outcome) => writes.push(MatchWrite::Parted(outcome)),
                    Output::Learnt(model) => writes.push(MatchWrite::Learnt(model)),
                    other => self.write(other).await,
                }
            }
            self.write_matches(writes).await;
            self.commit(pairs).await;
        }
    }

    async fn write_matches(&mut self, writes: Vec<MatchWrite>) {
        if writes.is_empty() {
            return;
        }
        let (store, fence) = (Arc::clone(&self.store), self.fence.clone());
        let written = until_done!(self, store.write_matches(&fence, &writes, random::unix_seconds()));
        if written == Some(false) {
            self.answer(Input::Fenced { pool: self.pool.clone() }).await;
            return;
        }
        // What can never be written does not keep the two waiting.
        for write in writes {
            if let MatchWrite::Began(running) = write {
                let input = room::Input::Begun { match_id: running.id };
                self.answer(Input::Room { pool: self.pool.clone(), input }).await;
            }
        }
    }

    async fn commit(&mut self, pairs: Vec<RunningMatch>) {
        if pairs.is_empty() {
            return;
        }
        let (store, fence) = (Arc::clone(&self.store), self.fence.clone());
        let outcomes = until_done!(self, store.commit_matches(&fence, &pairs, random::unix_seconds()));
        let Some(outcomes) = outcomes else { return };
        if outcomes.contains(&Committed::Fenced) {
            self.answer(Input::Fenced { pool: self.pool.clone() }).await;
            return;
        }
        for (pair, outcome) in pairs.into_iter().zip(outcomes) {
            let input = room::Input::Committed { match_id: pair.id, allowed: outcome == Committed::Done };
            self.answer(Input::Room { pool: self.pool.clone(), input }).await;
        }
    }

    async fn write(&mut self, output: Output) {
        let store = Arc::clone(&self.store);
        let now = random::unix_seconds();
        match output {
            Output::LogSight(fact) => {
                let _: Option<()> = until_done!(self, store.log_sight(&fact, now));
            }
            Output::StoreFollow { match_id, a, b } => {
                let stored = until_done!(self, store.add_follow(a, b, now)).is_some();
                let input = room::Input::FollowStored { match_id, stored };
                self.answer(Input::Room { pool: self.pool.clone(), input }).await;
            }
            // Not for the store, asked beside it, or written with others.
            _ => {}
        }
    }

    /// Outer `None`: ask again. Inner: the store holds something that makes this impossible for ever.
    async fn judge<T>(&mut self, answer: StoreResult<T>) -> Option<Option<T>> {
        match answer {
            Ok(done) => {
                if std::mem::take(&mut self.retrying) {
                    tracing::info!(pool = self.pool.name, "the store takes writes again");
                }
                Some(Some(done))
            }
            Err(StoreError::Engine(error)) if !is_final(&error) => {
                if !std::mem::replace(&mut self.retrying, true) {
                    tracing::error!(%error, pool = self.pool.name, "the store takes no writes; they wait");
                }
                tokio::time::sleep(AGAIN_AFTER).await;
                None
            }
            Err(error) => {
                report::<StoreError>("what a room decided", Err(error));
                Some(None)
            }
        }
    }

    async fn answer(&self, input: Input) {
        // The node may have ended meanwhile.
        let _ = self.answers.send(Event::Input(Box::new(input))).await;
    }
}

/// Asking again cannot help: an account that is gone, a value that does not fit.
fn is_final(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.is_foreign_key_violation() || error.is_unique_violation() || error.is_check_violation()
        }
        _ => false,
    }
}

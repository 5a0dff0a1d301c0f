//! A whole evening of two sessions in this process against the real server: real sockets on loopback, the embedded relay,
//! no window.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use visavis_media::camera::CameraSource;
use visavis_rehearsal::stage::Stage;
use visavis_rehearsal::{bot, browser};
use visavis_session::view::{CallView, FollowState, Page, RevealState, VeilReason, View};
use visavis_session::{Command, Event, Session, ShownPicture};
use visavis_wire::channel::{Seen, Shows};
use visavis_wire::paper::Point;
use visavis_wire::people::Reason;

const PATIENCE: Duration = Duration::from_secs(30);

struct Person {
    session: Session,
    events: UnboundedReceiver<Event>,
    view: Option<View>,
    items: Vec<visavis_canvas::Item>,
    identity: &'static str,
}

impl Person {
    fn arrive(stage: &Stage, identity: &'static str, camera: CameraSource) -> Self {
        let config = bot::config(&stage.url, identity, stage.profile_folder(identity), camera);
        let (session, events) = Session::start(config);
        Self { session, events, view: None, items: Vec::new(), identity }
    }

    /// Takes events in until the newest view satisfies `wanted`; panics with what was last seen when it takes too long.
    async fn until(&mut self, what: &str, mut wanted: impl FnMut(&View, usize) -> bool) -> View {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // What came meanwhile counts: an old view says nothing of now.
            while let Ok(event) = self.events.try_recv() {
                self.take(event).await;
            }
            let strokes = visavis_canvas::shown(&self.items).count();
            if let Some(view) = self.view.as_ref().filter(|view| wanted(view, strokes)) {
                return view.clone();
            }
            let event = match tokio::time::timeout_at(deadline, self.events.recv()).await {
                Ok(Some(event)) => event,
                Ok(None) => panic!("{}: the session ended while waiting for {what}", self.identity),
                Err(_) => panic!("{}: waited for {what}, last seen {:?}", self.identity, self.view),
            };
            self.take(event).await;
        }
    }

    async fn take(&mut self, event: Event) {
        match event {
            Event::View { view } => self.view = Some(*view),
            Event::Paper { items, .. } => self.items = items,
            Event::PaperChange { changes } => visavis_canvas::apply(&mut self.items, changes),
            Event::OpenBrowser { url } => {
                browser::sign_in(&url, self.identity).await.expect("the issuer serves this identity");
            }
            _ => {}
        }
    }

    async fn page(&mut self, name: &str) -> View {
        self.until(name, |view, _| bot::name_of(&view.page) == name).await
    }

    async fn call(&mut self, what: &str, mut wanted: impl FnMut(&CallView) -> bool) -> CallView {
        let view = self.until(what, |view, _| matches!(&view.page, Page::Call(call) if wanted(call))).await;
        match view.page {
            Page::Call(call) => *call,
            other => panic!("not in a call: {other:?}"),
        }
    }

    async fn reach_mirror(&mut self) {
        self.page("welcome").await;
        self.session.command(Command::SignIn);
        self.page("mirror").await;
    }

    /// Waits for a picture of the peer that satisfies `wanted`, judged by its pixels.
    async fn sees(&mut self, what: &str, mut wanted: impl FnMut(&ShownPicture) -> bool) {
        let pictures = self.session.peer_pictures();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if pictures.try_take().is_some_and(|shown| wanted(&shown)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{}: waited for a picture with {what}", self.identity);
    }

    /// Every picture of the peer that comes `during` that time satisfies `wanted`, and some come.
    async fn sees_only(&mut self, what: &str, during: Duration, mut wanted: impl FnMut(&ShownPicture) -> bool) {
        let pictures = self.session.peer_pictures();
        let deadline = Instant::now() + during;
        let mut seen = 0;
        while Instant::now() < deadline {
            if let Some(shown) = pictures.try_take() {
                seen += 1;
                assert!(wanted(&shown), "{}: picture {seen} is not {what}", self.identity);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(seen > 3, "{}: {seen} pictures in {during:?}", self.identity);
    }
}

fn is_mosaic(shown: &ShownPicture) -> bool {
    bot::detail(&shown.frame) < bot::MOSAIC
}

fn number(shown: &ShownPicture) -> Option<u32> {
    visavis_media::marker::read(&shown.frame)
}

/// Two people with different cameras, so that pixels tell whose picture it is.
fn arrive_two(stage: &Stage) -> (Person, Person) {
    let face = CameraSource::Face { name: String::from("bao") };
    (Person::arrive(stage, "ada", CameraSource::Pattern), Person::arrive(stage, "bao", face))
}

/// Mean luma of each block of a 16 x 8 grid under the strip with the frame number.
fn shades(shown: &ShownPicture) -> Vec<f64> {
    let frame = &shown.frame;
    let top = frame.height / 9;
    let part = |at: usize, of: usize, length: usize| length * at / of..length * (at + 1) / of;
    let mut shades = Vec::new();
    for row in 0..8 {
        for column in 0..16 {
            let (rows, columns) = (part(row, 8, frame.height - top), part(column, 16, frame.width));
            let count = rows.len() * columns.len();
            let lines = rows.map(|y| (top + y) * frame.width);
            let sum: u64 = lines.flat_map(|line| columns.clone().map(move |x| line + x)).map(|at| u64::from(frame.y()[at])).sum();
            shades.push(sum as f64 / count as f64);
        }
    }
    shades
}

fn distance(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| (one - other).abs()).sum::<f64>() / one.len() as f64
}

/// What `viewer` is shown of the peer has to be by far nearer to what `peer` is shown of itself than to its own.
async fn sees_the_camera_of(viewer: &Person, peer: &Person) {
    let deadline = Instant::now() + PATIENCE;
    let mailboxes = [viewer.session.peer_pictures(), peer.session.own_pictures(), viewer.session.own_pictures()];
    let mut newest = [const { None }; 3];
    let mut distances = (f64::NAN, f64::NAN);
    while Instant::now() < deadline {
        for (newest, mailbox) in newest.iter_mut().zip(&mailboxes) {
            if let Some(picture) = mailbox.try_take() {
                *newest = Some(shades(&picture));
            }
        }
        if let [Some(shown), Some(theirs), Some(own)] = &newest {
            distances = (distance(shown, theirs), distance(shown, own));
            if distances.0 * 2.0 < distances.1 {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!(
        "{}: the peer's picture is not {}'s, distances to theirs and to one's own {distances:?}",
        viewer.identity, peer.identity
    );
}

async fn meet(a: &mut Person, b: &mut Person) {
    a.reach_mirror().await;
    b.reach_mirror().await;
    a.session.command(Command::Meet);
    a.page("waiting").await;
    b.session.command(Command::Meet);
    let offered = a.page("match").await;
    let Page::Match { reasons, card, .. } = offered.page else { panic!("no match page") };
    assert!(reasons.iter().any(|reason| matches!(reason, Reason::SameCity { .. } | Reason::BothLike { .. })), "{reasons:?}");
    assert!(card.city.is_some() || !card.interests.is_empty(), "the card shows what the other chose to show");
    b.page("match").await;
    a.session.command(Command::AnswerMatch { meet: true });
    b.session.command(Command::AnswerMatch { meet: true });
    a.page("call").await;
    b.page("call").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_evening_for_two() {
    let stage = Stage::start().await.unwrap();
    let (mut a, mut b) = arrive_two(&stage);
    meet(&mut a, &mut b).await;

    // Both begin veiled, and the pictures move: two different readable frame numbers.
    let mut first = None;
    a.sees("moving, veiled frames", |shown| match (number(shown), first) {
        (Some(now), Some(before)) => is_mosaic(shown) && now != before,
        (now, None) => {
            first = now;
            false
        }
        _ => false,
    })
    .await;

    sees_the_camera_of(&a, &b).await;
    sees_the_camera_of(&b, &a).await;

    // Reveal is blind: one yes changes nothing for the other.
    a.call("a clear camera", |call| call.peer_looks == Seen::Clear).await;
    a.session.command(Command::Reveal { yes: true });
    a.call("own yes", |call| call.reveal == RevealState::YouSaidYes).await;
    b.sees_only("a mosaic", Duration::from_secs(1), is_mosaic).await;
    let both_veiled = |call: &CallView| call.they_see == Shows::Veiled && call.you_see == Shows::Veiled;
    a.call("nothing but the own yes", |call| call.reveal == RevealState::YouSaidYes && both_veiled(call)).await;
    b.call("nothing of the other's yes", |call| call.reveal == RevealState::NotAsked && both_veiled(call)).await;
    b.session.command(Command::Reveal { yes: true });
    a.call("both clear", |call| call.they_see == Shows::Clear && call.you_see == Shows::Clear).await;
    b.call("both clear", |call| call.they_see == Shows::Clear && call.you_see == Shows::Clear).await;
    a.sees("clear pixels", |shown| !is_mosaic(shown) && number(shown).is_some()).await;
    b.sees("clear pixels", |shown| !is_mosaic(shown) && number(shown).is_some()).await;

    // A covers its camera: B warns, B's own picture is a mosaic again in what A decodes, A is told.
    a.session.command(Command::RehearseCamera { modifier: String::from("covered") });
    let call = b.call("a warning", |call| call.warn_peer && call.they_see == Shows::Veiled).await;
    assert_ne!(call.peer_looks, Seen::Clear);
    assert_eq!(call.veil_reason, Some(VeilReason::PeerNotClear));
    a.sees("the mosaic of B", is_mosaic).await;
    a.call("to be told kindly", |call| matches!(call.own_looks_to_peer, Seen::Covered | Seen::Dark)).await;
    a.session.command(Command::RehearseCamera { modifier: String::from("none") });
    a.call("clear again", |call| call.they_see == Shows::Clear && call.you_see == Shows::Clear).await;
    b.call("clear again", |call| call.they_see == Shows::Clear && call.you_see == Shows::Clear && !call.warn_peer).await;
    a.sees("clear pixels again", |shown| !is_mosaic(shown)).await;

    // A stroke crosses; undo takes it back on both sides.
    let points = (0..40).map(|i| Point { x: 2000 + i * 100, y: 3000, pressure: 128 }).collect();
    a.session.command(Command::DrawPoints { id: 1, colour: Some(0x20_20_20), size: 60, fades: false, points });
    a.session.command(Command::DrawEnd { id: 1 });
    b.until("the stroke", |_, strokes| strokes == 1).await;
    a.session.command(Command::Undo);
    b.until("the stroke to be gone", |_, strokes| strokes == 0).await;
    a.session.command(Command::Redo);
    b.until("the stroke to be back", |_, strokes| strokes == 1).await;
    b.session.command(Command::ClearPaper);
    a.until("a clear paper", |_, strokes| strokes == 0).await;

    // Parting.
    a.session.command(Command::Leave);
    a.page("parting").await;
    b.page("parting").await;
    a.session.command(Command::AnswerFollow { yes: true });
    b.session.command(Command::AnswerFollow { yes: true });
    for person in [&mut a, &mut b] {
        person.until("a mutual follow", |view, _| matches!(view.page, Page::Parting { follow: FollowState::Mutual, .. })).await;
        person.session.command(Command::OpenFriends);
        person.until("the friend", |view, _| matches!(&view.page, Page::Friends { follows, .. } if follows.len() == 1)).await;
    }
    let _keep = Arc::new(stage);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_peer_that_vanishes_does_not_leave_a_stuck_page() {
    let stage = Stage::start().await.unwrap();
    let (mut a, mut b) = arrive_two(&stage);
    meet(&mut a, &mut b).await;
    for person in [&mut a, &mut b] {
        person.call("connected", |call| call.connection == visavis_session::view::Connection::Connected).await;
    }
    drop(b);
    a.until("the parting page", |view, _| matches!(view.page, Page::Parting { .. })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_tester_and_one_bot_are_an_evening() {
    let stage = Stage::start().await.unwrap();
    let (sender, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let config = bot::config(&stage.url, "bao", stage.profile_folder("bot"), CameraSource::Face { name: String::from("bot") });
    let manner = bot::Manner {
        identity: String::from("bao"),
        meet: true,
        reveal: true,
        follow: true,
        draw: true,
        play: false,
        leave_after: None,
        camera: Vec::new(),
        flood: false,
        meetings: Some(1),
    };
    let bot = tokio::spawn(bot::run(config, manner, sender));
    let mut tester = Person::arrive(&stage, "ada", CameraSource::Pattern);
    tester.reach_mirror().await;
    tester.session.command(Command::Meet);
    tester.page("match").await;
    tester.session.command(Command::AnswerMatch { meet: true });
    tester.page("call").await;
    tester.session.command(Command::Reveal { yes: true });
    tester.call("the bot's face", |call| call.you_see == Shows::Clear).await;
    tester.until("the bot's house", |_, strokes| strokes == 5).await;
    tester.session.command(Command::Leave);
    tester.session.command(Command::AnswerFollow { yes: true });
    tester.until("a mutual follow", |view, _| matches!(view.page, Page::Parting { follow: FollowState::Mutual, .. })).await;
    tokio::time::timeout(PATIENCE, bot).await.unwrap().unwrap();
    let mut seen = Vec::new();
    while let Ok(report) = reports.try_recv() {
        seen.push(serde_json::to_string(&report).unwrap());
    }
    assert!(seen.iter().any(|line| line.contains("\"mutual\"")), "{seen:?}");
    assert!(seen.iter().any(|line| line.contains("\"pictures\"") && !line.contains("\"number\":null")), "{seen:?}");
}

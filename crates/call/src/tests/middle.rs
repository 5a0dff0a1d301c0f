//! The server that listens in: it hands each side a description with a fingerprint of its own and speaks DTLS with both. Two
//! connections of the library play it, so nothing of the handshakes is made up.

use super::*;
use crate::comparison::{Exchange, Pictures};
use crate::connection::{Connection, certificates};
use visavis_wire::channel::Comparison;

/// One end of the middle: towards the offerer it answers, towards the answerer it offers.
struct End {
    role: Role,
    connection: Connection,
    negotiator: Negotiator,
    inputs: mpsc::UnboundedReceiver<Input>,
    heard: mpsc::UnboundedReceiver<Comparison>,
}

impl End {
    async fn new(role: Role, clock: Clock) -> Self {
        let (put, inputs) = mpsc::unbounded_channel();
        let sources = Sources { video: 1, audio: 2 };
        let config = config(role, clock);
        let connection = connect(&config, sources, &Shared::new(&config, sources), Taps::default(), put.clone()).await.unwrap();
        let (tell, heard) = mpsc::unbounded_channel();
        for (channel, wire) in &connection.channels {
            let (channel, wire, put, tell) = (*channel, Arc::clone(wire), put.clone(), tell.clone());
            tokio::spawn(async move {
                while let Some(event) = wire.poll().await {
                    match event {
                        DataChannelEvent::OnOpen => drop(put.send(Input::ChannelOpen(channel))),
                        DataChannelEvent::OnMessage(message) if channel == Channel::Control => {
                            if let Ok(Control::Comparison(said)) = Control::from_bytes(&message.data) {
                                let _ = tell.send(said);
                            }
                        }
                        _ => {}
                    }
                }
            });
        }
        let negotiator = Negotiator::new(Arc::clone(&connection.peer), role, Policy::Any, connection.cookies.clone());
        Self { role, connection, negotiator, inputs, heard }
    }

    async fn say(&self, message: Comparison) {
        let (_, wire) = &self.connection.channels[0];
        wire.send(Control::Comparison(message).to_bytes().as_slice().into()).await.unwrap();
    }

    /// Connects with one honest side and leaves its later events in the queue.
    async fn meet(&mut self, side: &mut Side) {
        if self.role == Role::Offerer {
            let offer = self.negotiator.offer(false).await.unwrap().unwrap();
            side.0.command(Command::Signal(offer));
        }
        let meet = async {
            let mut open = 0;
            while open < Channel::ALL.len() {
                tokio::select! {
                    event = side.1.recv() => match event.unwrap() {
                        Event::Signal(signal) => {
                            if let Some(answer) = self.negotiator.take(signal).await.unwrap() {
                                side.0.command(Command::Signal(answer));
                            }
                        }
                        Event::Failed(why) => panic!("{why}"),
                        _ => {}
                    },
                    input = self.inputs.recv() => match input.unwrap() {
                        Input::LocalCandidate(Some(line)) => {
                            let candidate = Some(Private::new(line));
                            let signal = Signal::Candidate { candidate, sdp_mid: None, sdp_m_line_index: Some(0) };
                            side.0.command(Command::Signal(signal));
                        }
                        Input::ChannelOpen(_) => open += 1,
                        _ => {}
                    },
                }
            }
        };
        timeout(PATIENCE, meet).await.unwrap();
    }

    /// Takes part with a number of its own, as an honest side would.
    async fn take_part(&mut self) {
        let (own, peer) = certificates(&*self.connection.peer).await.unwrap();
        let (mut exchange, first) = Exchange::begin(self.role, own, peer, rand::random());
        if let Some(first) = first {
            self.say(first).await;
        }
        loop {
            let said = self.hears(exchange.unanswered()).await;
            let step = exchange.take(&said).unwrap();
            if let Some(answer) = step.send {
                self.say(answer).await;
            }
            if step.pictures.is_some() {
                return;
            }
        }
    }

    /// The next message of the other side; what is to be answered by it is said again until it comes.
    async fn hears(&mut self, unanswered: Option<Comparison>) -> Comparison {
        for _ in 0..PATIENCE.as_millis() / 300 {
            if let Ok(said) = timeout(Duration::from_millis(300), self.heard.recv()).await {
                return said.unwrap();
            }
            if let Some(again) = &unanswered {
                self.say(again.clone()).await;
            }
        }
        panic!("no answer");
    }
}

async fn between() -> (Side, Side, End, End) {
    let clock = Clock::start();
    let mut ada = Call::start(config(Role::Offerer, clock));
    let mut bao = Call::start(config(Role::Answerer, clock));
    let mut to_ada = End::new(Role::Answerer, clock).await;
    let mut to_bao = End::new(Role::Offerer, clock).await;
    to_ada.meet(&mut ada).await;
    to_bao.meet(&mut bao).await;
    (ada, bao, to_ada, to_bao)
}

async fn pictures(side: &mut Side) -> Pictures {
    let seen = async {
        loop {
            match side.1.recv().await.unwrap() {
                Event::Pictures(pictures) => return pictures,
                Event::Tampered => panic!("noticed by the program"),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, seen).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_are_alone_see_the_same_pictures_and_keep_them_over_a_restart() {
    let clock = Clock::start();
    let (mut a, mut b) = (Call::start(config(Role::Offerer, clock)), Call::start(config(Role::Answerer, clock)));
    let mut seen = [None, None];
    let mut restarted = false;
    let mut seconds = 0;
    let both = async {
        // Some seconds after the restart: a second exchange would have been told by then.
        while seconds < 4 {
            let (event, from, to) = tokio::select! {
                event = a.1.recv() => (event, 0, &b.0),
                event = b.1.recv() => (event, 1, &a.0),
            };
            match event.unwrap() {
                Event::Signal(signal) => to.command(Command::Signal(signal)),
                Event::Pictures(pictures) => assert_eq!(seen[from].replace(pictures), None, "told once"),
                Event::Failed(why) => panic!("{why}"),
                Event::Tampered => panic!("nobody is between"),
                Event::Statistics(_) if restarted => seconds += 1,
                _ => {}
            }
            if seen.iter().all(Option::is_some) && !restarted {
                restarted = true;
                a.0.command(Command::Restart);
            }
        }
    };
    timeout(PATIENCE, both).await.unwrap();
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_middle_that_takes_part_on_both_sides_shows_in_the_pictures() {
    let (mut ada, mut bao, mut to_ada, mut to_bao) = between().await;
    tokio::join!(to_ada.take_part(), to_bao.take_part());
    let (at_ada, at_bao) = (pictures(&mut ada).await, pictures(&mut bao).await);
    // Equal by chance in one of 2^24 runs.
    assert_ne!(at_ada, at_bao);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_middle_that_passes_the_messages_on_ends_the_call() {
    let (mut ada, mut bao, mut to_ada, mut to_bao) = between().await;
    let pass_on = async {
        loop {
            tokio::select! {
                said = to_ada.heard.recv() => to_bao.say(said.unwrap()).await,
                said = to_bao.heard.recv() => to_ada.say(said.unwrap()).await,
            }
        }
    };
    let noticed = async {
        loop {
            match bao.1.recv().await.unwrap() {
                Event::Tampered => return,
                Event::Pictures(_) => panic!("pictures in spite of the middle"),
                _ => {}
            }
        }
    };
    tokio::select! {
        () = pass_on => {}
        ended = timeout(PATIENCE, noticed) => ended.unwrap(),
    }
    assert!(bao.1.recv().await.is_none(), "nothing comes after it");
    drop(ada.1.recv().await);
}

/// A peer that committed to one number and opens another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_commitment_ends_the_call() {
    let clock = Clock::start();
    let mut bao = Call::start(config(Role::Answerer, clock));
    let mut liar = End::new(Role::Offerer, clock).await;
    liar.meet(&mut bao).await;
    let (own, peer) = certificates(&*liar.connection.peer).await.unwrap();
    let (_, commitment) = Exchange::begin(Role::Offerer, own, peer, [1; 32]);
    assert!(matches!(liar.hears(commitment).await, Comparison::Number(_)));
    liar.say(Comparison::Opening([2; 32])).await;
    let noticed = async { while !matches!(bao.1.recv().await.unwrap(), Event::Tampered) {} };
    timeout(PATIENCE, noticed).await.unwrap();
}

//! One direction of talk in order and without gaps to another node, over a bus that loses, repeats, delays and reorders.
//!
//! Packets are numbered within a stream; what is not acknowledged in time is sent again from the first one missing. Numbering
//! begins anew, in a higher stream, when the other node is a new process or when too much is waiting for it: both sides then know
//! that something was lost ([`Heard::anew`]) and say everything again that still holds. Pure; time is an argument.

use super::packet::{self, FRAME_BYTES, Frame, Header, Packet};
use std::collections::VecDeque;

const AGAIN_AFTER_MS: u64 = 300;
/// Sent and not acknowledged, at most.
const WINDOW: u64 = 2_000;
/// Waiting for another node, at most.
const QUEUE: usize = 100_000;

/// The first stream of a process: `life` is the fence of its node's lease, so that a later process has higher ones.
pub fn first_stream(life: i64) -> u64 {
    (life.unsigned_abs() << 24) | 1
}

fn life_of(stream: u64) -> u64 {
    stream >> 24
}

#[derive(Debug)]
pub struct Link {
    stream: u64,
    /// Number of the first in the queue.
    base: u64,
    queue: VecDeque<String>,
    /// Sent at least once: all before this number.
    sent: u64,
    /// When the first that waits for an acknowledgement was last sent, or something was acknowledged.
    moved_ms: u64,
    heard: u64,
    next: u64,
    owes: bool,
}

/// What a frame brought.
#[derive(Debug, Default, PartialEq)]
pub struct Heard {
    pub packets: Vec<Packet>,
    /// What went before, in either direction, may be lost: everything that holds has to be said again.
    pub anew: bool,
}

impl Link {
    pub fn new(stream: u64) -> Self {
        Self { stream, base: 0, queue: VecDeque::new(), sent: 0, moved_ms: 0, heard: 0, next: 0, owes: false }
    }

    /// False: too much was waiting, all of it is forgotten, this packet too.
    #[must_use]
    pub fn say(&mut self, packet: &Packet) -> bool {
        if self.queue.len() >= QUEUE {
            self.begin_anew();
            return false;
        }
        // A packet too long to travel cannot come about: messages are limited where they come in.
        self.queue.extend(packet::line(packet));
        true
    }

    /// Whatever waits is forgotten, and the other hears that it was.
    pub fn begin_anew(&mut self) {
        self.stream += 1;
        self.base = 0;
        self.sent = 0;
        self.queue.clear();
    }

    /// What the other has not acknowledged, for somebody else to hear.
    pub fn unheard(&self) -> impl Iterator<Item = Packet> {
        self.queue.iter().filter_map(|line| packet::packet(line))
    }

    pub fn hear(&mut self, now_ms: u64, frame: Frame) -> Heard {
        let Frame { header, packets } = frame;
        let mut heard = Heard::default();
        if header.stream < self.heard {
            return heard;
        }
        if header.stream > self.heard {
            heard.anew = self.heard != 0;
            if life_of(header.stream) > life_of(self.heard) && self.heard != 0 {
                self.begin_anew();
            }
            (self.heard, self.next) = (header.stream, 0);
        }
        if header.heard == self.stream && header.next > self.base {
            let done = (header.next - self.base).min(self.queue.len() as u64);
            self.queue.drain(..done as usize);
            self.base += done;
            self.sent = self.sent.max(self.base);
            self.moved_ms = now_ms;
        }
        if !packets.is_empty() {
            self.owes = true;
        }
        if header.first <= self.next {
            let known = self.next - header.first;
            if known < packets.len() as u64 {
                heard.packets.extend(packets.into_iter().skip(known as usize));
                self.next += heard.packets.len() as u64;
            }
        }
        heard
    }

    /// The frames to send now. `beat`: at least one, even if there is nothing to say.
    pub fn frames(&mut self, now_ms: u64, from: &str, beat: bool) -> Vec<Vec<u8>> {
        if self.sent > self.base && now_ms >= self.moved_ms + AGAIN_AFTER_MS {
            self.sent = self.base;
        }
        let mut frames = Vec::new();
        loop {
            let first = self.sent;
            let fits = (self.base + self.queue.len() as u64).min(self.base + WINDOW);
            let (mut bytes, mut until) = (0, first);
            while until < fits {
                bytes += self.queue[(until - self.base) as usize].len() + 1;
                if bytes > FRAME_BYTES && until > first {
                    break;
                }
                until += 1;
            }
            if until == first && !(frames.is_empty() && (beat || self.owes)) {
                return frames;
            }
            let header = Header { from: from.to_owned(), stream: self.stream, first, heard: self.heard, next: self.next };
            let lines = self.queue.range((first - self.base) as usize..(until - self.base) as usize);
            frames.push(packet::encode(&header, lines.map(String::as_str)));
            // What follows the first that waits must not put off sending that again.
            if until > first && first == self.base {
                self.moved_ms = now_ms;
            }
            self.owes = false;
            self.sent = until;
            if until == fits {
                return frames;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::packet::Pool;
    use crate::testnet::{Faults, Net};
    use proptest::prelude::*;

    fn numbered(number: u64) -> Packet {
        Packet::Leads { pool: Pool { name: "x".repeat((number % 90) as usize), fence: number as i64 } }
    }

    fn number(packet: &Packet) -> i64 {
        let Packet::Leads { pool } = packet else { panic!("{packet:?}") };
        pool.fence
    }

    /// Both talk over a bad network until it has calmed down; what each heard.
    fn talk(seed: u64, faults: Faults, count: u64) -> [Vec<i64>; 2] {
        let mut net = Net::new(seed, faults);
        let mut ends = [Link::new(first_stream(1)), Link::new(first_stream(7))];
        let mut heard = [vec![], vec![]];
        let mut now = 0;
        let mut said = 0;
        while now < 60_000 && (said < count || heard.iter().any(|heard| heard.len() < count as usize)) {
            now += 20;
            if now == 20_000 {
                net.calm();
            }
            if said < count {
                assert!(ends[0].say(&numbered(said)) && ends[1].say(&numbered(said)));
                said += 1;
            }
            for at in 0..2 {
                let names = ["n0", "n1"];
                for frame in ends[at].frames(now, names[at], false) {
                    net.send(now, names[1 - at], frame);
                }
            }
            for (to, bytes) in net.due(now) {
                let at = usize::from(to == "n1");
                let news = ends[at].hear(now, packet::decode(&bytes).unwrap());
                assert!(!news.anew);
                heard[at].extend(news.packets.iter().map(number));
            }
        }
        heard
    }

    #[test]
    fn what_is_lost_is_sent_again_while_more_is_said_all_the_time() {
        let mut ends = [Link::new(first_stream(1)), Link::new(first_stream(7))];
        let mut heard = 0;
        for said in 0..100 {
            let now = said * 20;
            assert!(ends[0].say(&numbered(said)));
            let frames = ends[0].frames(now, "n0", false);
            // The first frame is lost.
            for frame in frames.iter().filter(|_| said > 0) {
                heard += ends[1].hear(now, packet::decode(frame).unwrap()).packets.len();
            }
            for frame in ends[1].frames(now, "n1", false) {
                assert!(ends[0].hear(now, packet::decode(&frame).unwrap()).packets.is_empty());
            }
            assert!(now <= AGAIN_AFTER_MS || heard as u64 == said + 1, "{heard} of {} after {now} ms", said + 1);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn everything_comes_once_and_in_order(seed: u64, lose in 0u32..60, twice in 0u32..60, late in 1u64..900) {
            let faults = Faults { lose_percent: lose, twice_percent: twice, late_ms: late };
            let wanted: Vec<i64> = (0..300).collect();
            prop_assert_eq!(talk(seed, faults, 300), [wanted.clone(), wanted]);
        }
    }

    fn pass(now: u64, from: &mut Link, to: &mut Link) -> Heard {
        let mut all = Heard::default();
        for frame in from.frames(now, "x", true) {
            let heard = to.hear(now, packet::decode(&frame).unwrap());
            all.packets.extend(heard.packets);
            all.anew |= heard.anew;
        }
        all
    }

    #[test]
    fn a_new_process_is_noticed_by_the_other_and_old_frames_of_it_are_not_heard() {
        let (mut one, mut two) = (Link::new(first_stream(1)), Link::new(first_stream(1)));
        assert!(one.say(&numbered(1)) && two.say(&numbered(1)));
        assert_eq!(pass(0, &mut one, &mut two).packets.len(), 1);
        assert_eq!(pass(0, &mut two, &mut one).packets.len(), 1);
        let late = one.frames(0, "x", true).pop().unwrap();

        let mut one = Link::new(first_stream(2));
        assert!(two.say(&numbered(2)));
        assert_eq!(pass(10, &mut two, &mut one).packets.len(), 0, "meant for the old process");
        assert!(one.say(&numbered(5)));
        let heard = pass(20, &mut one, &mut two);
        assert!(heard.anew && heard.packets == [numbered(5)]);
        assert!(two.say(&numbered(6)));
        let heard = pass(30, &mut two, &mut one);
        assert!(heard.anew && heard.packets == [numbered(6)]);
        assert_eq!(two.hear(40, packet::decode(&late).unwrap()), Heard::default());
    }

    #[test]
    fn too_much_that_waits_is_forgotten_and_the_other_hears_of_it() {
        let (mut one, mut two) = (Link::new(first_stream(1)), Link::new(first_stream(1)));
        assert!(one.say(&numbered(0)));
        pass(0, &mut one, &mut two);
        for number in 0..QUEUE as u64 - 1 {
            assert!(one.say(&numbered(number)));
        }
        assert!(!one.say(&numbered(1)));
        assert!(one.say(&numbered(2)));
        let heard = pass(10, &mut one, &mut two);
        assert!(heard.anew && heard.packets == [numbered(2)]);
    }
}

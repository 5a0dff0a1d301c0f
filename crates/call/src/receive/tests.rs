//! The assembler over networks that lose, reorder and repeat.

use super::*;
use crate::video::Packetiser;
use proptest::prelude::*;
use visavis_media::codec::EncodedPicture;

fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

/// A picture that looks like one of its codec to the payload reader and names itself.
fn picture(codec: Codec, number: usize, key: bool, bytes: usize) -> EncodedPicture {
    let mut data = vec![number as u8; bytes.max(16)];
    match codec {
        Codec::Vp8 => data[..6].copy_from_slice(&[u8::from(!key), 0, 0, 0x9d, 0x01, 0x2a]),
        Codec::Vp9 => data[..4].copy_from_slice(&[if key { 0x82 } else { 0x86 }, 0x49, 0x83, 0x42]),
    }
    // Not the index of a superframe.
    data.push(0);
    data[10..12].copy_from_slice(&(number as u16).to_be_bytes());
    EncodedPicture { codec, data, key, width: 640, height: 360 }
}

fn number_of(data: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([data[10], data[11]]))
}

fn push(assembler: &mut Assembler, packet: &rtp::Packet, now: Duration) {
    let codec = if packet.header.payload_type == 98 { Codec::Vp9 } else { Codec::Vp8 };
    assembler.push(codec, packet, now);
}

fn drain(assembler: &mut Assembler, now: Duration) -> Vec<Step> {
    std::iter::from_fn(|| assembler.poll(now)).collect()
}

fn decoded(steps: Vec<Step>) -> Vec<Vec<u8>> {
    steps.into_iter().filter_map(|step| if let Step::Decode(picture) = step { Some(picture.data) } else { None }).collect()
}

/// Pictures, each with its packets; the first of every `key_every` is a key frame.
fn stream(sizes: &[usize], key_every: usize, first: u16) -> Vec<(Vec<u8>, Vec<rtp::Packet>)> {
    let mut packetiser = Packetiser::new(1, first, 77);
    sizes
        .iter()
        .enumerate()
        .map(|(number, size)| {
            // The codec changes with every other key frame.
            let codec = if (number / key_every).is_multiple_of(2) { Codec::Vp8 } else { Codec::Vp9 };
            let picture = picture(codec, number, number.is_multiple_of(key_every), *size);
            let payload_type = if codec == Codec::Vp9 { 98 } else { 96 };
            let packets = packetiser.picture(&picture, payload_type, ms(33 * number as u64), false);
            (picture.data, packets)
        })
        .collect()
}

#[test]
fn pictures_come_out_as_they_went_in() {
    let mut assembler = Assembler::new();
    for (data, packets) in stream(&[5000, 300, 1200, 20], 100, 65_530) {
        let steps: Vec<Step> = packets
            .iter()
            .flat_map(|packet| {
                push(&mut assembler, packet, ms(0));
                drain(&mut assembler, ms(0))
            })
            .collect();
        assert_eq!(decoded(steps), [data]);
    }
}

#[test]
fn a_late_packet_is_waited_for_and_nothing_is_shown_before_it() {
    let pictures = stream(&[5000, 3000, 800, 800], 100, 10);
    let mut assembler = Assembler::new();
    pictures[0].1.iter().for_each(|packet| push(&mut assembler, packet, ms(0)));
    assert_eq!(decoded(drain(&mut assembler, ms(0))).len(), 1);
    let late = &pictures[1].1[1];
    pictures[1]
        .1
        .iter()
        .filter(|packet| packet.header.sequence_number != late.header.sequence_number)
        .for_each(|packet| push(&mut assembler, packet, ms(33)));
    assert_eq!(drain(&mut assembler, ms(33)), []);
    assert_eq!(assembler.deadline(), Some(ms(38)));
    assert_eq!(drain(&mut assembler, ms(38)), [Step::AskAgain(vec![late.header.sequence_number])]);
    pictures[2].1.iter().for_each(|packet| push(&mut assembler, packet, ms(66)));
    assert_eq!(drain(&mut assembler, ms(66)), []);
    push(&mut assembler, late, ms(100));
    let Some(Step::Decode(first)) = assembler.poll(ms(100)) else { panic!("the picture is whole") };
    assert_eq!((&first.data, first.arrived, first.held), (&pictures[1].0, ms(100), ms(67)));
    assert_eq!(decoded(drain(&mut assembler, ms(100))), [pictures[2].0.clone()]);
}

#[test]
fn a_lost_packet_leads_to_a_request_and_the_key_frame_ends_the_wait() {
    let pictures = stream(&[900, 900, 900, 4000, 900], 3, 10);
    let mut assembler = Assembler::new();
    push(&mut assembler, &pictures[0].1[0], ms(0));
    drain(&mut assembler, ms(0));
    push(&mut assembler, &pictures[2].1[0], ms(70));
    let (mut repairs, mut keys) = (Vec::new(), Vec::new());
    let mut now = ms(70);
    while keys.len() < 2 {
        for step in drain(&mut assembler, now) {
            match step {
                Step::AskAgain(numbers) => repairs.push((now, numbers)),
                Step::AskForKeyFrame => keys.push(now),
                Step::Decode(_) => panic!("its reference is missing"),
            }
        }
        now = assembler.deadline().unwrap().max(now + ms(1));
    }
    assert!(repairs.len() >= 3 && repairs.iter().all(|(_, numbers)| *numbers == [11]), "{repairs:?}");
    assert!(repairs[2].0 < keys[0], "repairs are tried first: {repairs:?} {keys:?}");
    assert!(keys[0] < ms(70 + 500) && keys[1] - keys[0] >= ms(300), "{keys:?}");
    pictures[3].1.iter().for_each(|packet| push(&mut assembler, packet, now));
    assert_eq!(decoded(drain(&mut assembler, now)), [pictures[3].0.clone()]);
    push(&mut assembler, &pictures[1].1[0], now);
    push(&mut assembler, &pictures[4].1[0], now);
    assert_eq!(decoded(drain(&mut assembler, now)), [pictures[4].0.clone()], "the lost picture comes too late");
    assert_eq!(assembler.counts().surplus, 1);
}

#[test]
fn after_a_long_gap_a_key_frame_is_asked_for_at_once() {
    let pictures = stream(&[900; 60], 100, 10);
    let mut assembler = Assembler::new();
    push(&mut assembler, &pictures[0].1[0], ms(0));
    drain(&mut assembler, ms(0));
    push(&mut assembler, &pictures[50].1[0], ms(1700));
    assert_eq!(drain(&mut assembler, ms(1700)), [Step::AskForKeyFrame]);
    push(&mut assembler, &pictures[52].1[0], ms(1766));
    assert_eq!(drain(&mut assembler, ms(1772)), [Step::AskAgain(vec![61])], "this may be part of the key frame");
}

#[test]
fn what_comes_before_a_key_frame_is_not_asked_for() {
    let pictures = stream(&[900, 900, 5000, 900], 2, 10);
    let mut assembler = Assembler::new();
    push(&mut assembler, &pictures[0].1[0], ms(0));
    drain(&mut assembler, ms(0));
    push(&mut assembler, &pictures[2].1[0], ms(66));
    push(&mut assembler, &pictures[2].1[2], ms(66));
    assert_eq!(drain(&mut assembler, ms(72)), [Step::AskAgain(vec![13])]);
}

#[test]
fn after_a_broken_picture_only_a_key_frame_helps() {
    let pictures = stream(&[900, 900, 900, 900], 3, 10);
    let mut assembler = Assembler::new();
    push(&mut assembler, &pictures[0].1[0], ms(0));
    assert_eq!(drain(&mut assembler, ms(0)).len(), 1);
    assembler.broken();
    push(&mut assembler, &pictures[1].1[0], ms(33));
    assert_eq!(drain(&mut assembler, ms(33)), [Step::AskForKeyFrame]);
    push(&mut assembler, &pictures[3].1[0], ms(99));
    assert_eq!(decoded(drain(&mut assembler, ms(99))), [pictures[3].0.clone()]);
}

#[test]
fn an_opener_is_no_picture_and_no_gap() {
    let mut packetiser = Packetiser::new(1, 5, 0);
    let opener = packetiser.opener(96, ms(0));
    let picture = picture(Codec::Vp8, 0, true, 2000);
    let mut assembler = Assembler::new();
    push(&mut assembler, &opener, ms(0));
    packetiser.picture(&picture, 96, ms(0), false).iter().for_each(|packet| push(&mut assembler, packet, ms(1)));
    assert_eq!(decoded(drain(&mut assembler, ms(1))), [picture.data]);
}

/// What happens to one packet: lost for good, repeated, how many places later it comes.
#[derive(Clone, Debug)]
struct Fate {
    lost: bool,
    twice: bool,
    late: usize,
}

fn fate() -> impl Strategy<Value = Fate> {
    (prop::bool::weighted(0.1), prop::bool::weighted(0.1), prop_oneof![3 => Just(0usize), 1 => 0usize..12])
        .prop_map(|(lost, twice, late)| Fate { lost, twice, late })
}

proptest! {
    /// Whatever the network does, every picture given out is whole, its order is the order of sending, and a picture that is
    /// not a key frame comes directly after the one it builds upon. What is asked for again is missing, and comes when answered.
    #[test]
    fn only_whole_pictures_in_an_unbroken_row(
        sizes in prop::collection::vec(10usize..6000, 1..40),
        key_every in 3usize..12,
        first in any::<u16>(),
        fates in prop::collection::vec(fate(), 64),
        answered in any::<bool>(),
    ) {
        let pictures = stream(&sizes, key_every, first);
        let packets: Vec<&rtp::Packet> = pictures.iter().flat_map(|(_, packets)| packets).collect();
        // Places in time of 5 ms.
        let mut arrivals: BTreeMap<usize, Vec<&rtp::Packet>> = BTreeMap::new();
        for (place, packet) in packets.iter().enumerate() {
            let fate = &fates[place % fates.len()];
            if !fate.lost {
                arrivals.entry(place + fate.late).or_default().push(packet);
            }
            if fate.twice {
                arrivals.entry(place + fate.late + 3).or_default().push(packet);
            }
        }
        let mut assembler = Assembler::new();
        let mut last: Option<usize> = None;
        let mut seen = std::collections::HashSet::new();
        for place in 0..packets.len() + 120 {
            let now = ms(place as u64 * 5);
            for packet in arrivals.remove(&place).unwrap_or_default() {
                seen.insert(packet.header.sequence_number);
                push(&mut assembler, packet, now);
            }
            for step in drain(&mut assembler, now) {
                match step {
                    Step::Decode(Picture { codec, data, key, .. }) => {
                        let number = number_of(&data);
                        prop_assert_eq!(&data, &pictures[number].0, "picture {} is not whole", number);
                        prop_assert_eq!(key, number.is_multiple_of(key_every));
                        prop_assert_eq!(codec == Codec::Vp9, number / key_every % 2 == 1);
                        prop_assert!(last.is_none_or(|last| number > last));
                        prop_assert!(key || last == Some(number - 1), "picture {} after {:?}", number, last);
                        last = Some(number);
                    }
                    Step::AskAgain(numbers) => {
                        prop_assert!(numbers.iter().all(|number| !seen.contains(number)));
                        let asked = packets.iter().filter(|packet| numbers.contains(&packet.header.sequence_number));
                        if answered {
                            arrivals.entry(place + 8).or_default().extend(asked);
                        }
                    }
                    Step::AskForKeyFrame => {}
                }
            }
        }
        // Of what was lost at the very end nobody knows.
        let end_came = packets.last().is_some_and(|packet| seen.contains(&packet.header.sequence_number));
        if answered && end_came && last.is_some() {
            prop_assert_eq!(last, pictures.len().checked_sub(1), "with every request answered, all come");
        }
    }

    #[test]
    fn any_packets_are_survived_in_bounded_memory(
        packets in prop::collection::vec((any::<u16>(), any::<u32>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..40), any::<bool>()), 0..3000),
    ) {
        let mut assembler = Assembler::new();
        for (time, (sequence_number, timestamp, marker, payload, vp9)) in packets.into_iter().enumerate() {
            let header = rtp::Header { sequence_number, timestamp, marker, ..rtp::Header::default() };
            let packet = rtp::Packet { header, payload: Bytes::from(payload) };
            assembler.push(if vp9 { Codec::Vp9 } else { Codec::Vp8 }, &packet, ms(time as u64));
            drain(&mut assembler, ms(time as u64));
            prop_assert!(assembler.pieces.len() <= PACKETS);
            prop_assert!(assembler.repair.len() <= REPAIRED_LIMIT);
        }
    }
}

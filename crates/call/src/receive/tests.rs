//! The assembler over networks that lose, reorder and repeat.

use super::*;
use crate::video::Packetiser;
use proptest::prelude::*;
use rtc::rtp;

fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

/// A picture that looks like VP8 to the payload reader and names itself.
fn picture(number: usize, key: bool, bytes: usize) -> Vec<u8> {
    let mut data = vec![number as u8; bytes.max(8)];
    data[0] = u8::from(!key);
    data[3..6].copy_from_slice(&[0x9d, 0x01, 0x2a]);
    data[6..8].copy_from_slice(&(number as u16).to_be_bytes());
    data
}

fn push(assembler: &mut Assembler, packet: &rtp::Packet) {
    assembler.push(packet.header.sequence_number, packet.header.timestamp, packet.header.marker, &packet.payload);
}

fn drain(assembler: &mut Assembler, now: Duration) -> Vec<Step> {
    std::iter::from_fn(|| assembler.poll(now)).collect()
}

fn decoded(steps: &[Step]) -> Vec<Vec<u8>> {
    steps.iter().filter_map(|step| if let Step::Decode { data, .. } = step { Some(data.clone()) } else { None }).collect()
}

/// Pictures, each with its packets; the first of every `key_every` is a key frame.
fn stream(sizes: &[usize], key_every: usize, first: u16) -> Vec<(Vec<u8>, Vec<rtp::Packet>)> {
    let mut packetiser = Packetiser::new(1, first, 77);
    sizes
        .iter()
        .enumerate()
        .map(|(number, size)| {
            let data = picture(number, number % key_every == 0, *size);
            (data.clone(), packetiser.picture(data, ms(33 * number as u64)))
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
                push(&mut assembler, packet);
                drain(&mut assembler, ms(0))
            })
            .collect();
        assert_eq!(decoded(&steps), [data]);
    }
}

#[test]
fn a_late_packet_is_waited_for_and_nothing_is_shown_before_it() {
    let pictures = stream(&[5000, 3000, 800, 800], 100, 10);
    let mut assembler = Assembler::new();
    pictures[0].1.iter().for_each(|packet| push(&mut assembler, packet));
    assert_eq!(decoded(&drain(&mut assembler, ms(0))).len(), 1);
    let late = &pictures[1].1[1];
    pictures[1]
        .1
        .iter()
        .filter(|packet| packet.header.sequence_number != late.header.sequence_number)
        .for_each(|packet| push(&mut assembler, packet));
    pictures[2].1.iter().for_each(|packet| push(&mut assembler, packet));
    assert_eq!(drain(&mut assembler, ms(33)), []);
    assert!(assembler.deadline().is_some());
    push(&mut assembler, late);
    assert_eq!(decoded(&drain(&mut assembler, ms(100))), [pictures[1].0.clone(), pictures[2].0.clone()]);
}

#[test]
fn a_lost_packet_leads_to_a_request_and_the_key_frame_ends_the_wait() {
    let pictures = stream(&[900, 900, 900, 4000, 900], 3, 10);
    let mut assembler = Assembler::new();
    push(&mut assembler, &pictures[0].1[0]);
    drain(&mut assembler, ms(0));
    push(&mut assembler, &pictures[2].1[0]);
    assert_eq!(drain(&mut assembler, ms(70)), []);
    let due = assembler.deadline().unwrap();
    assert_eq!(drain(&mut assembler, due), [Step::AskForKeyFrame]);
    assert_eq!(drain(&mut assembler, due + ms(100)), [], "requests are rate limited");
    assert_eq!(drain(&mut assembler, due + ms(300)), [Step::AskForKeyFrame]);
    pictures[3].1.iter().for_each(|packet| push(&mut assembler, packet));
    assert_eq!(decoded(&drain(&mut assembler, due + ms(350))), [pictures[3].0.clone()]);
    push(&mut assembler, &pictures[1].1[0]);
    push(&mut assembler, &pictures[4].1[0]);
    assert_eq!(decoded(&drain(&mut assembler, due + ms(360))), [pictures[4].0.clone()], "the lost picture comes too late");
}

#[test]
fn after_a_broken_picture_only_a_key_frame_helps() {
    let pictures = stream(&[900, 900, 900, 900], 3, 10);
    let mut assembler = Assembler::new();
    push(&mut assembler, &pictures[0].1[0]);
    assert_eq!(drain(&mut assembler, ms(0)).len(), 1);
    assembler.broken();
    push(&mut assembler, &pictures[1].1[0]);
    assert_eq!(decoded(&drain(&mut assembler, ms(33))), Vec::<Vec<u8>>::new());
    push(&mut assembler, &pictures[3].1[0]);
    assert_eq!(decoded(&drain(&mut assembler, ms(99))), [pictures[3].0.clone()]);
}

#[test]
fn an_opener_is_no_picture_and_no_gap() {
    let mut packetiser = Packetiser::new(1, 5, 0);
    let opener = packetiser.opener(ms(0));
    let data = picture(0, true, 2000);
    let mut assembler = Assembler::new();
    push(&mut assembler, &opener);
    packetiser.picture(data.clone(), ms(0)).iter().for_each(|packet| push(&mut assembler, packet));
    assert_eq!(decoded(&drain(&mut assembler, ms(1))), [data]);
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
    /// not a key frame comes directly after the one it builds upon.
    #[test]
    fn only_whole_pictures_in_an_unbroken_row(
        sizes in prop::collection::vec(10usize..6000, 1..40),
        key_every in 3usize..12,
        first in any::<u16>(),
        fates in prop::collection::vec(fate(), 64),
    ) {
        let pictures = stream(&sizes, key_every, first);
        let mut arrivals: Vec<(usize, &rtp::Packet)> = Vec::new();
        for (place, packet) in pictures.iter().flat_map(|(_, packets)| packets).enumerate() {
            let fate = &fates[place % fates.len()];
            if !fate.lost {
                arrivals.push((place + fate.late, packet));
            }
            if fate.twice {
                arrivals.push((place + fate.late + 3, packet));
            }
        }
        arrivals.sort_by_key(|(place, _)| *place);
        let mut assembler = Assembler::new();
        let mut last: Option<usize> = None;
        for (place, packet) in arrivals {
            push(&mut assembler, packet);
            for data in decoded(&drain(&mut assembler, ms(place as u64 * 5))) {
                let number = usize::from(u16::from_be_bytes([data[6], data[7]]));
                prop_assert_eq!(&data, &pictures[number].0, "picture {} is not whole", number);
                let key = number % key_every == 0;
                prop_assert!(last.is_none_or(|last| number > last));
                prop_assert!(key || last == Some(number - 1), "picture {} after {:?}", number, last);
                last = Some(number);
            }
        }
    }

    #[test]
    fn any_packets_are_survived_in_bounded_memory(
        packets in prop::collection::vec((any::<u16>(), any::<u32>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 0..3000),
    ) {
        let mut assembler = Assembler::new();
        for (time, (sequence, timestamp, marker, payload)) in packets.into_iter().enumerate() {
            assembler.push(sequence, timestamp, marker, &Bytes::from(payload));
            drain(&mut assembler, ms(time as u64));
            prop_assert!(assembler.pieces.len() <= PACKETS);
        }
    }
}

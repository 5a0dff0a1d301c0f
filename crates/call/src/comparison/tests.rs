//! The exchange between honest sides, and with somebody in between who holds a certificate of its own towards each.

use super::*;
use proptest::prelude::*;

const ADA: Fingerprint = Fingerprint([1; 32]);
const BAO: Fingerprint = Fingerprint([2; 32]);
/// What the middle shows to Ada, and to Bao.
const TO_ADA: Fingerprint = Fingerprint([3; 32]);
const TO_BAO: Fingerprint = Fingerprint([4; 32]);

fn number(seed: u64) -> Number {
    hash(b"number of a test", [ADA, BAO], &[&Sha256::digest(seed.to_be_bytes()).into()])
}

fn offerer(peer: Fingerprint, seed: u64) -> (Exchange, Comparison) {
    let (exchange, message) = Exchange::begin(Role::Offerer, ADA, peer, number(seed));
    (exchange, message.unwrap())
}

fn answerer(peer: Fingerprint, seed: u64) -> Exchange {
    Exchange::begin(Role::Answerer, BAO, peer, number(seed)).0
}

/// Passes messages on unchanged until somebody has no more to say.
fn exchange(ada: (Exchange, Comparison), mut bao: Exchange) -> Result<(Option<Pictures>, Option<Pictures>), Tampered> {
    let (mut ada, first) = ada;
    let number = bao.take(&first)?.send.unwrap();
    let at_ada = ada.take(&number)?;
    let at_bao = bao.take(&at_ada.send.unwrap())?;
    Ok((at_ada.pictures, at_bao.pictures))
}

/// Somebody in between who takes part on both sides with numbers of its own, and begins with the given side: what Ada and Bao see.
fn middle(ada_first: bool, seeds: [u64; 4]) -> (Pictures, Pictures) {
    let (mut ada, commitment) = offerer(TO_ADA, seeds[0]);
    let mut bao = answerer(TO_BAO, seeds[1]);
    let (mut as_bao, _) = Exchange::begin(Role::Answerer, TO_ADA, ADA, number(seeds[2]));
    let (mut as_ada, own) = Exchange::begin(Role::Offerer, TO_BAO, BAO, number(seeds[3]));
    let towards_ada = |as_bao: &mut Exchange, ada: &mut Exchange| {
        let number = as_bao.take(&commitment).unwrap().send.unwrap();
        ada.take(&number).unwrap().pictures.unwrap()
    };
    let towards_bao = |as_ada: &mut Exchange, bao: &mut Exchange| {
        let number = bao.take(own.as_ref().unwrap()).unwrap().send.unwrap();
        let opening = as_ada.take(&number).unwrap().send.unwrap();
        bao.take(&opening).unwrap().pictures.unwrap()
    };
    if ada_first {
        let at_ada = towards_ada(&mut as_bao, &mut ada);
        (at_ada, towards_bao(&mut as_ada, &mut bao))
    } else {
        let at_bao = towards_bao(&mut as_ada, &mut bao);
        (towards_ada(&mut as_bao, &mut ada), at_bao)
    }
}

#[test]
fn pictures_keep_their_numbers() {
    // Two versions of the app must agree; the figures come from another implementation of SHA-256.
    assert_eq!(pictures([ADA, BAO], &[5; 32], &[6; 32]), [45, 7, 56, 42]);
    assert_eq!(commitment([ADA, BAO], &[5; 32])[..4], [227, 117, 119, 178]);
}

#[test]
fn a_fingerprint_is_read_back() {
    let text = |fingerprint: Fingerprint, upper: bool| {
        let pairs: Vec<String> = fingerprint.0.iter().map(|byte| format!("{byte:02x}")).collect();
        if upper { pairs.join(":").to_uppercase() } else { pairs.join(":") }
    };
    let some = Fingerprint::of(b"certificate");
    assert!(Fingerprint::read(&text(some, false)) == Some(some) && Fingerprint::read(&text(some, true)) == Some(some));
    for wrong in ["", "aa", &text(some, false)[1..], &format!("{}:00", text(some, false)), &text(some, false).replace(':', " ")] {
        assert!(Fingerprint::read(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn a_number_other_than_the_one_committed_to_is_noticed() {
    let (_, commitment) = offerer(BAO, 1);
    let mut bao = answerer(ADA, 2);
    bao.take(&commitment).unwrap();
    assert_eq!(bao.take(&Comparison::Opening(number(3))), Err(Tampered));
    let mut bao = answerer(ADA, 2);
    bao.take(&commitment).unwrap();
    assert!(bao.take(&Comparison::Opening(number(1))).unwrap().pictures.is_some(), "the right one is taken");
}

#[test]
fn what_is_said_twice_changes_nothing() {
    let (mut ada, commitment) = offerer(BAO, 1);
    let mut bao = answerer(ADA, 2);
    let first = bao.take(&commitment).unwrap();
    assert_eq!(ada.unanswered(), Some(commitment.clone()));
    assert_eq!(bao.take(&commitment), Ok(first.clone()));
    let step = ada.take(first.send.as_ref().unwrap()).unwrap();
    assert_eq!(ada.take(first.send.as_ref().unwrap()), Ok(Step::default()));
    assert_eq!(ada.unanswered(), None);
    assert_eq!(bao.take(step.send.as_ref().unwrap()).unwrap().pictures, step.pictures);
    assert_eq!(bao.take(&commitment), Err(Tampered), "the exchange is over");
}

#[test]
fn messages_out_of_turn_are_refused() {
    let some = [7; 32];
    let all = [Comparison::Commitment(some), Comparison::Number(some), Comparison::Opening(some)];
    let (fresh, _) = offerer(BAO, 1);
    for (mut side, expected) in [(fresh, 1), (answerer(ADA, 2), 0)] {
        for (at, message) in all.iter().enumerate().filter(|(at, _)| *at != expected) {
            assert_eq!(side.take(message), Err(Tampered), "{at}");
        }
        assert!(side.take(&all[expected]).is_ok());
        let other = [Comparison::Commitment([8; 32]), Comparison::Number([8; 32])];
        assert_eq!(side.take(&other[expected]), Err(Tampered), "another one is no repetition");
    }
}

#[test]
fn the_middles_chance_is_as_small_as_it_is_said_to_be() {
    // Of the single pictures one in 64 agrees by chance; all four in 2^24.
    let tries = 20_000u64;
    let agreeing = (0..tries).map(|seed| middle(seed % 2 == 0, [seed, seed + 1_000_000, seed + 2_000_000, seed + 3_000_000]));
    let (mut single, mut whole) = (0, 0);
    for (at_ada, at_bao) in agreeing {
        single += at_ada.iter().zip(&at_bao).filter(|(one, other)| one == other).count();
        whole += u32::from(at_ada == at_bao);
    }
    let expected = tries as f64 * 4.0 / f64::from(PICTURES);
    assert!((single as f64 / expected - 1.0).abs() < 0.15, "{single} of {expected} expected");
    assert_eq!(whole, 0);
}

proptest! {
    #[test]
    fn both_see_the_same_when_nobody_is_between(seeds in any::<[u64; 2]>()) {
        let (at_ada, at_bao) = exchange(offerer(BAO, seeds[0]), answerer(ADA, seeds[1])).unwrap();
        prop_assert!(at_ada.is_some() && at_ada == at_bao);
        prop_assert!(at_ada.unwrap().iter().all(|picture| *picture < PICTURES));
    }

    /// Passing the messages on, with two certificates in between, breaks the commitment.
    #[test]
    fn a_middle_that_replays_is_noticed_by_the_program(seeds in any::<[u64; 2]>()) {
        prop_assert_eq!(exchange(offerer(TO_ADA, seeds[0]), answerer(TO_BAO, seeds[1])), Err(Tampered));
    }

    /// The middle waits for everything that it can wait for and then tries many numbers: what would make the pictures equal
    /// comes after its own number is fixed.
    #[test]
    fn a_middle_that_chooses_late_is_too_late(seeds in any::<[u64; 3]>(), tries in proptest::collection::vec(any::<u64>(), 64)) {
        let (mut ada, _) = offerer(TO_ADA, seeds[0]);
        let mut bao = answerer(TO_BAO, seeds[1]);
        let (mut as_ada, own) = Exchange::begin(Role::Offerer, TO_BAO, BAO, number(seeds[2]));
        let bao_said = bao.take(&own.unwrap()).unwrap().send.unwrap();
        let at_ada = ada.take(&Comparison::Number(number(seeds[2]))).unwrap().pictures.unwrap();
        // It now knows everything that Ada's pictures are made of and Bao's number. Any number but the committed one is refused.
        let Comparison::Number(baos) = bao_said else { panic!() };
        for seed in tries.into_iter().filter(|seed| *seed != seeds[2]) {
            let mut bao = Exchange { certificates: bao.certificates, number: baos, awaits: bao.awaits };
            prop_assert_eq!(bao.take(&Comparison::Opening(number(seed))), Err(Tampered));
        }
        let opening = as_ada.take(&Comparison::Number(baos)).unwrap().send.unwrap();
        let at_bao = bao.take(&opening).unwrap().pictures.unwrap();
        // Equal by chance in one of 2^24 runs.
        prop_assert_ne!(at_ada, at_bao);
    }
}

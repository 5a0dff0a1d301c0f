//! Several nodes, a store and people in virtual time, over a network that loses, repeats and delays; nodes are killed, the store and
//! the network go away. After every fault everybody is in one match with one other, and nobody was ever in two.

mod world;

use crate::testnet::Faults;
use visavis_matching::Model;
use world::World;

const PEOPLE: usize = 60;

fn world(seed: u64, nodes: usize, faults: Faults) -> World {
    println!("seed {seed}");
    World::new(seed, nodes, PEOPLE, faults)
}

/// Lets everybody meet and stay, and says how long it took until the last two were together.
fn everybody_meets_and_stays(world: &mut World, within_ms: u64) -> u64 {
    world.people_stay(true);
    let began = world.now;
    while !world.all_together() {
        assert!(world.now < began + within_ms, "seed {}: {}", world.seed, world.who_is_missing());
        world.pass(50);
    }
    world.check_pairs();
    world.now - began
}

#[test]
fn one_node_alone_says_nothing_to_the_bus() {
    let mut world = world(1, 1, Faults::default());
    world.pass(20_000);
    everybody_meets_and_stays(&mut world, 30_000);
    assert_eq!(world.published, 0);
    assert!(world.matches_begun() > 100);
}

#[test]
fn people_at_three_nodes_meet_across_them_over_a_bad_bus() {
    for seed in 0..8 {
        let mut world = world(seed, 3, Faults { lose_percent: 20, twice_percent: 30, late_ms: 400 });
        world.pass(30_000);
        assert!(world.matches_begun() > 20, "seed {seed}: {}", world.matches_begun());
        assert!(world.across > 5, "seed {seed}: {} across nodes", world.across);
        world.calm();
        everybody_meets_and_stays(&mut world, 60_000);
    }
}

#[test]
fn a_node_that_is_killed_takes_nobody_with_it() {
    for seed in 100..116 {
        let mut world = world(seed, 3, Faults { lose_percent: 5, twice_percent: 10, late_ms: 60 });
        world.pass(5_000 + seed % 7 * 331);
        let leader = world.leader().unwrap();
        let before = world.matches_begun();
        world.kill(leader);
        let killed_at = world.now;
        while world.matches_begun() == before {
            world.pass(50);
            assert!(world.now < killed_at + 5_000, "seed {seed}: no match for 5 s after the leader's death");
        }
        world.pass(3_000);
        world.start(leader);
        world.pass(5_000);
        world.calm();
        everybody_meets_and_stays(&mut world, 60_000);
    }
}

#[test]
fn matches_go_on_when_their_leader_dies() {
    for seed in 200..208 {
        let mut world = world(seed, 3, Faults::default());
        everybody_meets_and_stays(&mut world, 60_000);
        let leader = world.leader().unwrap();
        let elsewhere = world.together_at_other_nodes(leader);
        world.kill(leader);
        world.pass(15_000);
        assert!(world.all_together(), "seed {seed}: {}", world.who_is_missing());
        world.check_pairs();
        for (person, match_id) in elsewhere {
            assert_eq!(world.match_of(person).as_ref(), Some(&match_id), "seed {seed}: a match that had not lost a node");
        }
        // Messages pass between the two again, whatever nodes they are at.
        assert_eq!(world.signals_that_arrive(), PEOPLE, "seed {seed}");
    }
}

#[test]
fn a_leader_that_was_asleep_pairs_nobody_and_steps_down() {
    for seed in 300..308 {
        let mut world = world(seed, 3, Faults::default());
        world.pass(4_000);
        let leader = world.leader().unwrap();
        world.sleep(leader, true);
        world.pass(6_000);
        assert_ne!(world.leader(), Some(leader));
        world.sleep(leader, false);
        world.pass(15_000);
        everybody_meets_and_stays(&mut world, 60_000);
    }
}

#[test]
fn the_store_and_the_bus_may_go_away_for_a_while() {
    for seed in 400..408 {
        let mut world = world(seed, 3, Faults { lose_percent: 2, twice_percent: 2, late_ms: 30 });
        world.pass(4_000);
        world.store_away(true);
        world.pass(8_000);
        world.store_away(false);
        world.pass(3_000);
        let before = world.matches_begun();
        world.pass(5_000);
        assert!(world.matches_begun() > before, "seed {seed}: no match after the store came back");
        world.net_down(true);
        world.pass(6_000);
        world.net_down(false);
        world.pass(5_000);
        world.calm();
        everybody_meets_and_stays(&mut world, 60_000);
    }
}

#[test]
fn a_drained_node_gives_its_pools_away_and_keeps_its_matches() {
    for seed in 500..504 {
        let mut world = world(seed, 3, Faults::default());
        everybody_meets_and_stays(&mut world, 60_000);
        let leader = world.leader().unwrap();
        let here = world.together_at(leader);
        assert!(!here.is_empty());
        world.drain(leader);
        world.pass(8_000);
        assert!(world.leader().is_some_and(|now| now != leader), "seed {seed}");
        for (person, match_id) in here {
            assert_eq!(world.match_of(person).as_ref(), Some(&match_id), "seed {seed}");
        }
        assert_eq!(world.signals_that_arrive(), PEOPLE, "seed {seed}");
    }
}

#[test]
fn a_person_has_one_socket_in_the_whole_cluster() {
    for seed in 600..606 {
        let mut world = world(seed, 3, Faults { lose_percent: 10, twice_percent: 10, late_ms: 100 });
        world.pass(3_000);
        let old = world.connect_again(7);
        world.pass(20_000);
        assert!(world.was_closed(old), "seed {seed}");
        world.calm();
        everybody_meets_and_stays(&mut world, 60_000);
    }
}

#[test]
fn what_was_learnt_goes_on_when_a_leader_dies() {
    for seed in 800..804 {
        let mut world = world(seed, 3, Faults::default());
        world.pass(90_000);
        let learnt = world.learnt().unwrap();
        assert_ne!(learnt, Model::default(), "seed {seed}");
        assert!(world.parted() > 50, "seed {seed}: {}", world.parted());
        world.kill(world.leader().unwrap());
        world.pass(6_000);
        let leader = world.leader().unwrap();
        assert_eq!(world.began_with(leader), Some(learnt.to_text()), "seed {seed}");
        world.pass(90_000);
        assert_ne!(world.learnt().unwrap(), learnt, "seed {seed}: the next leader learns on");
    }
}

#[test]
fn a_drained_node_hands_on_all_that_it_learnt() {
    let mut world = world(850, 3, Faults::default());
    world.pass(69_000);
    let leader = world.leader().unwrap();
    world.drain(leader);
    world.pass(8_000);
    let next = world.leader().unwrap();
    assert_ne!(next, leader);
    let handed_on = world.last_learnt_of(leader);
    assert!(handed_on.is_some());
    assert_eq!(world.began_with(next), handed_on);
}

#[test]
fn everything_at_once() {
    for seed in 700..712 {
        let mut world = world(seed, 4, Faults { lose_percent: 10, twice_percent: 10, late_ms: 200 });
        for round in 0..6 {
            world.pass(3_000);
            let victim = world.random(4);
            match (seed + round) % 4 {
                0 => world.kill(victim),
                1 => {
                    world.store_away(true);
                    world.pass(2_500);
                    world.store_away(false);
                }
                2 => {
                    world.net_down(true);
                    world.pass(2_500);
                    world.net_down(false);
                }
                _ => {
                    world.sleep(victim, true);
                    world.pass(3_500);
                    world.sleep(victim, false);
                }
            }
            world.pass(1_500);
            world.start(victim);
        }
        world.calm();
        everybody_meets_and_stays(&mut world, 90_000);
    }
}

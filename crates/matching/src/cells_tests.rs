//! Where people sit, what a probe reads, and which of it is kept.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

const LANGUAGE: u16 = 3;

fn entry(slot: u32, city: u16) -> Entry {
    Entry { slot, city, ..Entry::default() }
}

#[test]
fn whoever_comes_and_goes_everybody_is_where_their_places_say() {
    let (mut cells, mut chance) = (LanguageCells::default(), Chance::new(4));
    let mut people: BTreeMap<u32, ([Places; 1], usize, u16)> = BTreeMap::new();
    let mut was_empty = 0;
    for step in 0..600 {
        // Everybody is called out now and then.
        let slot = if step % 100 > 88 { people.keys().next().copied().unwrap_or(0) } else { chance.below(12) as u32 };
        if let Some((places, cell, city)) = people.remove(&slot) {
            for (which, who, to) in cells.remove(&places[0], cell, city).into_iter().flatten() {
                moved(&mut people.get_mut(&who).unwrap().0, LANGUAGE, which, to);
            }
        } else {
            let (cell, city) = (chance.below(4), chance.below(3) as u16);
            people.insert(slot, ([cells.insert(LANGUAGE, cell, entry(slot, city))], cell, city));
        }
        assert_eq!(cells.len(), people.len());
        assert_eq!(cells.by_interests.iter().map(Vec::len).sum::<usize>(), people.len());
        assert_eq!(cells.by_city.values().map(Vec::len).sum::<usize>(), people.values().filter(|one| one.2 != 0).count());
        assert!(cells.by_city.values().all(|list| !list.is_empty()));
        for (slot, ([places], cell, city)) in &people {
            assert_eq!(cells.by_interests[*cell][places.at[BY_INTERESTS] as usize].slot, *slot);
            assert_eq!(cells.all[places.at[ALL] as usize].slot, *slot);
            assert!(*city == 0 || cells.by_city[city][places.at[BY_CITY] as usize].slot == *slot);
        }
        was_empty += usize::from(people.is_empty());
        assert_eq!(cells.by_interests.is_empty(), people.is_empty(), "memory of a language that nobody speaks is given back");
    }
    assert!(was_empty > 0);
}

#[test]
fn who_moves_in_one_language_stays_in_the_others() {
    let mut places = [2, LANGUAGE].map(|language| Places { language, at: [5; 3] });
    moved(&mut places, LANGUAGE, BY_CITY, 1);
    assert_eq!(places.map(|places| places.at), [[5; 3], [5, 5, 1]]);
}

/// Slots that a probe read, in its order.
fn read(cells: &LanguageCells, me: &Entry, near: &[u8], budget: usize) -> Vec<u32> {
    let mut best = Best::default();
    best.start(10_000);
    cells.probe(me, near, budget, &mut Chance::new(1), &Model::default(), &mut best);
    best.found.iter().map(|one| one.1).collect()
}

/// 0 to `first` are in cell 0, up to 400 in cell 1, up to 600 in cell 2, up to 1,000 in cell 9; the last hundred in city 7.
fn crowd(first: u32) -> LanguageCells {
    let mut cells = LanguageCells::default();
    for slot in 0..1_000 {
        let cell = [0, 1, 2, 9][[first, 400, 600].into_iter().filter(|end| slot >= *end).count()];
        cells.insert(LANGUAGE, cell, entry(slot, if slot >= 900 { 7 } else { 0 }));
    }
    cells
}

#[test]
fn a_probe_reads_half_from_the_nearest_cell_and_some_from_the_city_and_from_anywhere() {
    let me = entry(u32::MAX, 7);
    let found = read(&crowd(200), &me, &[0, 1, 2], 200);
    assert_eq!(found.len(), 200);
    for (at, slots) in [(0..100, 0..200), (100..130, 200..400), (130..150, 400..600), (150..180, 900..1_000)] {
        assert!(found[at.clone()].iter().all(|slot| slots.contains(slot)), "{at:?}: {:?}", &found[at.clone()]);
    }
    // What is not there leaves more for anywhere.
    let found = read(&crowd(10), &me, &[0, 1, 2], 200);
    assert_eq!((found.len(), found[..10].iter().max()), (200, Some(&9)));
    let found = read(&crowd(200), &entry(u32::MAX, 8), &[], 200);
    assert_eq!(found.len(), 200);
    assert!(found.iter().any(|slot| *slot >= 600 || *slot < 400));
    // All are read where there are no more, and who looks does not find itself.
    assert_eq!(read(&crowd(200), &me, &[0, 1, 2], 1_000), (0..1_000).collect::<Vec<_>>());
    assert_eq!(read(&crowd(200), &entry(5, 7), &[0, 1, 2], 1_000).len(), 999);
}

#[test]
fn a_list_is_read_on_from_its_beginning_and_nobody_twice() {
    let list: Vec<Entry> = (0..10).map(|slot| entry(slot, 0)).collect();
    for (start, count, expected) in
        [(8, 5, &[8, 9, 0, 1, 2][..]), (3, 4, &[3, 4, 5, 6]), (7, 3, &[7, 8, 9]), (9, 10, &[9, 0, 1, 2, 3, 4, 5, 6, 7, 8])]
    {
        let mut best = Best::default();
        best.start(100);
        scan(&list, start, count, &entry(u32::MAX, 0), &Model::default(), &mut best);
        assert_eq!(best.found.iter().map(|one| one.1).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn the_best_are_kept_in_whatever_order_they_come_each_once() {
    for seed in 0..20 {
        let mut best = Best::default();
        best.start(4);
        for at in 0..100 {
            let slot = (at * 37 + seed * 11) % 100;
            let odds = slot as f32;
            if odds > best.least {
                best.put(odds, slot);
            }
            assert!(best.found.len() < 12);
            if at == 11 {
                let least = best.found.iter().map(|one| one.0).fold(f32::INFINITY, f32::min);
                assert_eq!((best.found.len(), best.least), (4, least));
            }
        }
        best.settle();
        assert_eq!(best.found[..4], [(99.0, 99), (98.0, 98), (97.0, 97), (96.0, 96)]);
        assert!(best.found.is_sorted_by(|one, other| one.0 > other.0));
        best.start(4);
        assert_eq!((best.found.len(), best.least), (0, f32::NEG_INFINITY));
    }
    let mut best = Best::default();
    best.start(4);
    [(5.0, 1), (7.0, 9), (5.0, 1), (7.0, 2)].into_iter().for_each(|(odds, slot)| best.put(odds, slot));
    best.settle();
    assert_eq!(best.found, [(7.0, 2), (7.0, 9), (5.0, 1)], "alike by their place");
}

#[test]
fn a_scan_passes_over_what_is_worse_than_all_that_are_kept() {
    let mut best = Best::default();
    best.start(1);
    (best.least, best.found) = (50.0, vec![(50.0, 1)]);
    scan(&[entry(2, 0)], 0, 1, &entry(1, 0), &Model::default(), &mut best);
    assert_eq!(best.found.len(), 1);
    best.least = Model::default().odds(&entry(1, 0), &entry(2, 0));
    scan(&[entry(2, 0)], 0, 1, &entry(1, 0), &Model::default(), &mut best);
    assert_eq!(best.found.len(), 1, "nor is it any better");
}

#[test]
fn each_cell_is_nearest_to_itself_and_after_a_fit_those_who_are_alike_share_one() {
    let centres = Centres::anywhere();
    for (at, centre) in centres.centres.iter().enumerate() {
        assert!((dot(centre, centre) - 1.0).abs() < 1e-4);
        assert_eq!(centres.nearest(centre), at);
        let near = centres.near(at);
        assert_eq!((near.len(), usize::from(near[0])), (3, at));
        let nearness = |cell: &u8| dot(centre, &centres.centres[usize::from(*cell)]);
        let best = (0..CENTRES as u8).filter(|cell| usize::from(*cell) != at).map(|cell| nearness(&cell)).fold(-1.0, f32::max);
        assert!((nearness(&near[1]) - best).abs() < 1e-6 && nearness(&near[1]) >= nearness(&near[2]));
    }
    assert!(centres.near(NO_CENTRE).is_empty());

    // Twelve groups, the people of each nearly alike: far fewer than there are cells.
    let mut chance = Chance::new(3);
    let mut any = |length: f32| scaled(std::array::from_fn(|_| chance.signed()), length);
    let groups: Vec<Direction> = (0..12).map(|_| any(1.0)).collect();
    let mut examples = Vec::new();
    for at in 0..800 {
        let mut example = groups[at % 12];
        add(&mut example, &any(0.05), 1.0);
        examples.push(scaled(example, 0.7));
    }
    let fitted = Centres::fit(&examples);
    let near: f32 = examples.iter().map(|one| dot(&fitted.centres[fitted.nearest(one)], one) / 0.7).sum::<f32>() / 800.0;
    assert!(near > 0.98, "{near}");
    assert!(fitted.centres.iter().all(|centre| (dot(centre, centre) - 1.0).abs() < 1e-4));
    assert_eq!(Centres::fit(&[]).centres, centres.centres);

    // Far less alike: a centre is in the middle of those nearest to it, and no longer one of them.
    let spread: Vec<Direction> = (0..800).map(|_| any(1.0)).collect();
    let fitted = Centres::fit(&spread);
    let mut sums = [[0.0; AXES]; CENTRES];
    spread.iter().for_each(|one| add(&mut sums[fitted.nearest(one)], one, 1.0));
    let middle = |at: usize| dot(&scaled(sums[at], 1.0), &fitted.centres[at]);
    let nearness = (0..CENTRES).map(middle).sum::<f32>() / CENTRES as f32;
    assert!(nearness > 0.97, "{nearness}");
    assert!(fitted.centres.iter().all(|centre| spread.iter().all(|one| dot(one, centre) < 0.999)));
    assert_eq!(Centres::with(vec![groups[0]; CENTRES]).nearest(&groups[0]), 0, "of those that are alike the first");
}

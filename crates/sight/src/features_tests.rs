//! The measures one by one, on grids and pictures whose answer can be said beforehand.

use super::*;

const FINE_DOWN: usize = FINE / FINE_ACROSS;

fn fine(of: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    (0..FINE).map(|at| of(at % FINE_ACROSS, at / FINE_ACROSS)).collect()
}

fn blocks(of: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    (0..BLOCKS).map(|at| of(at % ACROSS, at / ACROSS)).collect()
}

#[track_caller]
fn near(is: f32, expected: f32, by: f32) {
    assert!((is - expected).abs() <= by, "{is}, not {expected}");
}

fn odd(number: usize) -> f32 {
    (number % 2) as f32
}

#[test]
fn odd_and_even_pictures_are_averaged_apart() {
    let pictures: Vec<Grids> = [3.0, 10.0, 5.0].map(|level| Grids { fine: vec![level; FINE], ..Grids::default() }).to_vec();
    let of = |count: usize| {
        let (odd, even) = averages(&pictures[..count]);
        (odd[7], even[7])
    };
    assert_eq!([of(1), of(2), of(3)], [(3.0, 3.0), (3.0, 10.0), (4.0, 10.0)]);
    assert_eq!(mean_change(&[1.0, 5.0, 9.0, 2.0], &[2.0, 5.0, 7.0, 2.0]), 0.75);
}

/// A tile away from the edges of the picture, and its last one.
const INNER: usize = 3 * ACROSS + 7;
const LAST: usize = TILES - 1;

#[test]
fn texture_is_the_step_from_cell_to_cell_that_both_averages_have() {
    let (columns, rows) = (fine(|x, _| 10.0 * odd(x)), fine(|_, y| 10.0 * odd(y)));
    let (both, other) = (fine(|x, y| 10.0 * odd(x + y)), fine(|x, _| 10.0 - 10.0 * odd(x)));
    for (a, b, inner, last) in [
        // The last column and the last row have no next cell: 20 or 16 of the 25 cells of the last tile count.
        (&columns, &columns, 10.0, (100.0 * 16.0 / 25.0_f32).sqrt()),
        (&rows, &rows, 10.0, (100.0 * 16.0 / 25.0_f32).sqrt()),
        (&both, &both, 200_f32.sqrt(), (200.0 * 16.0 / 25.0_f32).sqrt()),
        (&columns, &rows, 0.0, 0.0),
        (&columns, &other, 0.0, 0.0),
    ] {
        let tiles = texture(a, b);
        assert_eq!(tiles.len(), TILES);
        near(tiles[INNER], inner, 1e-3);
        near(tiles[LAST], last, 1e-3);
    }
    near(texture(&columns, &fine(|x, _| 40.0 * odd(x)))[INNER], 20.0, 1e-3);
    near(texture(&rows, &fine(|_, y| 40.0 * odd(y)))[INNER], 20.0, 1e-3);
}

#[test]
fn inside_its_blocks_a_mosaic_has_no_texture() {
    let mosaic = fine(|x, y| 30.0 * odd(x / CELLS + y / CELLS));
    assert!(texture_inside(&mosaic, &mosaic).iter().all(|tile| *tile == 0.0));
    assert!(texture(&mosaic, &mosaic)[INNER] > 10.0);
    let (columns, rows) = (fine(|x, _| 10.0 * odd(x)), fine(|_, y| 10.0 * odd(y)));
    // Four of five steps lie inside, each way.
    for tile in [INNER, LAST] {
        near(texture_inside(&columns, &columns)[tile], 80_f32.sqrt(), 1e-3);
        near(texture_inside(&rows, &rows)[tile], 80_f32.sqrt(), 1e-3);
        near(texture_inside(&columns, &rows)[tile], 0.0, 1e-3);
        near(texture_inside(&columns, &fine(|x, _| 40.0 * odd(x)))[tile], 320_f32.sqrt(), 1e-3);
        near(texture_inside(&rows, &fine(|_, y| 40.0 * odd(y)))[tile], 320_f32.sqrt(), 1e-3);
    }
}

#[test]
fn the_half_of_the_picture_that_has_least_counts() {
    let down = TILES / ACROSS;
    let of = |few: &dyn Fn(usize, usize) -> bool| {
        let inside: Vec<f32> = (0..TILES).map(|tile| if few(tile % ACROSS, tile / ACROSS) { 1.0 } else { 5.0 }).collect();
        least_half(&inside)
    };
    let across = ACROSS / 2;
    let halves: [&dyn Fn(usize, usize) -> bool; 4] =
        [&|x, _| x < across, &|x, _| x >= across, &|_, y| y < down / 2, &|_, y| y >= down / 2];
    assert_eq!(halves.map(of), [1.0; 4]);
    // A column or a row less, and each half has something.
    let less: [&dyn Fn(usize, usize) -> bool; 4] =
        [&|x, _| x + 1 < across, &|x, _| x > across, &|_, y| y + 1 < down / 2, &|_, y| y > down / 2];
    assert_eq!(less.map(of), [5.0; 4]);
}

#[test]
fn detail_is_kept_when_both_averages_have_it_and_little_of_it_counts_little() {
    // Pairs of cells, bright and dark: less their neighbourhood, of 5 by 5 pairs, 24 parts of 25 are left.
    let board = |strength: f32| fine(|x, y| 100.0 + strength * (2.0 * odd(x / 2 + y / 2) - 1.0));
    let noise =
        |seed: usize| fine(|x, y| ((x / 2 * 7919 + y / 2 * 104_729 + seed * 31 * (x / 2 + 77 * (y / 2))) % 1009) as f32 / 50.0);
    near(kept(&board(10.0), &board(10.0)), 1.0, 0.001);
    near(kept(&board(10.0), &board(-10.0)), -1.0, 0.001);
    near(kept(&board(10.0), &board(2.0)), 1.0, 0.005);
    assert!(kept(&noise(1), &noise(5)).abs() < 0.2, "{}", kept(&noise(1), &noise(5)));
    // At an amplitude of FAINT half of it.
    near(kept(&board(FAINT * 25.0 / 24.0), &board(FAINT * 25.0 / 24.0)), 0.5, 0.01);
    near(kept(&board(0.0), &board(0.0)), 0.0, 1e-3);
}

#[test]
fn a_step_is_from_one_block_to_the_next_both_ways() {
    let pairs = ((ACROSS - 1) * DOWN, ACROSS * (DOWN - 1));
    let all = (pairs.0 + pairs.1) as f32;
    near(mean_step(&blocks(|x, _| 3.0 * x as f32)), 3.0 * pairs.0 as f32 / all, 1e-3);
    near(mean_step(&blocks(|_, y| 200.0 - 5.0 * y as f32)), 5.0 * pairs.1 as f32 / all, 1e-3);
    near(mean_step(&blocks(|x, y| 8.0 * odd(x + y))), 8.0, 1e-3);
}

#[test]
fn a_smooth_surface_explains_all_but_detail() {
    let surface = |x: usize, y: usize| {
        let (x, y) = (x as f32 / 10.0, y as f32 / 10.0);
        40.0 + 9.0 * x - 7.0 * y + 5.0 * x * y + 3.0 * x * x - 8.0 * y * y
    };
    let (detail, least) = details(&blocks(surface));
    assert!(detail < 0.01 && least < 0.01, "{detail} {least}");
    let (detail, least) = details(&blocks(|x, y| surface(x, y) + 6.0 * (2.0 * odd(x + y) - 1.0)));
    near(detail, 6.0, 0.1);
    near(least, 6.0, 0.1);
    // Detail in two thirds of the picture, and the third that is free of it.
    for free in 0..3 {
        let there = |x: usize| if x * 3 / ACROSS == free { 0.0 } else { 1.0 };
        let (detail, least) = details(&blocks(|x, y| surface(x, y) + there(x) * 6.0 * (2.0 * odd(x + y) - 1.0)));
        near(detail, 6.0 * (2.0_f32 / 3.0).sqrt(), 0.15);
        assert!(least < 0.3, "{free}: {least}");
    }
}

/// A picture of 320 by 180: a block has 10 samples each way.
fn flat_of(luma: impl Fn(usize, usize) -> u8) -> f32 {
    let data: Vec<u8> = (0..330 * 180).map(|at| luma(at % 330, at / 330)).collect();
    inside_flat(Plane { data: &data, stride: 330 }, (320, 180))
}

#[test]
fn a_block_is_flat_when_five_samples_well_inside_it_are_alike() {
    let mosaic = |x: usize, y: usize| if (x / 10 + y / 10).is_multiple_of(2) { 90 } else { 160 };
    assert_eq!(flat_of(mosaic), 1.0);
    // What lies at the edges of a block and in the top row of blocks does not count.
    assert_eq!(
        flat_of(|x, y| if x % 10 < 2 || x % 10 > 7 || y % 10 < 2 || y % 10 > 7 || y < 10 { (x * 7 + y * 31) as u8 } else { 90 }),
        1.0
    );
    let at = |places: &'static [(usize, usize)], by: u8| {
        flat_of(move |x, y| if places.contains(&(x % 10, y % 10)) { 90 + by } else { 90 })
    };
    for place in [&[(2, 2)], &[(7, 2)], &[(5, 5)], &[(2, 7)], &[(7, 7)]] {
        assert_eq!([at(place, 4), at(place, 5)], [1.0, 0.0], "{place:?}");
    }
    assert_eq!(at(&[(5, 2), (2, 5), (7, 5), (5, 7)], 99), 1.0, "between the five");
    near(flat_of(|x, y| if x < 160 { mosaic(x, y) } else { (x * 53 + y * 97) as u8 }), 0.5, 0.05);
}

struct Shown {
    eye: Eye,
    measures: Measures,
}

/// Shows pictures of 320 by 180, with these levels of luma and of both chroma planes.
fn shown(pictures: usize, luma: impl Fn(usize, usize, usize) -> u8, chroma: impl Fn(usize, usize) -> (u8, u8)) -> Shown {
    let mut shown = Shown { eye: Eye::default(), measures: Measures::default() };
    let colours: Vec<(u8, u8)> = (0..160 * 90).map(|at| chroma(at % 160, at / 160)).collect();
    let (u, v): (Vec<u8>, Vec<u8>) = colours.into_iter().unzip();
    for number in 0..pictures {
        let y: Vec<u8> = (0..320 * 180).map(|at| luma(number, at % 320, at / 320)).collect();
        let planes = Planes::new((320, 180), (&y, 320), (&u, 160), (&v, 160)).unwrap();
        shown.measures = shown.eye.look(&planes);
        assert_eq!(shown.eye.is_settled(), number + 1 >= SETTLED);
    }
    shown
}

const GREY: fn(usize, usize) -> (u8, u8) = |_, _| (128, 128);

#[test]
fn levels_are_counted_from_black_and_colours_by_how_they_differ() {
    let plain = shown(1, |_, _, _| 76, GREY);
    assert_eq!((plain.measures.mean, plain.measures.colours, plain.measures.change), (60.0, 0.0, f32::INFINITY));
    assert_eq!((plain.measures.empty, plain.measures.inside_flat), (1.0, 1.0));
    let halves = shown(2, |number, _, _| 76 + 2 * number as u8, |x, _| if x < 80 { (118, 124) } else { (138, 132) });
    near(halves.measures.colours, 10.0 + 4.0, 1e-3);
    assert_eq!((halves.measures.mean, halves.measures.change), (62.0, 2.0));
    assert_eq!(halves.eye.newest().len(), BLOCKS);
    assert!(halves.eye.newest().iter().all(|level| *level == 78.0));
}

/// Bright and dark columns of cells in the lower half; the tiles above them have its edge.
#[test]
fn what_is_empty_is_a_share_and_what_is_sharp_is_the_sharpest() {
    let luma = |_, x: usize, y: usize| if y >= 100 { 80 + 10 * (x / 2 % 2) as u8 } else { 80 };
    let Measures { empty, sharpest, sharpest_inside, least_inside, .. } = shown(6, luma, GREY).measures;
    near(empty, 7.0 / 16.0, 0.001);
    near(sharpest, 10.0, 0.5);
    near(sharpest_inside, 80_f32.sqrt(), 0.3);
    assert_eq!(least_inside, 0.0);
    assert_eq!(FINE_DOWN, 80);
}

#[test]
fn a_sudden_change_is_not_taken_for_what_stays_in_place() {
    let board = |x: usize, y: usize| 80 + 40 * ((x / 4 + y / 4) % 2) as u8;
    let still = shown(6, |_, x, y| board(x, y), GREY);
    assert!(still.measures.kept > 0.9 && still.eye.uncut == 6 && still.eye.recent.len() == RECENT);
    // The board is gone in the last two pictures.
    let gone = shown(8, |number, x, y| if number < 6 { board(x, y) } else { 100 }, GREY);
    assert_eq!((gone.eye.uncut, gone.measures.sharpest, gone.eye.recent.len()), (2, 0.0, RECENT));
    assert_eq!(gone.eye.alike().len(), 2);
    let just_gone = shown(7, |number, x, y| if number < 6 { board(x, y) } else { 100 }, GREY);
    assert_eq!((just_gone.eye.uncut, just_gone.eye.alike().len()), (1, 2));
    // Six levels at a time are none.
    assert_eq!(shown(5, |number, _, _| 80 + 6 * number as u8, GREY).eye.uncut, 5);
    assert_eq!(shown(5, |number, _, _| 80 + 7 * number as u8, GREY).eye.uncut, 1);
}

#[test]
fn what_is_compared_with_the_memory_is_the_mean_of_the_last_four() {
    let of = |pictures| shown(pictures, |number, _, _| [10, 20, 40, 80, 160, 240][number], GREY).eye.now();
    for (pictures, mean) in [(1, 10.0), (2, 15.0), (4, 37.5), (6, 130.0)] {
        let now = of(pictures);
        assert!(now.len() == BLOCKS && now.iter().all(|level| (level - mean).abs() < 1e-3), "{pictures}: {}", now[0]);
    }
}

#[test]
fn every_measure_has_its_name() {
    let measures = shown(2, |number, x, y| (x * 3 + y * 5 + number) as u8 | 16, GREY).measures;
    let named = measures.named();
    assert_eq!(named.len(), 12 + 2 * 9);
    let of = |name: &str| named.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    assert_eq!((of("mean"), of("step"), of("since_lost")), (Some(measures.mean), Some(measures.step), Some(measures.since.lost)));
    assert_eq!((of("before_emptied"), of("before_remains")), (Some(measures.before.emptied), Some(measures.before.remains)));
}

#[test]
fn what_a_sudden_change_took_is_known_with_the_second_picture() {
    const SIZE: (usize, usize) = (320, 180);
    let chroma = vec![128; SIZE.0 * SIZE.1 / 4];
    let mut eye = Eye::default();
    let mut look = |covered: bool| {
        let luma =
            |x: usize, y: usize| if covered && x > SIZE.0 / 2 { 40 } else { ((x / 10 * 37 + y / 10 * 61) % 97 + 60) as u8 };
        let y: Vec<u8> = (0..SIZE.0 * SIZE.1).map(|at| luma(at % SIZE.0, at / SIZE.0)).collect();
        eye.look(&Planes::new(SIZE, (&y, SIZE.0), (&chroma, SIZE.0 / 2), (&chroma, SIZE.0 / 2)).unwrap())
    };
    for _ in 0..30 {
        assert!(look(false).since.lost < 0.05);
    }
    assert!(look(true).change > CUT);
    let (second, tenth) = (look(true), (0..8).map(|_| look(true)).last().unwrap());
    assert!(tenth.since.lost > 0.3, "{tenth:?}");
    assert!((second.since.lost - tenth.since.lost).abs() < 0.03, "{second:?} {tenth:?}");
}

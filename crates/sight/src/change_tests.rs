//! Remembered views and what became of them, on grids drawn by hand.

use super::*;

const DOWN: usize = BLOCKS / ACROSS;

fn grid(of: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    (0..BLOCKS).map(|at| of(at % ACROSS, at / ACROSS)).collect()
}

/// A board of bright and dark blocks: structure everywhere, of 20 levels.
fn board(column: usize, row: usize) -> f32 {
    if (column + row).is_multiple_of(2) { 140.0 } else { 100.0 }
}

fn colours(u: f32, v: f32) -> Colours {
    Colours { u: vec![u; BLOCKS], v: vec![v; BLOCKS] }
}

fn view(y: Vec<f32>) -> View {
    View { y, colours: colours(120.0, 130.0), texture: vec![4.0; TILES] }
}

fn against(now: &[f32], colours: &Colours, texture: f32, was: &View) -> Change {
    Seen::new(now, colours).against(was, &[texture; TILES])
}

#[track_caller]
fn near(is: f32, expected: f32, by: f32) {
    assert!((is - expected).abs() <= by, "{is}, not {expected}");
}

#[test]
fn the_same_view_has_lost_nothing_whatever_the_exposure() {
    let was = view(grid(board));
    for light in [1.0, 0.5, 1.6] {
        let now: Vec<f32> = was.y.iter().map(|y| BLACK + light * (y - BLACK)).collect();
        let change = against(&now, &was.colours, 4.0, &was);
        assert!(change.lost < 0.05 && change.edges == 0.0 && change.emptied == 0.0, "{light}: {change:?}");
        near(change.remains, STRONG, 0.6);
        assert!(change.gained.abs() < if light == 1.0 { 1e-3 } else { 0.5 }, "{light}: {change:?}");
    }
}

#[test]
fn a_cover_of_all_loses_all_and_brings_nothing() {
    let was = view(grid(board));
    let change = against(&[40.0; BLOCKS], &was.colours, 0.1, &was);
    // As much structure counts as is strong.
    let capped = STRONG * BLOCKS as f32;
    near(change.lost, capped / (capped + 30.0), 1e-3);
    near(change.remains, 0.0, 1e-3);
    let deviation = 20.0_f32;
    near(change.gained, (100.0 / (deviation * BLOCKS as f32 + 100.0)).ln(), 0.05);
    near(change.texture, 0.1 * TILES as f32 / (TILES + FEW) as f32, 1e-3);
    near(change.texture_was, 4.0 * TILES as f32 / (TILES + FEW) as f32, 1e-2);
    near(change.structure_was, deviation * (BLOCKS as f32 / (BLOCKS + FEW) as f32).sqrt(), 0.3);
    assert_eq!(change.edges, 0.0);
    near(change.emptied, 1.0, 1e-6);
    // Faint structure weighs less, and below that of noise it is none.
    let faint = view(grid(|column, row| 120.0 + (board(column, row) - 120.0) / 20.0));
    let change = against(&[120.0; BLOCKS], &faint.colours, 0.1, &faint);
    near(change.texture, 0.1 * (TILES as f32 / 3.0) / (TILES as f32 / 3.0 + FEW as f32), 2e-3);
    near(change.lost, BLOCKS as f32 / (BLOCKS as f32 + 30.0), 0.02);
}

/// Of structure that is no stronger than noise half is unsure though nothing changed.
#[test]
fn faint_structure_is_never_wholly_the_same() {
    let was = view(grid(|column, row| 120.0 + (board(column, row) - 120.0) / 10.0));
    let change = against(&was.y, &was.colours, 4.0, &was);
    let capped = FAINT * BLOCKS as f32;
    near(change.lost, 0.5 * capped / (capped + 30.0), 0.02);
}

/// Other structure in place of what was there, in steps of 60 levels.
#[test]
fn what_comes_in_its_place_is_gained_and_has_edges() {
    let was = view(grid(board));
    let now = grid(|column, row| if (column / 2 + row / 2).is_multiple_of(2) { 150.0 } else { 90.0 });
    let change = against(&now, &was.colours, 4.0, &was);
    assert!(change.lost > 0.8 && change.gained > 0.2 && change.emptied == 0.0, "{change:?}");
    near(change.edges, 60.0, 1e-3);
}

#[test]
fn a_cover_of_the_left_half_leaves_the_other_half() {
    let was = view(grid(board));
    let now = grid(|column, row| if column < ACROSS / 2 { 40.0 } else { board(column, row) });
    let mut texture = vec![4.0; TILES];
    (0..TILES).filter(|tile| tile % ACROSS < ACROSS / 2).for_each(|tile| texture[tile] = 0.1);
    let change = Seen::new(&now, &was.colours).against(&was, &texture);
    near(change.lost, 0.5, 0.06);
    near(change.remains, STRONG / 2.0, 0.8);
    near(change.emptied, 0.5, 0.04);
    assert!(change.texture < 0.6 && change.texture_was > 3.5, "{change:?}");
}

fn emptied(now: &[f32], seen: &Colours, texture: f32, was: &View, unchanged: f32, lost: f32) -> f32 {
    Seen::new(now, seen).emptied(was, &[texture; TILES], &[unchanged; BLOCKS], &[lost; TILES])
}

#[test]
fn a_tile_is_empty_where_its_structure_and_its_texture_are_gone() {
    let was = view(grid(board));
    let of = |texture: f32, lost: f32, was: &View| emptied(&was.y, &was.colours, texture, was, 1.0, lost);
    assert_eq!(of(1.45, 0.41, &was), 1.0);
    for (texture, lost) in [(1.55, 0.41), (1.45, LOST)] {
        assert_eq!(of(texture, lost, &was), 0.0, "{texture} {lost}");
    }
    let smooth = |texture: f32| View { texture: vec![texture; TILES], ..was.clone() };
    assert_eq!([of(0.0, 1.0, &smooth(TEXTURED)), of(0.0, 1.0, &smooth(0.7))], [0.0, 1.0], "there must have been some");
}

/// Smooth tiles of other light or colour join what is lost, which alone is counted: three columns are lost, those around are other.
#[test]
fn smooth_tiles_in_other_light_or_colour_belong_to_what_covers() {
    let was = view(vec![100.0; BLOCKS]);
    let mut texture = vec![0.5; TILES];
    let lost: Vec<f32> = (0..TILES).map(|tile| if (tile % ACROSS).is_multiple_of(8) { 1.0 } else { 0.0 }).collect();
    let of = |luma: f32, seen: &Colours, texture: &[f32]| {
        Seen::new(&[luma; BLOCKS], seen).emptied(&was, texture, &[0.0; BLOCKS], &lost)
    };
    // Apart, each of the four columns is a part of its own; joined they are one.
    let (one, all) = (1.0 / 32.0, 4.0 / 32.0);
    let (u, v) = (120.0, 130.0);
    assert_eq!(of(100.0, &colours(u, v), &texture), one);
    for (luma, seen, expected) in [
        (100.0 + OTHER_LIGHT, colours(u, v), one),
        (115.0, colours(u, v), all),
        (85.0, colours(u, v), all),
        (100.0, colours(u + 5.0, v - 4.0), one),
        (100.0, colours(u + 5.0, v - 4.5), all),
        (100.0, colours(u - 9.5, v), all),
        (100.0, colours(u, v + 9.5), all),
    ] {
        assert_eq!(of(luma, &seen, &texture), expected, "{luma} {} {}", seen.u[0], seen.v[0]);
    }
    (0..TILES).filter(|tile| !(tile % ACROSS).is_multiple_of(8)).for_each(|tile| texture[tile] = SMOOTH);
    assert_eq!(of(115.0, &colours(u, v), &texture), one, "not smooth");
}

/// Tiles are those of the lower rows of blocks: light that changed in the last row joins what is lost there.
#[test]
fn a_tile_has_the_light_of_its_own_block() {
    let was = view(vec![100.0; BLOCKS]);
    let now = grid(|_, row| if row == DOWN - 1 { 150.0 } else { 100.0 });
    let lost: Vec<f32> =
        (0..TILES).map(|tile| if tile >= TILES - ACROSS && tile.is_multiple_of(8) { 1.0 } else { 0.0 }).collect();
    let empty = Seen::new(&now, &was.colours).emptied(&was, &[0.5; TILES], &[0.0; BLOCKS], &lost);
    near(empty, 4.0 / TILES as f32, 1e-6);
}

#[test]
fn exposure_is_measured_where_nothing_changed_and_has_its_bounds() {
    let was = view(vec![116.0; BLOCKS]);
    let none = colours(120.0, 130.0);
    let gain = |luma: f32, same: f32| Seen::new(&[luma; BLOCKS], &none).gain(&was, &[same; BLOCKS]);
    near(gain(66.0, 0.7), 0.5, 1e-4);
    near(gain(216.0, 0.7), 2.0, 1e-4);
    near(gain(21.0, 0.7), 0.3, 1e-6);
    near(gain(66.0, UNCHANGED), 1.0, 1e-6);
    let black = view(vec![BLACK; BLOCKS]);
    near(Seen::new(&[66.0; BLOCKS], &none).gain(&black, &[1.0; BLOCKS]), 1.0, 1e-6);
    let dark = view(vec![BLACK + 10.0; BLOCKS]);
    near(Seen::new(&[66.0; BLOCKS], &none).gain(&dark, &[1.0; BLOCKS]), 3.0, 1e-6);
    // Light that went half is no other light.
    let lost: Vec<f32> = (0..TILES).map(|tile| if (tile % ACROSS).is_multiple_of(8) { 1.0 } else { 0.0 }).collect();
    let largest = |same: f32| Seen::new(&[66.0; BLOCKS], &none).emptied(&was, &[0.5; TILES], &[same; BLOCKS], &lost);
    assert_eq!([0.7, 0.5].map(largest), [1.0 / 32.0, 4.0 / 32.0]);
}

/// `L` lost, `O` other, in the first rows; the rest is kept.
fn largest(rows: &[&str]) -> usize {
    let mut marks = vec![Mark::Kept; TILES];
    for (row, line) in rows.iter().enumerate() {
        for (column, mark) in line.chars().enumerate() {
            marks[row * ACROSS + column] = match mark {
                'L' => Mark::Lost,
                'O' => Mark::Other,
                _ => Mark::Kept,
            };
        }
    }
    lost_of_largest(&mut marks)
}

#[test]
fn a_cover_is_in_one_piece_and_what_was_smooth_before_is_not_lost() {
    assert_eq!(largest(&[]), 0);
    assert_eq!(largest(&["LL.LLL", "L....L"]), 4, "pieces that do not touch");
    assert_eq!(largest(&["LL.LLL", "LOOO.L"]), 7, "joined below");
    assert_eq!(largest(&["LL.LL", ".LL.L", "L.L"]), 5, "corners do not join");
    assert_eq!(largest(&["LLL.OOOOL"]), 1, "the largest piece, of which one was lost");
    let edge = format!("{}L", ".".repeat(ACROSS - 1));
    assert_eq!(largest(&[&edge, "L", "L"]), 2, "a row does not go on in the next");
    assert_eq!(largest(&["L", &edge, &edge]), 2);
    let far = format!("L{}L", ".".repeat(ACROSS - 2));
    assert_eq!(largest(&[&far, "L"]), 2, "nor is it the end of the one before");
    assert_eq!(largest(&["..L", "LLL"]), 4, "also to the left");
    assert_eq!(largest(&["L..LL", "L...L", "LLLLL"]), 10, "in the first row as well");
    let full = "L".repeat(ACROSS);
    assert_eq!(largest(&[full.as_str(); TILES / ACROSS]), TILES);
    assert_eq!(TILES / ACROSS + 1, DOWN);
}

#[test]
fn a_memory_takes_in_little_of_each_look_more_while_young_and_less_while_much_is_lost() {
    let (none, some) = (colours(100.0, 100.0), colours(110.0, 120.0));
    let mut memory = Memory::default();
    let learn = |memory: &mut Memory, lost: f32| memory.learn(&[90.0; BLOCKS], &some, &[9.0; TILES], lost);
    memory.learn(&[0.0; BLOCKS], &none, &[0.0; TILES], 0.0);
    learn(&mut memory, 1.0);
    let seen = |memory: &Memory| {
        let view = memory.view.as_ref().unwrap();
        [view.y[7], view.colours.u[7], view.colours.v[7], view.texture[7]]
    };
    let share = |shared: f32| [90.0 * shared, 100.0 + 10.0 * shared, 100.0 + 20.0 * shared, 9.0 * shared];
    let is = |memory: &Memory, shared: f32| {
        seen(memory).into_iter().zip(share(shared)).for_each(|(is, wanted)| near(is, wanted, 1e-3))
    };
    is(&memory, 0.5);
    for (looks, lost, shared) in [
        (YOUNG - 1, 1.0, 1.0 / 20.0),
        (YOUNG, 1.0, 0.15 / 21.0),
        (2_000, 0.0, 1.0 / 90.0),
        (2_000, SLOW_FROM, 1.0 / 90.0),
        (2_000, SLOW_FROM + SLOW_OVER / 2.0, 0.5 / 90.0),
        (2_000, 1.0, SLOWEST / 90.0),
    ] {
        let mut memory = Memory { looks, ..Memory::default() };
        memory.view = Some(View { y: vec![0.0; BLOCKS], colours: none.clone(), texture: vec![0.0; TILES] });
        learn(&mut memory, lost);
        is(&memory, shared);
    }
}

/// The view before a great change is kept for a while, so that what was held up and is taken away again is no loss.
#[test]
fn the_view_before_a_great_change_is_held_against_what_is_seen_until_it_comes_back() {
    let (free, held) = (grid(board), grid(|column, row| if column < ACROSS / 2 { 60.0 } else { board(column, row) }));
    let none = colours(120.0, 130.0);
    let texture = vec![4.0; TILES];
    let mut memory = Memory::default();
    assert_eq!(memory.compare(&free, &none, &texture), <(Change, Change)>::default(), "nothing is remembered yet");
    memory.view = Some(View { y: free.clone(), colours: none.clone(), texture: texture.clone() });
    let (since, before) = memory.compare(&free, &none, &texture);
    assert!(since == before && memory.before.is_none());
    let (since, before) = memory.compare(&held, &none, &texture);
    assert!(since.lost > GREAT && since == before);
    assert_eq!(memory.before.as_ref().map(|(_, age)| *age), Some(0));
    // What is held up has become the view; taken away it is a loss against that, and none against the view before.
    memory.view.as_mut().unwrap().y =
        grid(|column, row| if column < ACROSS / 2 { board(column / 2, row / 2) } else { board(column, row) });
    let (since, before) = memory.compare(&free, &none, &texture);
    assert!(since.lost > GREAT && before.lost < RETURNED, "{since:?} {before:?}");
    assert_eq!(memory.before.as_ref().map(|(_, age)| *age), Some(1), "not replaced by a second change");
    // With the old view back it is forgotten, but not at once.
    memory.view.as_mut().unwrap().y.clone_from(&free);
    for age in 2..=SETTLED {
        memory.compare(&free, &none, &texture);
        assert_eq!(memory.before.as_ref().map(|(_, age)| *age), Some(age));
    }
    memory.compare(&free, &none, &texture);
    assert!(memory.before.is_none());
}

#[test]
fn the_view_before_a_great_change_is_replaced_by_a_later_one_after_a_quarter_of_a_minute() {
    let (free, held) = (grid(board), vec![60.0; BLOCKS]);
    let none = colours(120.0, 130.0);
    let texture = vec![4.0; TILES];
    let mut memory = Memory { before: Some((view(held.clone()), 0)), ..Memory::default() };
    memory.view = Some(View { y: free.clone(), colours: none.clone(), texture: texture.clone() });
    for look in 1..=KEEP {
        memory.compare(&held, &none, &texture);
        assert_eq!(memory.before.as_ref().map(|(view, age)| (view.y == held, *age)), Some((true, look)));
    }
    memory.compare(&held, &none, &texture);
    assert_eq!(memory.before.as_ref().map(|(view, age)| (view.y == free, *age)), Some((true, 0)));
    // Both views must have come back before one is forgotten.
    let other = grid(|column, row| board(column / 2, row / 2));
    for (since, before) in [(&free, &other), (&other, &free)] {
        let mut memory = Memory { before: Some((view(before.clone()), 100)), ..Memory::default() };
        memory.view = Some(view(since.clone()));
        memory.compare(&free, &none, &texture);
        assert!(memory.before.is_some());
    }
}

/// A view with structure everywhere, that of other places where `other` says so.
fn scene(other: impl Fn(usize, usize) -> bool) -> Vec<f32> {
    let value = |x: usize, y: usize| ((x * 37 + y * 61 + x * y * 13) % 97) as f32 + 60.0;
    (0..BLOCKS)
        .map(|at| (at % ACROSS, at / ACROSS))
        .map(|(x, y)| if other(x, y) { value(y + 40, x + 3) } else { value(x, y) })
        .collect()
}

fn changed(other: impl Fn(usize, usize) -> bool) -> Change {
    let grey = Colours { u: vec![128.0; BLOCKS], v: vec![128.0; BLOCKS] };
    let mut memory = Memory::default();
    memory.learn(&scene(|_, _| false), &grey, &[2.0; TILES], 0.0);
    memory.compare(&scene(other), &grey, &[2.0; TILES]).0
}

#[test]
fn a_side_that_stays_is_found_wherever_it_is() {
    let sides: [fn(usize, usize) -> bool; 4] = [
        |x, _| x < SIDE_ACROSS + 2,
        |x, _| x >= ACROSS - SIDE_ACROSS - 2,
        |_, y| y < SIDE_DOWN + 2,
        |_, y| y >= DOWN - SIDE_DOWN - 2,
    ];
    for stays in sides {
        let change = changed(|x, y| !stays(x, y));
        assert!(change.lost > 0.4, "{change:?}");
        assert!(change.least_side < 0.05, "{change:?}");
    }
}

#[test]
fn what_changes_all_sides_leaves_none() {
    let change = changed(|x, y| !(12..20).contains(&x) || !(6..11).contains(&y));
    assert!(change.least_side > 0.6, "{change:?}");
    assert!(change.least_side <= change.lost + 0.2, "{change:?}");
}

#[test]
fn a_side_is_five_blocks_of_a_row_or_four_rows() {
    let of = |kept: &dyn Fn(usize, usize) -> bool| {
        let lost = |at: usize| if kept(at % ACROSS, at / ACROSS) { 0.0 } else { 10.0 };
        least_side(&(0..BLOCKS).map(|at| (10.0, lost(at))).collect::<Vec<_>>())
    };
    for (less, is) in [(0, true), (1, false)] {
        assert_eq!(of(&|x, _| x < 5 - less) == 0.0, is);
        assert_eq!(of(&|x, _| x >= ACROSS - 5 + less) == 0.0, is);
        assert_eq!(of(&|_, y| y < 4 - less) == 0.0, is);
        assert_eq!(of(&|_, y| y >= DOWN - 4 + less) == 0.0, is);
    }
}

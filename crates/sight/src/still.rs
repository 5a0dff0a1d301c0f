//! Pictures that no camera took: the same one again and again, and a drawn one (an electronic shutter's, a card with a letter,
//! plain black). A sensor has noise, and even what a codec leaves of it moves.

use crate::features::Measures;
use crate::stream::Arrival;
use std::time::Duration;

/// Smoothed change under which pictures count as repeated, levels of luma, and how long it must be so. An encoder goes on
/// refining a repeated picture for a second or two (seen with VP8: single changes of up to 0.07, then under 0.01); of 15 minutes
/// of open cameras, still people and an empty room included, none stayed under 0.1 for more than three looks. Each look moves
/// the smoothed value by its share, and counts for no more than the limit, so that it takes 0.4 s to settle.
const STILL: f32 = 0.05;
const CHANGE_SHARE: f32 = 0.3;
const CHANGE_LIMIT: f32 = 0.5;
const FROZEN_AFTER: Duration = Duration::from_millis(1600);
/// The same while the pictures cost next to nothing to send: then there is nothing left to refine.
const FROZEN_CHEAP_AFTER: Duration = Duration::from_millis(500);
/// Under a mosaic a still person changes few blocks, and each block that changes is 0.007 or more: looks are taken one by
/// one, and two that changed in a row end it (one may be a key frame).
const STILL_VEILED: f32 = 0.003;
const FROZEN_VEILED_AFTER: Duration = Duration::from_secs(3);
/// Whoever is frozen is veiled, and the encoder draws the mosaic anew and refines it for so long: that is no movement.
const TURNING: Duration = Duration::from_millis(1000);
/// So much movement, and not as much standstill between, ends what was called frozen behind a mosaic.
const STIRS_FOR: Duration = Duration::from_millis(500);
/// A look stands for the time since the last one, at most so long.
const LONGEST: Duration = Duration::from_millis(150);
/// A picture of which so much is empty, and which does not change, is a drawn one.
const DRAWN_EMPTY: f32 = 0.8;
const DRAWN_CHANGE: f32 = 0.03;
/// Without any colour it may change by more, as an encoder refines it (seen: up to 0.12). No open camera of 288 clips was as empty with so
/// little colour.
const DRAWN_GREY: f32 = 0.2;
const DRAWN_CHANGE_GREY: f32 = 0.15;
const DRAWN_AFTER: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Still {
    Moves,
    Frozen,
    Drawn,
}

#[derive(Debug)]
pub(crate) struct Stillness {
    change: f32,
    changed: bool,
    moves: bool,
    still_since: Option<Duration>,
    drawn_since: Option<Duration>,
    told: Option<Told>,
    /// Of the last look.
    last: Option<(bool, Duration)>,
}

/// What was called frozen.
#[derive(Debug)]
struct Told {
    /// When the picture became a mosaic since.
    turned: Option<Duration>,
    stirs: Duration,
}

impl Default for Stillness {
    fn default() -> Self {
        Self { change: CHANGE_LIMIT, changed: true, moves: true, still_since: None, drawn_since: None, told: None, last: None }
    }
}

impl Stillness {
    /// What a key frame or another size changes is not counted: it is the encoder that drew anew, whatever the camera does.
    pub fn look(&mut self, measures: &Measures, mosaic: bool, arrival: Arrival, now: Duration) -> Still {
        let change = if arrival.redrawn { None } else { Some(measures.change) };
        let frozen = self.is_frozen(change, mosaic, arrival.cheap, now);
        let most = if measures.colours <= DRAWN_GREY { DRAWN_CHANGE_GREY } else { DRAWN_CHANGE };
        let drawn = measures.empty >= DRAWN_EMPTY && change.is_none_or(|change| change <= most);
        let since = if drawn { *self.drawn_since.get_or_insert(now) } else { now };
        if !drawn {
            self.drawn_since = None;
        }
        match (drawn && now.saturating_sub(since) >= DRAWN_AFTER, frozen) {
            (true, _) => Still::Drawn,
            (false, true) => Still::Frozen,
            (false, false) => Still::Moves,
        }
    }

    fn is_frozen(&mut self, change: Option<f32>, mosaic: bool, cheap: bool, now: Duration) -> bool {
        if let Some(change) = change {
            self.change += CHANGE_SHARE * (change.min(CHANGE_LIMIT) - self.change);
            let changed = change > STILL_VEILED;
            self.moves = if mosaic { changed && self.changed } else { self.change > STILL };
            self.changed = changed;
        }
        let (was, before) = self.last.replace((mosaic, now)).unwrap_or((mosaic, now));
        if let Some(told) = &mut self.told {
            if mosaic && !was {
                told.turned = Some(now);
            }
            let passed = now.saturating_sub(before).min(LONGEST);
            let stirs = self.moves && told.turned.is_none_or(|turned| now.saturating_sub(turned) >= TURNING);
            told.stirs = if stirs { told.stirs + passed } else { told.stirs.saturating_sub(passed) };
            if !stirs || (mosaic && told.stirs < STIRS_FOR) {
                return true;
            }
            self.told = None;
        }
        if self.moves {
            self.still_since = None;
            return false;
        }
        let since = *self.still_since.get_or_insert(now);
        let after = match (mosaic, cheap) {
            // A still person behind a mosaic costs next to nothing too.
            (true, _) => FROZEN_VEILED_AFTER,
            (false, true) => FROZEN_CHEAP_AFTER,
            (false, false) => FROZEN_AFTER,
        };
        let frozen = now.saturating_sub(since) >= after;
        self.told = frozen.then_some(Told { turned: None, stirs: Duration::ZERO });
        frozen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Still::{Drawn, Frozen, Moves};

    /// A look is taken every 50 ms.
    struct Camera {
        stillness: Stillness,
        at: u64,
        mosaic: bool,
        cheap: bool,
        colours: f32,
    }

    impl Camera {
        /// One whose pictures moved for a second.
        fn moving(mosaic: bool) -> Self {
            let mut camera = Self { stillness: Stillness::default(), at: 0, mosaic, cheap: false, colours: 8.0 };
            camera.shows(20, 2.0, Moves);
            camera
        }

        fn look(&mut self, change: f32, empty: f32, redrawn: bool) -> Still {
            let measures = Measures { change, empty, colours: self.colours, ..Measures::default() };
            let arrival = Arrival { redrawn, cheap: self.cheap };
            self.at += 50;
            self.stillness.look(&measures, self.mosaic, arrival, Duration::from_millis(self.at))
        }

        fn shows(&mut self, looks: usize, change: f32, expected: Still) {
            for look in 0..looks {
                assert_eq!(self.look(change, 0.0, false), expected, "look {look} of {change}, at {} ms", self.at);
            }
        }

        /// Milliseconds from the first of these looks to the one that is `expected`.
        fn until(&mut self, expected: Still, change: f32, empty: f32) -> u64 {
            let start = self.at + 50;
            for _ in 0..200 {
                if self.look(change, empty, false) == expected {
                    return self.at - start;
                }
            }
            panic!("never {expected:?}, with a change of {change}");
        }
    }

    #[test]
    fn a_repeated_picture_is_frozen_sooner_when_it_costs_nothing_and_later_behind_a_mosaic() {
        // The smoothed change takes six looks to come down from its limit; a mosaic's looks are taken one by one.
        for (mosaic, cheap, after) in
            [(false, false, 300 + 1600), (false, true, 300 + 500), (true, false, 3000), (true, true, 3000)]
        {
            let mut camera = Camera::moving(mosaic);
            camera.cheap = cheap;
            assert_eq!(camera.until(Frozen, 0.0, 0.0), after, "mosaic {mosaic}, cheap {cheap}");
            camera.shows(100, 0.0, Frozen);
        }
    }

    #[test]
    fn what_an_encoder_refines_is_no_movement_and_a_sensors_noise_is() {
        let mut refined = Camera::moving(false);
        assert_eq!(refined.until(Frozen, 0.04, 0.0), 500 + 1600);
        Camera::moving(false).shows(200, 0.06, Moves);
        Camera::moving(true).shows(200, 0.004, Moves);
        assert_eq!(Camera::moving(true).until(Frozen, 0.003, 0.0), 3000);
    }

    #[test]
    fn one_movement_starts_the_wait_anew_and_behind_a_mosaic_two_in_a_row_do() {
        let mut clear = Camera::moving(false);
        clear.shows(37, 0.0, Moves);
        clear.shows(1, 2.0, Moves);
        assert_eq!(clear.until(Frozen, 0.0, 0.0), 150 + 1600, "a single one is soon forgotten");
        let mut veiled = Camera::moving(true);
        veiled.shows(30, 0.0, Moves);
        veiled.shows(1, 2.0, Moves);
        assert_eq!(veiled.until(Frozen, 0.0, 0.0), 3000 - 31 * 50, "one may be a key frame");
        let mut veiled = Camera::moving(true);
        veiled.shows(30, 0.0, Moves);
        veiled.shows(2, 2.0, Moves);
        assert_eq!(veiled.until(Frozen, 0.0, 0.0), 3000);
    }

    /// Neither for nor against: a peer who draws all anew every other look looks no more alive for it.
    #[test]
    fn what_was_drawn_anew_counts_for_nothing() {
        for mosaic in [false, true] {
            let mut camera = Camera::moving(mosaic);
            let start = camera.at + 50;
            let frozen = (0..100).find(|look| camera.look(if look % 2 == 1 { 9.0 } else { 0.0 }, 0.0, look % 2 == 1) == Frozen);
            assert!(frozen.is_some(), "mosaic {mosaic}");
            assert_eq!(camera.at - start, if mosaic { 3000 } else { 600 + 1600 }, "mosaic {mosaic}");
        }
        let mut drawn = Camera::moving(false);
        let looks: Vec<Still> = (0..6).map(|look| drawn.look(9.0 * (look % 2) as f32, 0.9, look % 2 == 1)).collect();
        assert_eq!(looks, [Moves, Moves, Moves, Moves, Moves, Drawn]);
    }

    #[test]
    fn an_empty_picture_that_does_not_change_is_drawn_and_the_wait_is_for_both_at_once() {
        let mut camera = Camera::moving(false);
        assert_eq!(camera.until(Drawn, 0.03, 0.8), 250);
        assert_eq!(camera.look(0.04, 0.8, false), Moves);
        assert_eq!(camera.until(Drawn, 0.0, 1.0), 250);
        assert_eq!(camera.look(0.0, 0.79, false), Moves);
        assert_eq!(camera.until(Drawn, 0.0, 0.8), 250);
        for (change, empty) in [(0.04, 1.0), (0.0, 0.79)] {
            let mut camera = Camera::moving(false);
            assert!((0..30).all(|_| camera.look(change, empty, false) != Drawn), "{change} {empty}");
        }
        for (colours, change, told) in [(0.2, 0.15, true), (0.2, 0.16, false), (0.21, 0.15, false), (0.21, 0.03, true)] {
            let mut camera = Camera::moving(false);
            camera.colours = colours;
            assert_eq!((0..30).any(|_| camera.look(change, 0.8, false) == Drawn), told, "{change} with colours of {colours}");
        }
        // Also what was called frozen before.
        let mut frozen = Camera::moving(true);
        frozen.until(Frozen, 0.0, 0.0);
        assert_eq!(frozen.until(Drawn, 0.0, 0.8), 250);
    }

    fn frozen(mosaic: bool) -> Camera {
        let mut camera = Camera::moving(mosaic);
        camera.until(Frozen, 0.0, 0.0);
        camera
    }

    #[test]
    fn what_was_frozen_moves_at_once_but_behind_a_mosaic_only_after_half_a_second_of_it() {
        assert_eq!(frozen(false).until(Moves, 2.0, 0.0), 0);
        // The first of two changes in a row does not count, and ten looks are half a second.
        assert_eq!(frozen(true).until(Moves, 2.0, 0.0), 500);
        // As much standstill as movement takes it away again, and more than that leaves no debt.
        let mut camera = frozen(true);
        camera.shows(9, 2.0, Frozen);
        camera.shows(30, 0.0, Frozen);
        assert_eq!(camera.until(Moves, 2.0, 0.0), 500);
        let mut camera = frozen(true);
        camera.shows(9, 2.0, Frozen);
        camera.shows(4, 0.0, Frozen);
        assert_eq!(camera.until(Moves, 2.0, 0.0), 350, "five looks of eight were taken back, with the first that moved again");
        // And then it has to stand still for as long as at first.
        camera.shows(3, 2.0, Moves);
        assert_eq!(camera.until(Frozen, 0.0, 0.0), 3000);
    }

    #[test]
    fn a_mosaic_drawn_anew_over_what_was_frozen_is_no_movement_for_a_second() {
        let mut camera = frozen(false);
        camera.mosaic = true;
        // A second after the turn it begins to count.
        assert_eq!(camera.until(Moves, 2.0, 0.0), 1000 + 450);
        let mut camera = frozen(false);
        camera.mosaic = true;
        camera.shows(20, 2.0, Frozen);
        camera.shows(10, 0.0, Frozen);
        camera.mosaic = false;
        assert_eq!(camera.until(Moves, 2.0, 0.0), 0);
    }

    #[test]
    fn a_look_after_a_long_pause_stands_for_no_more_than_a_short_one() {
        let mut camera = frozen(true);
        camera.shows(1, 2.0, Frozen);
        for look in 1..4 {
            camera.at += 10_000;
            assert_eq!(camera.look(2.0, 0.0, false), Frozen, "look {look}");
        }
        camera.at += 10_000;
        assert_eq!(camera.look(2.0, 0.0, false), Moves);
    }
}

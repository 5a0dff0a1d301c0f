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
        let drawn = measures.empty >= DRAWN_EMPTY && change.is_none_or(|change| change <= DRAWN_CHANGE);
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

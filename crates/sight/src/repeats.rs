//! A recording played in a loop: pictures that move, and each of which is the one from the same time ago. Nobody moves the same
//! way twice, and a sensor's noise is never the same.
//!
//! The newest looks are held against as many that lie so and so long back, each against its own: what differs must be little of what
//! differs among the newest themselves ([`AMONG`] of them, so that a nod between two rests does not count). So it is movement that must
//! come back: a view that rests, is disturbed and rests again is no loop, nor is a cover that comes and goes. The light of the
//! whole picture is taken out first: exposure that settles is no movement.

use crate::grids::{BLOCKS, distance, mean, quantile};
use std::collections::VecDeque;
use std::time::Duration;

/// Looks are compared by their times: not every picture is looked at, and those that are do not come evenly. Times before are counted
/// in steps of a fifteenth of a second.
const STEP: Duration = Duration::from_micros(66_667);
/// Lengths of a loop that are looked for, in steps: half a second to seven.
const SHORTEST: usize = 8;
const LONGEST: usize = 105;
/// Looks that are remembered at most; they are 60 ms apart at least.
const MOST_LOOKS: usize = 120;
/// Looks nearer than this to one another are alike without any loop.
const NEAR: usize = 3;
/// What all but so large a share of the newest looks differ by from one another.
const AMONG: f32 = 0.4;

/// So many looks, which differ from those before by so little of what they differ by from one another, by so many levels at most
/// (means over the blocks and looks), and none by more than twice that; and by so little of what each differs by from the very last.
struct Rule {
    looks: usize,
    /// Levels that they must differ by from one another: else nothing moves, and there is nothing to compare.
    moves: f32,
    share: f32,
    levels: f32,
    last: f32,
    /// Each may have slipped by a look: the network's clock is not the camera's, and not every picture is looked at.
    slips: bool,
}

/// Much movement is told soon, whatever an encoder with few bits leaves of it (at 90 to 170 kbit/s up to 0.9 levels). The set's two
/// loops have a share of 0.05; with one of 0.32 none of its other clips is told either.
const MUCH: Rule = Rule { looks: 22, moves: 0.25, share: 0.25, levels: 0.8, last: f32::INFINITY, slips: false };
/// The same while it is told: a loop in which something rests is one throughout.
const MUCH_YET: Rule = Rule { looks: 22, moves: 0.25, share: 0.4, levels: 1.2, last: f32::INFINITY, slips: false };
/// Little movement is not much more than what coding leaves, so that it takes longer, and little must be left: about as little as from
/// the very last look. Whoever comes near to where they were some seconds ago is never as near to that, all the while, as to a
/// fifteenth of a second ago. 2.4 s of drawn faces that swayed in waves, at 100 to 1,000 kbit/s, clear and veiled: loops 0.03 to
/// 1.07, open ones that are under the share 1.16 and more. No person of the set is under so few levels.
const LITTLE: Rule = Rule { looks: 36, moves: 0.1, share: 0.7, levels: 0.35, last: 1.1, slips: true };
/// While it is told.
const LITTLE_YET: Rule = Rule { looks: 36, moves: 0.1, share: 0.8, levels: 0.5, last: 1.3, slips: true };

/// Whoever is told is veiled, and a mosaic is not like the pictures before it, nor they like it: until a round of it and so many steps are
/// seen, what was told stands.
const HOLD: usize = LITTLE_YET.looks + 4;

/// Of one look: mean absolute difference from what was shown so many steps before, one step first. Infinite where nothing was.
type Differences = [f32; LONGEST];

/// The same where each may have slipped by a step: the least of three.
fn slipped(differences: &Differences) -> Differences {
    std::array::from_fn(|at| {
        let near = &differences[at.saturating_sub(1)..(at + 2).min(LONGEST)];
        near.iter().copied().fold(f32::INFINITY, f32::min)
    })
}

#[derive(Debug, Default)]
pub(crate) struct Repeats {
    /// Time, and block means without the mean of them all, newest first.
    past: VecDeque<(Duration, Vec<f32>)>,
    /// Newest first, as many as a rule asks for; and slipped.
    differences: VecDeque<(Differences, Differences)>,
    /// How many steps a round has.
    told: Option<usize>,
    mosaic: bool,
    /// What was told is told until then.
    held: Option<Duration>,
}

impl Repeats {
    /// Nothing that is remembered counts any more.
    pub fn forget(&mut self) {
        *self = Self { mosaic: self.mosaic, ..Self::default() };
    }

    /// `y`: block means of the newest picture. Whether pictures come back.
    pub fn look(&mut self, y: &[f32], mosaic: bool, now: Duration) -> bool {
        if std::mem::replace(&mut self.mosaic, mosaic) != mosaic {
            self.held = self.told.map(|round| now + STEP * (round + HOLD) as u32);
        }
        let light = mean(y);
        let mut newest = if self.past.len() == MOST_LOOKS { self.past.pop_back().unwrap_or_default().1 } else { Vec::new() };
        newest.clear();
        newest.extend(y.iter().map(|level| level - light));
        let differences = self.differences_of(&newest, now);
        self.past.push_front((now, newest));
        self.differences.truncate(MUCH.looks.max(LITTLE.looks) - 1);
        self.differences.push_front((differences, slipped(&differences)));
        let rules = if self.told.is_some() { [&MUCH_YET, &LITTLE_YET] } else { [&MUCH, &LITTLE] };
        let found = rules.into_iter().find_map(|rule| self.round(rule));
        self.told = found.or(self.told.filter(|_| self.held.is_some_and(|until| now < until)));
        self.told.is_some()
    }

    /// Each step has the look that is nearest to it in time, and not further than a step.
    fn differences_of(&self, newest: &[f32], now: Duration) -> Differences {
        let (mut differences, mut nearest) = ([f32::INFINITY; LONGEST], [STEP; LONGEST]);
        for (at, past) in &self.past {
            let ago = now.saturating_sub(*at);
            let step = (ago.as_secs_f32() / STEP.as_secs_f32()) as usize;
            if step > LONGEST {
                break;
            }
            let difference = distance(past, newest) / BLOCKS as f32;
            if nearest[0] == STEP {
                // The very last look, however long ago.
                (nearest[0], differences[0]) = (Duration::ZERO, difference);
            }
            for step in step.max(1)..(step + 2).min(LONGEST + 1) {
                let off = ago.abs_diff(STEP * step as u32);
                if off < nearest[step - 1] {
                    (nearest[step - 1], differences[step - 1]) = (off, difference);
                }
            }
        }
        differences
    }

    /// The shortest round that the rule finds, in steps.
    fn round(&self, rule: &Rule) -> Option<usize> {
        if self.differences.len() < rule.looks {
            return None;
        }
        let newest = || self.differences.iter().take(rule.looks);
        let (mut among, mut from_last) = (Vec::with_capacity(rule.looks * rule.looks / 2), 0.0);
        for (ago, (differences, _)) in newest().enumerate() {
            // What lies `n` steps before it is at `n - 1`.
            among.extend_from_slice(&differences[NEAR - 1..(rule.looks - 1 - ago).max(NEAR - 1)]);
            from_last += differences[0];
        }
        let among = quantile(&mut among, AMONG);
        if among <= rule.moves {
            return None;
        }
        let mut from_before = [0.0; LONGEST];
        for (even, slipped) in newest() {
            let differences = if rule.slips { slipped } else { even };
            for (sum, difference) in from_before.iter_mut().zip(differences) {
                *sum += if *difference < 2.0 * rule.levels { *difference } else { f32::INFINITY };
            }
        }
        let most = (rule.levels.min(rule.share * among) * rule.looks as f32).min(rule.last * from_last);
        from_before[SHORTEST - 1..].iter().position(|sum| *sum < most).map(|at| at + SHORTEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: usize = 40;

    fn at_look(look: usize) -> Duration {
        STEP * look as u32
    }

    /// Two bright spots that wander, and noise (of that seed) of half a level.
    fn picture(at: usize, seed: usize) -> Vec<f32> {
        let sway = |every: f32, far: f32| far * (at as f32 / every).sin();
        let spots = [150.0 + sway(5.1, 60.0) + sway(13.9, 50.0), 400.0 + sway(3.7, 50.0) + sway(8.3, 60.0)];
        let spot = |block: usize| spots.iter().map(|middle| (block as f32 - middle).abs().min(60.0)).sum::<f32>();
        let noise = |block: usize| ((block * 7919 + seed * 104_729 + block * seed * 31) % 10_007) as f32 / 10_007.0 - 0.5;
        (0..BLOCKS).map(|block| 180.0 - spot(block) + noise(block)).collect()
    }

    fn first(looks: usize, shown: impl Fn(usize) -> (usize, usize)) -> Option<usize> {
        let mut repeats = Repeats::default();
        (0..looks).find(|&look| {
            let (at, seed) = shown(look);
            repeats.look(&picture(at, seed), false, at_look(look))
        })
    }

    #[test]
    fn a_loop_is_told_a_while_after_it_starts_again() {
        let told = first(300, |look| if look < 100 { (look, look) } else { (60 + look % PERIOD, look) });
        let begun = 100;
        assert!(told.is_some_and(|told| (begun + MUCH.looks - 4..begun + PERIOD + 30).contains(&told)), "{told:?}");
    }

    /// `strength` of the picture, and each block off by up to `off` levels, each time otherwise: what an encoder leaves.
    fn coded(at: usize, look: usize, strength: f32, off: f32) -> Vec<f32> {
        let error = |block: usize| ((block * 31 + look * 7919 + block * look * 17) % 10_007) as f32 / 5003.0 - 1.0;
        picture(at, 1).into_iter().enumerate().map(|(block, level)| strength * level + off * error(block)).collect()
    }

    /// Looks after which a loop that starts again at look 100 is told, if it is, and whether what is no loop is taken for one.
    fn told_coded(strength: f32, off: f32) -> (Option<usize>, bool) {
        let (mut repeats, mut open) = (Repeats::default(), Repeats::default());
        let told = (0..300).find(|&look| {
            let at = if look < 100 { look } else { 60 + look % PERIOD };
            repeats.look(&coded(at, look, strength, off), false, at_look(look))
        });
        (told, (0..400).any(|look| open.look(&coded(look, look, strength, off), false, at_look(look))))
    }

    #[test]
    fn a_loop_of_much_movement_is_told_though_each_round_is_coded_otherwise() {
        let (told, open) = told_coded(3.0, 1.0);
        assert!(told.is_some_and(|told| (120..170).contains(&told)), "{told:?}");
        assert!(!open);
    }

    #[test]
    fn a_loop_of_little_movement_is_told_after_a_while() {
        let (told, open) = told_coded(0.06, 0.48);
        assert!(told.is_some_and(|told| (100 + LITTLE.looks - 1..220).contains(&told)), "{told:?}");
        assert!(!open);
    }

    #[test]
    fn what_is_forgotten_counts_no_more() {
        let mut repeats = Repeats::default();
        let mut shown = (0..).map(|look| (picture(look % PERIOD, look), at_look(look)));
        let mut until_told = || shown.by_ref().take(200).position(|(y, now)| repeats.look(&y, false, now));
        let first = until_told();
        repeats.forget();
        assert!(repeats.past.is_empty() && repeats.differences.is_empty() && repeats.told.is_none());
        let mut until_told = || shown.by_ref().take(200).position(|(y, now)| repeats.look(&y, false, now));
        let again = until_told();
        assert!(first.is_some() && again.is_some_and(|again| again >= PERIOD), "{first:?} {again:?}");
    }

    /// Looks that differ by `among` from those since the oldest that counts and by so much as is never alike from those before; but by
    /// what `otherwise` says, given how many looks ago the one was and how many before it the other.
    fn is_loop(rule: &Rule, among: f32, otherwise: impl Fn(usize, usize) -> Option<f32>) -> bool {
        let usual = |ago: usize, before: usize| if ago + before < rule.looks { among } else { f32::INFINITY };
        let look = |ago| std::array::from_fn(|at| otherwise(ago, at + 1).unwrap_or_else(|| usual(ago, at + 1)));
        let mut repeats =
            Repeats { differences: (0..rule.looks).map(look).map(|even| (even, slipped(&even))).collect(), ..Repeats::default() };
        let whole = repeats.round(rule).is_some();
        repeats.differences.pop_back();
        assert_eq!(repeats.round(rule), None, "a look is missing");
        whole
    }

    #[test]
    fn what_differs_from_before_is_little_of_what_differs_among_the_newest() {
        let of = |among: f32, from_before: f32| is_loop(&MUCH, among, |_, before| (before == 30).then_some(from_before));
        assert_eq!([of(2.0, 0.49), of(2.0, 0.51)], [true, false], "a quarter");
        assert_eq!([of(10.0, 0.79), of(10.0, 0.81)], [true, false], "nor more than that many levels");
        assert_eq!([of(0.26, 0.0), of(MUCH.moves, 0.0)], [true, false], "something must move");
        // No look may be quite another.
        let one = |off: f32| is_loop(&MUCH, 10.0, |ago, before| (before == 30).then_some(if ago == 9 { off } else { 0.0 }));
        assert_eq!([1.59, 2.0 * MUCH.levels, 1.7].map(one), [true, false, false]);
    }

    /// However little of the movement and however few levels it is.
    #[test]
    fn where_little_moves_what_is_from_before_is_about_as_near_as_the_last() {
        let of = |from_last: f32| {
            let otherwise = move |_, before| match before {
                1 => Some(from_last),
                30 => Some(0.22),
                _ => None,
            };
            [is_loop(&LITTLE, 1.0, otherwise), is_loop(&LITTLE_YET, 1.0, otherwise), is_loop(&MUCH, 1.0, otherwise)]
        };
        assert_eq!(of(0.21), [true; 3]);
        assert_eq!(of(0.19), [false, true, true], "over 1.1 times");
        assert_eq!(of(0.16), [false, false, true], "over 1.3 times");
    }

    #[test]
    fn a_round_has_from_half_a_second_to_seven_and_may_slip_where_little_moves() {
        let of = |rule: &Rule, even: usize, odd: usize| {
            is_loop(rule, 5.0, |ago, before| (before == if ago % 2 == 0 { even } else { odd }).then_some(0.0))
        };
        for (length, told) in [(SHORTEST - 1, false), (SHORTEST, true), (50, true), (LONGEST, true)] {
            assert_eq!(of(&MUCH, length, length), told, "{length}");
        }
        for (odd, much, little) in
            [(50, true, true), (51, false, true), (52, false, true), (53, false, false), (99, false, false)]
        {
            assert_eq!([of(&MUCH, 50, odd), of(&LITTLE, 50, odd)], [much, little], "{odd}");
        }
    }

    /// Of 190 pairs of the newest looks that lie three apart or more, the 77th is what they differ by: here that is next to nothing for
    /// 77 of them, or for 76.
    #[test]
    fn what_the_newest_differ_by_is_what_all_but_two_fifths_exceed_whoever_is_near() {
        for (more, told) in [(7, false), (6, true)] {
            let low = |ago: usize, before: usize| before < 7 || (before == 7 && ago < more);
            let of = |ago, before| {
                if before == 30 { Some(0.0) } else { low(ago, before).then_some(0.1) }
            };
            assert_eq!(is_loop(&MUCH, 5.0, of), told, "{more}");
        }
    }

    /// Half of each round moves much, the other less.
    #[test]
    fn a_loop_in_which_something_rests_is_told_throughout() {
        let mut repeats = Repeats::default();
        let told: Vec<bool> = (0..400)
            .map(|look| {
                let phase = look % 60;
                let at = if phase < 30 { 2 * phase } else { 60 + phase / 2 };
                repeats.look(&coded(at, look, 0.15, 0.7), false, at_look(look))
            })
            .collect();
        let first = told.iter().position(|told| *told);
        assert!(first.is_some_and(|first| first < 100), "{first:?}");
        let rests = told.iter().rposition(|told| !*told);
        assert!(rests < first, "not told at {rests:?}");
    }

    /// Looks that are 60 to 110 ms apart, of a loop of two seconds.
    #[test]
    fn a_loop_is_told_throughout_though_looks_do_not_come_evenly() {
        let (mut repeats, mut now, mut late) = (Repeats::default(), Duration::ZERO, 1_u64);
        let mut told = Vec::new();
        for look in 0..400_u64 {
            late = late.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(look);
            now += Duration::from_millis(60 + (late >> 33) % 51);
            let shown = now.as_secs_f32() % 2.0 * 15.0;
            let spot = 270.0 + 40.0 * (shown * std::f32::consts::TAU / 30.0).sin();
            let noise = |block: usize| ((block as u64 * 31 + look * 7919 + block as u64 * look * 17) % 10_007) as f32 / 20_000.0;
            let picture: Vec<f32> = (0..BLOCKS).map(|block| noise(block) - 0.1 * (block as f32 - spot).abs().min(60.0)).collect();
            told.push(repeats.look(&picture, false, now));
        }
        let first = told.iter().position(|told| *told);
        assert!(first.is_some_and(|first| first < 100), "{first:?}");
        assert_eq!(told.iter().rposition(|told| !*told), first.map(|first| first - 1), "not told in between");
    }

    /// Somebody who sways so evenly that each look is next to one some seconds ago, and never quite there.
    #[test]
    fn who_comes_near_to_where_they_were_is_no_loop() {
        let swaying = |look: usize| {
            let wave = |seconds: f32, shift: f32| (look as f32 / 15.0 * std::f32::consts::TAU / seconds + shift).sin();
            let spots = [150.0 + 24.0 * wave(7.1, 0.3) + 10.0 * wave(3.3, 1.0), 400.0 + 10.0 * wave(5.9, 2.0)];
            let spot = |block: usize| spots.iter().map(|middle| (block as f32 - middle).abs().min(60.0)).sum::<f32>();
            let noise = |block: usize| ((block * 31 + look * 7919 + block * look * 17) % 10_007) as f32 / 50_035.0;
            (0..BLOCKS).map(|block| noise(block) - 0.1 * spot(block)).collect::<Vec<f32>>()
        };
        let near = Rule { last: f32::INFINITY, ..LITTLE };
        let (mut repeats, mut nearly) = (Repeats::default(), 0);
        for look in 0..600 {
            assert!(!repeats.look(&swaying(look), false, at_look(look)), "at {look}");
            nearly += usize::from(repeats.round(&near).is_some());
        }
        assert!(nearly > 60, "near enough but for the last look: {nearly}");
        let told = (600..900).map(|look| repeats.look(&swaying(600 + look % 60), false, at_look(look))).collect::<Vec<bool>>();
        assert!(told[60 + LITTLE.looks..].iter().all(|told| *told), "as a recording it is one: {told:?}");
    }

    /// A nod, always the same, between two rests of the same length; and a cover that comes and goes.
    #[test]
    fn what_is_seen_again_between_rests_is_no_loop() {
        for (every, lasts, strength) in [(24, 4, 0.06), (30, 5, 0.3), (40, 6, 1.0), (60, 6, 3.0)] {
            let mut repeats = Repeats::default();
            for look in 0..400 {
                let at = if look % every < lasts { 100 + look % every } else { 7 };
                assert!(!repeats.look(&coded(at, look, strength, 0.3), false, at_look(look)), "every {every}, at {look}");
            }
        }
    }

    #[test]
    fn what_moves_on_what_stands_still_and_what_stops_is_no_loop() {
        assert_eq!(first(400, |look| (look, look)), None);
        assert_eq!(first(400, |look| (7, look)), None);
        assert_eq!(first(400, |look| (look.min(150), look)), None);
        assert_eq!(first(400, |_| (7, 7)), None);
        // An empty room through which somebody walks now and then.
        assert_eq!(first(400, |look| (if look % 40 < 30 { 7 } else { look }, look)), None);
        // The same under light that comes and goes.
        let mut repeats = Repeats::default();
        for look in 0..400 {
            let light = 1.5 * (look as f32 * 0.2).sin();
            let at = if look % 40 < 30 { 7 } else { look };
            let lit: Vec<f32> = picture(at, look).into_iter().map(|level| level + light).collect();
            assert!(!repeats.look(&lit, false, at_look(look)), "at {look}");
        }
    }
}

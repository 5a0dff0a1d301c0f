//! The latent truth: who would really like whom. Only the referee asks it; a matcher gets the [`Waiter`]s alone.
//!
//! Twelve-dimensional taste around 24 clusters (age moves which), 40 towns (Zipf) with 8 languages, talkativeness, conduct (3 % bad
//! actors), pickiness, each one's tolerance of age and love of the own city, twelve games, and a chemistry of two that nothing
//! visible tells. Liking is directed; `mutual` is the product of both chances to follow. Visible: up to 8 of 200 interests (none
//! for a quarter), games (none for a fifth), city and age band (70 % each), the star sign's part is left out as it predicts nothing.

use crate::chance::{Dice, normal_of};
use visavis_matching::{Fact, Log, Outcome, PersonId, Waiter, Widened};

const D: usize = 12;
const CLUSTERS: usize = 24;
const INTERESTS: usize = 200;
const GAMES: usize = 12;
const TOWNS: usize = 40;
const LANGUAGES: usize = 8;
/// A band's middle stands for it: years are not told.
const BANDS: [(f64, u8); 6] = [(25.0, 21), (30.0, 27), (35.0, 32), (45.0, 39), (55.0, 49), (f64::MAX, 60)];

struct Latent {
    taste: [f64; D],
    age: f64,
    age_tolerance: f64,
    talk: f64,
    quality: f64,
    bad: bool,
    town: usize,
    love_of_town: f64,
    languages: u16,
    patience: f64,
    games: [f64; GAMES],
    picky: f64,
}

pub struct World {
    seed: u64,
    latent: Vec<Latent>,
    pub people: Vec<Waiter>,
    /// Meetings of the past, in order, between people put together at random.
    pub past: Vec<(usize, usize, Outcome)>,
}

/// What everybody in this world is drawn from.
struct Ground {
    clusters: Vec<[f64; D]>,
    cluster_ages: Vec<f64>,
    interests: Vec<[f64; D]>,
    games: Vec<([f64; D], f64)>,
    town_sizes: Vec<f64>,
    town_languages: Vec<usize>,
}

fn dot(a: &[f64; D], b: &[f64; D]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn on_sphere(v: [f64; D]) -> [f64; D] {
    let length = dot(&v, &v).sqrt();
    v.map(|x| x / length)
}

fn direction(dice: &mut Dice) -> [f64; D] {
    on_sphere(std::array::from_fn(|_| dice.normal()))
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Ground {
    fn new(dice: &mut Dice) -> Self {
        let clusters: Vec<_> = (0..CLUSTERS).map(|_| direction(dice)).collect();
        let cluster_ages = (0..CLUSTERS).map(|_| 20.0 + 35.0 * dice.unit()).collect();
        let near = |interest: usize, dice: &mut Dice| {
            let away = direction(dice);
            on_sphere(std::array::from_fn(|i| clusters[interest % CLUSTERS][i] + 0.6 * away[i]))
        };
        let interests = (0..INTERESTS).map(|interest| near(interest, dice)).collect();
        let games = (0..GAMES).map(|_| (direction(dice), dice.normal())).collect();
        let language = |town: usize, dice: &mut Dice| match town {
            0 | 1 | 4 => 0,
            2 | 6 => 1,
            3 => 2,
            5 => 3,
            7 => 4,
            _ => dice.weighted(&[8.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.6, 0.4]),
        };
        Self {
            interests,
            games,
            town_sizes: (0..TOWNS).map(|town| 1.0 / (town as f64 + 1.0).powf(0.8)).collect(),
            town_languages: (0..TOWNS).map(|town| language(town, dice)).collect(),
            clusters,
            cluster_ages,
        }
    }

    fn person(&self, dice: &mut Dice) -> Latent {
        let town = dice.weighted(&self.town_sizes);
        let age = (18.0 + dice.exponential(11.0)).min(70.0);
        let likely = |cluster_age: &f64| (-((age - cluster_age) / 14.0).powi(2)).exp() + 0.05;
        let likely: Vec<f64> = self.cluster_ages.iter().map(likely).collect();
        let (one, other) = (dice.weighted(&likely), dice.weighted(&likely));
        let mixed = if dice.happens(0.3) { 0.5 } else { 0.0 };
        let own = direction(dice);
        let taste: [f64; D] =
            std::array::from_fn(|i| (1.0 - mixed) * self.clusters[one][i] + mixed * self.clusters[other][i] + 0.55 * own[i]);
        let taste = on_sphere(taste);
        let mut languages = 1 << self.town_languages[town];
        if dice.happens(0.35) {
            languages |= 1;
        }
        if dice.happens(0.08) {
            languages |= 1 << dice.below(LANGUAGES);
        }
        let talk = dice.normal();
        let bad = dice.happens(0.03);
        Latent {
            age,
            age_tolerance: 5.0 + dice.exponential(7.0),
            quality: if bad { -2.5 } else { dice.normal() * 0.8 },
            bad,
            town,
            love_of_town: dice.unit(),
            languages,
            patience: 15.0 + dice.exponential(45.0),
            games: std::array::from_fn(|game| {
                let (kind, talkative) = &self.games[game];
                1.5 * dot(&taste, kind) + 0.5 * talk * talkative + 0.6 * dice.normal()
            }),
            picky: 0.5 * dice.normal(),
            talk,
            taste,
        }
    }

    /// What a person writes into the profile.
    fn profile(&self, number: usize, latent: &Latent, dice: &mut Dice) -> Waiter {
        let how_many = if dice.happens(0.25) { 0 } else { 1 + dice.below(8) };
        let likely: Vec<f64> = if how_many == 0 {
            Vec::new()
        } else {
            self.interests.iter().map(|of| (7.0 * dot(&latent.taste, of)).exp()).collect()
        };
        let mut interests: Vec<usize> = (0..how_many).map(|_| dice.weighted(&likely)).collect();
        interests.sort_unstable();
        interests.dedup();
        let mut games: Vec<String> = Vec::new();
        for (game, liked) in latent.games.iter().enumerate() {
            if dice.happens(sigmoid(1.4 * liked - 1.0)) {
                games.push(format!("game {game}"));
            }
        }
        if dice.happens(0.2) {
            games.clear();
        }
        let main = self.town_languages[latent.town];
        let others = (0..LANGUAGES).filter(|language| *language != main && latent.languages >> language & 1 == 1);
        let city = if dice.happens(0.7) { format!("town {}", latent.town) } else { String::new() };
        let band = BANDS.iter().find(|(below, _)| latent.age < *below).map(|(_, middle)| *middle);
        Waiter {
            id: PersonId(number as u128),
            adult: true,
            languages: Fact::shared(std::iter::once(main).chain(others).map(|language| format!("l{language}")).collect()),
            interests: Fact::shared(interests.into_iter().map(|interest| format!("interest {interest}")).collect()),
            games: Fact::shared(games),
            city: Fact::shared(city),
            age: Fact::shared(band.filter(|_| dice.happens(0.7))),
            recent: Vec::new(),
            blocked: Vec::new(),
            conduct: 0,
            log: Log::default(),
            widened: Widened::default(),
            since_ms: 0,
        }
    }
}

impl World {
    pub fn new(seed: u64, people: usize) -> Self {
        let mut dice = Dice::new(seed);
        let ground = Ground::new(&mut dice);
        let latent: Vec<Latent> = (0..people).map(|_| ground.person(&mut dice)).collect();
        let people = latent.iter().enumerate().map(|(number, one)| ground.profile(number, one, &mut dice)).collect();
        let mut world = Self { seed, latent, people, past: Vec::new() };
        for number in 0..world.latent.len() {
            for _ in 0..dice.below(7) {
                let other = dice.below(world.latent.len());
                if other != number && world.speak_together(number, other) {
                    let outcome = world.meeting(number, other, &mut dice);
                    world.past.push((number, other, outcome));
                }
            }
        }
        world
    }

    pub fn speak_together(&self, a: usize, b: usize) -> bool {
        self.latent[a].languages & self.latent[b].languages != 0
    }

    /// How much `a` likes `b`.
    fn likes(&self, a: usize, b: usize) -> f64 {
        let (one, other) = (&self.latent[a], &self.latent[b]);
        let age = ((one.age - other.age).abs() / one.age_tolerance).min(2.5);
        let city = if one.town == other.town { one.love_of_town } else { 0.0 };
        let best_game = one.games.iter().zip(&other.games).map(|(p, q)| p.min(*q)).fold(f64::MIN, f64::max);
        2.2 * dot(&one.taste, &other.taste) - 0.55 * age
            + 0.5 * city
            + 0.35 * (1.0 - (one.talk - other.talk).abs())
            + 0.35 * best_game
            + 0.6 * other.quality
            + if self.speak_together(a, b) { 0.0 } else { -4.0 }
            - one.picky
            + 0.8 * normal_of(self.seed ^ 0x5151, a.min(b), a.max(b))
            + 0.4 * normal_of(self.seed ^ 0x77, a, b)
    }

    /// The chance that both want to follow: what a pairing is judged by.
    pub fn mutual(&self, a: usize, b: usize) -> f64 {
        sigmoid(1.3 * (self.likes(a, b) - 1.9)) * sigmoid(1.3 * (self.likes(b, a) - 1.9))
    }

    pub fn patience(&self, of: usize) -> f64 {
        self.latent[of].patience
    }

    pub fn meeting(&self, a: usize, b: usize, dice: &mut Dice) -> Outcome {
        let (one, other) = (self.likes(a, b), self.likes(b, a));
        let lower = one.min(other);
        let early = dice.happens(sigmoid(-1.6 * (lower + 0.1)));
        let reported = if self.latent[b].bad && dice.happens(0.3) {
            [false, true]
        } else {
            [self.latent[a].bad && dice.happens(0.3), false]
        };
        let seconds = if early {
            3.0 + dice.exponential(7.0)
        } else {
            20.0 + dice.exponential(90.0 * (0.55 * (lower + 0.5)).exp().min(20.0))
        };
        let follows = |liking: f64, dice: &mut Dice| !early && dice.happens(sigmoid(1.3 * (liking - 1.9)));
        Outcome {
            seconds: seconds.min(3600.0) as f32,
            left_early: [early && one < other, early && one >= other],
            follow: [follows(one, dice), follows(other, dice)],
            reported,
        }
    }
}

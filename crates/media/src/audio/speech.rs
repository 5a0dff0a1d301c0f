//! Something like speech, for rehearsals and measurements: a pulse train through moving formants (vowels), coloured noise
//! (fricatives) and short stops, in syllables, phrases and pauses. The same seed speaks the same; nobody understands it.
//!
//! It has what matters to codecs, jitter buffers and echo cancellers: a gliding pitch with a little unsteadiness, a long-term
//! spectrum that falls towards the treble, syllables at 4 to 6 Hz, and silence about a fifth of the time.

use super::{AudioFrame, SAMPLE_RATE};
use std::f64::consts::TAU;

const RATE: f64 = SAMPLE_RATE as f64;
/// First four formants of some vowels, Hz (after Peterson and Barney, 1952).
const VOWELS: [[f64; 4]; 6] = [
    [730.0, 1090.0, 2440.0, 3400.0],
    [270.0, 2290.0, 3010.0, 3700.0],
    [300.0, 870.0, 2240.0, 3300.0],
    [530.0, 1840.0, 2480.0, 3500.0],
    [570.0, 840.0, 2410.0, 3300.0],
    [660.0, 1720.0, 2410.0, 3500.0],
];
const BANDWIDTHS: [f64; 4] = [80.0, 100.0, 140.0, 200.0];
/// About -20 dBFS while speaking.
const LOUDNESS: f64 = 4200.0;

/// xorshift64*.
struct Dice(u64);

impl Dice {
    /// 0 to 1.
    fn roll(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.roll()
    }

    fn noise(&mut self) -> f64 {
        self.roll() + self.roll() + self.roll() - 1.5
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Vowel,
    Fricative,
    Stop,
    Pause,
}

/// Two poles.
#[derive(Clone, Copy, Default)]
struct Resonator {
    last: f64,
    before: f64,
}

impl Resonator {
    fn next(&mut self, input: f64, hz: f64, bandwidth: f64) -> f64 {
        let radius = (-std::f64::consts::PI * bandwidth / RATE).exp();
        let turn = 2.0 * radius * (TAU * hz / RATE).cos();
        // Unity gain at zero frequency, so that a moving formant does not change the loudness.
        let output = input * (1.0 - turn + radius * radius) + turn * self.last - radius * radius * self.before;
        self.before = self.last;
        self.last = output;
        output
    }
}

/// An endless voice.
pub struct Speech {
    dice: Dice,
    kind: Kind,
    left: usize,
    length: usize,
    syllables_left: u32,
    /// Usual pitch of this voice, and where it is going, Hz.
    voice_hz: f64,
    pitch: f64,
    pitch_aim: f64,
    phase: f64,
    formants: [f64; 4],
    aims: [f64; 4],
    resonators: [Resonator; 4],
    hiss: Resonator,
    hiss_hz: f64,
    level: f64,
    pulse: f64,
}

impl Speech {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        // The first numbers of small seeds are alike.
        for _ in 0..8 {
            dice.roll();
        }
        let voice_hz = dice.between(95.0, 210.0);
        Self {
            dice,
            kind: Kind::Pause,
            left: 2_400,
            length: 2_400,
            syllables_left: 0,
            voice_hz,
            pitch: voice_hz,
            pitch_aim: voice_hz,
            phase: 0.0,
            formants: VOWELS[0],
            aims: VOWELS[0],
            resonators: [Resonator::default(); 4],
            hiss: Resonator::default(),
            hiss_hz: 4_000.0,
            level: 0.0,
            pulse: 0.0,
        }
    }

    /// The next 20 ms.
    pub fn fill(&mut self, frame: &mut AudioFrame) {
        frame.fill_with(|| self.next());
    }

    pub fn frame(&mut self) -> AudioFrame {
        let mut frame = super::SILENCE;
        self.fill(&mut frame);
        frame
    }

    fn next(&mut self) -> i16 {
        if self.left == 0 {
            self.next_sound();
        }
        self.left -= 1;
        let aim = if self.kind == Kind::Pause || self.kind == Kind::Stop { 0.0 } else { 1.0 };
        // 8 ms in, 15 ms out.
        self.level += (aim - self.level) / if aim > self.level { 384.0 } else { 720.0 };
        let voiced = self.voiced();
        let hissed = if self.kind == Kind::Fricative {
            let noise = self.dice.noise();
            let deep = self.hiss.next(noise, self.hiss_hz, 1_500.0);
            // Without its low end.
            (noise - deep) * 0.06
        } else {
            0.0
        };
        // The cast saturates.
        (LOUDNESS * self.level * (voiced + hissed)) as i16
    }

    fn voiced(&mut self) -> f64 {
        self.pitch += (self.pitch_aim - self.pitch) / 6_000.0;
        for (formant, aim) in self.formants.iter_mut().zip(self.aims) {
            *formant += (aim - *formant) / 1_500.0;
        }
        self.phase += self.pitch / RATE;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
            // A little unsteadiness, as throats have.
            self.pitch *= 1.0 + 0.008 * self.dice.noise();
        }
        // An opening and a quicker closing of the glottis; its derivative excites.
        let opening = match self.phase {
            phase if phase < 0.4 => 0.5 * (1.0 - (std::f64::consts::PI * phase / 0.4).cos()),
            phase if phase < 0.56 => (std::f64::consts::FRAC_PI_2 * (phase - 0.4) / 0.16).cos(),
            _ => 0.0,
        };
        let excitation = if self.kind == Kind::Vowel { (opening - self.pulse) * 24.0 } else { 0.0 };
        self.pulse = opening;
        let mut sound = excitation;
        for ((resonator, hz), bandwidth) in self.resonators.iter_mut().zip(self.formants).zip(BANDWIDTHS) {
            sound = resonator.next(sound, hz, bandwidth);
        }
        sound * 2.0
    }

    fn next_sound(&mut self) {
        self.kind = match self.kind {
            Kind::Vowel if self.syllables_left == 0 => Kind::Pause,
            Kind::Vowel => match self.dice.roll() {
                roll if roll < 0.35 => Kind::Fricative,
                roll if roll < 0.6 => Kind::Stop,
                // A glide from one vowel to the next.
                _ => Kind::Vowel,
            },
            Kind::Pause => {
                self.syllables_left = 4 + (self.dice.roll() * 10.0) as u32;
                Kind::Vowel
            }
            Kind::Fricative | Kind::Stop => Kind::Vowel,
        };
        let milliseconds = match self.kind {
            Kind::Vowel => self.dice.between(90.0, 240.0),
            Kind::Fricative => self.dice.between(50.0, 120.0),
            Kind::Stop => self.dice.between(30.0, 70.0),
            Kind::Pause => self.dice.between(250.0, 900.0),
        };
        if self.kind == Kind::Vowel {
            self.syllables_left = self.syllables_left.saturating_sub(1);
            self.aims = VOWELS[(self.dice.roll() * VOWELS.len() as f64) as usize % VOWELS.len()];
            self.pitch_aim = self.voice_hz * self.dice.between(0.82, 1.25);
        }
        self.hiss_hz = self.dice.between(2_000.0, 5_000.0);
        self.length = (milliseconds * RATE / 1000.0) as usize;
        self.left = self.length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_voice_again_as_loud_as_speech_and_pauses() {
        let (mut a, mut b, mut other) = (Speech::new(3), Speech::new(3), Speech::new(4));
        let (mut loud, mut quiet, mut energy, mut differs) = (0, 0, 0.0, false);
        for _ in 0..1500 {
            let frame = a.frame();
            assert_eq!(frame, b.frame());
            differs |= frame != other.frame();
            let power = frame.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / frame.len() as f64;
            let peak = frame.iter().map(|x| x.unsigned_abs()).max().unwrap();
            assert!(peak < 32_000, "clips: {peak}");
            if power > 200.0 * 200.0 {
                loud += 1;
                energy += power;
            } else if power < 30.0 * 30.0 {
                quiet += 1;
            }
        }
        let rms = (energy / f64::from(loud)).sqrt();
        assert!(differs);
        assert!((1_500.0..6_000.0).contains(&rms), "rms {rms}");
        assert!((100..700).contains(&quiet), "{quiet} of 1500 frames are pauses");
    }
}

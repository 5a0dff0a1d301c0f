//! Runs the detector over a folder of .y4m files (4:2:0, 8 bits) and writes `clip,frame,state,score` for a scorer.
//!
//! `cover_csv FOLDER [--veiled] [--measures]` writes to standard output; with `--veiled` each picture goes through the veil
//! first, with `--measures` the measures are written instead of the states (for fitting). The cost is told at the end.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use visavis_sight::detector::{CameraState, Detector};
use visavis_sight::features::Eye;
use visavis_sight::planes::{MAX_SIDE, Planes, PlanesMut};
use visavis_sight::veil::veil;

const LONGEST_LINE: u64 = 256;
const MOST_FRAMES: usize = 100_000;

struct Y4m<R> {
    reader: R,
    width: usize,
    height: usize,
    rate: (u32, u32),
}

fn bad(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    if !line.is_empty() && line.last() != Some(&b'\n') {
        return Err(bad("a header line is too long or cut short"));
    }
    String::from_utf8(line).map_err(|_| bad("a header line is not text"))
}

impl<R: BufRead> Y4m<R> {
    fn open(mut reader: R) -> io::Result<Self> {
        let header = line(&mut reader)?;
        let mut words = header.split_whitespace();
        if words.next() != Some("YUV4MPEG2") {
            return Err(bad("not a YUV4MPEG2 file"));
        }
        let (mut width, mut height, mut rate) = (0, 0, (15, 1));
        for word in words {
            let (key, value) = (word.as_bytes()[0], word.get(1..).unwrap_or_default());
            let number = |text: &str| text.parse::<usize>().map_err(|_| bad(format!("bad header word {word}")));
            match key {
                b'W' => width = number(value)?,
                b'H' => height = number(value)?,
                b'F' => {
                    let (top, bottom) = value.split_once(':').ok_or_else(|| bad("bad frame rate"))?;
                    rate = (number(top)?.clamp(1, 1_000_000) as u32, number(bottom)?.clamp(1, 1_000_000) as u32);
                }
                b'C' if !value.starts_with("420") || value.starts_with("420p1") => return Err(bad("only 8-bit 4:2:0 is read")),
                _ => {}
            }
        }
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return Err(bad(format!("a picture of {width} x {height} cannot be read")));
        }
        Ok(Self { reader, width, height, rate })
    }

    /// `false` at the end.
    fn read(&mut self, picture: &mut Vec<u8>) -> io::Result<bool> {
        let header = line(&mut self.reader)?;
        if header.is_empty() {
            return Ok(false);
        }
        if !header.starts_with("FRAME") {
            return Err(bad("a frame header is missing"));
        }
        let chroma = self.width.div_ceil(2) * self.height.div_ceil(2);
        picture.resize(self.width * self.height + 2 * chroma, 0);
        self.reader.read_exact(picture)?;
        Ok(true)
    }
}

fn word(state: CameraState) -> &'static str {
    match state {
        CameraState::Clear | CameraState::Unknown => "clear",
        CameraState::Dark => "dark",
        CameraState::Covered | CameraState::Partial => "covered",
        CameraState::Frozen | CameraState::NobodyInView | CameraState::Off | CameraState::NoSignal => "notlive",
    }
}

#[derive(Default)]
struct Cost {
    looks: u32,
    looking: Duration,
    veiling: Duration,
}

#[expect(clippy::disallowed_methods, reason = "the cost is what is measured")]
fn timed<T>(sum: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = std::time::Instant::now();
    let result = work();
    *sum += start.elapsed();
    result
}

struct Options {
    veiled: bool,
    measures: bool,
}

fn run(path: &Path, options: &Options, out: &mut impl Write, cost: &mut Cost) -> io::Result<()> {
    let clip = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut y4m = Y4m::open(BufReader::new(File::open(path)?))?;
    let (width, height) = (y4m.width, y4m.height);
    let chroma = (width.div_ceil(2), width.div_ceil(2) * height.div_ceil(2));
    let (mut detector, mut eye, mut bytes) = (Detector::new(), Eye::default(), vec![]);
    for frame in 0..MOST_FRAMES {
        if !y4m.read(&mut bytes)? {
            break;
        }
        if options.veiled {
            let (y, both) = bytes.split_at_mut(width * height);
            let (u, v) = both.split_at_mut(chroma.1);
            let mut planes = PlanesMut::new((width, height), (y, width), (u, chroma.0), (v, chroma.0))
                .map_err(|error| bad(error.to_string()))?;
            timed(&mut cost.veiling, || veil(&mut planes));
        }
        let (y, both) = bytes.split_at(width * height);
        let (u, v) = both.split_at(chroma.1);
        let planes =
            Planes::new((width, height), (y, width), (u, chroma.0), (v, chroma.0)).map_err(|error| bad(error.to_string()))?;
        if options.measures {
            let named = eye.look(&planes).named();
            if frame == 0 && cost.looks == 0 {
                writeln!(out, "clip,frame,{}", named.map(|(name, _)| name).join(","))?;
            }
            writeln!(out, "{clip},{frame},{}", named.map(|(_, value)| value.to_string()).join(","))?;
            cost.looks += 1;
            continue;
        }
        let now = Duration::from_secs_f64(frame as f64 * f64::from(y4m.rate.1) / f64::from(y4m.rate.0));
        let state = timed(&mut cost.looking, || detector.picture(planes, now));
        cost.looks += 1;
        writeln!(out, "{clip},{frame},{}", word(state))?;
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let options = Options { veiled: has("--veiled"), measures: has("--measures") };
    let folder = arguments
        .iter()
        .find(|argument| !argument.starts_with("--"))
        .ok_or_else(|| bad("usage: cover_csv FOLDER [--veiled] [--measures]"))?;
    let mut clips: Vec<PathBuf> = std::fs::read_dir(folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    clips.retain(|path| path.extension().is_some_and(|extension| extension == "y4m"));
    clips.sort();
    let mut out = BufWriter::new(io::stdout().lock());
    if !options.measures {
        writeln!(out, "clip,frame,state")?;
    }
    let mut cost = Cost::default();
    for clip in clips {
        run(&clip, &options, &mut out, &mut cost)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", clip.display())))?;
    }
    let each = |spent: Duration| spent.as_secs_f64() * 1e6 / f64::from(cost.looks.max(1));
    eprintln!("{} pictures, {:.0} us to judge and {:.0} us to veil each", cost.looks, each(cost.looking), each(cost.veiling));
    Ok(())
}

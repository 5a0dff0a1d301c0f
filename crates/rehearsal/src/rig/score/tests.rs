use super::quality::{compare, likeness};
use super::*;
use std::io::Write;
use tempfile::TempDir;
use visavis_media::{FramePool, marker};

const START: f64 = 1_700_000_000_000.0;

/// A run of 14 s in which b sees a's frames 80 ms late, with every tenth frame lost and none shown from 6 s to 7 s.
fn run(camera_frames: i64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let (mut a, mut b) = (format!("{START:.2},call_start,,,\n{START:.2},state_connected,,,\n"), String::new());
    for index in 0..14 * 30 {
        let (at, number) = (START + f64::from(index) * FRAME_MS, i64::from(index) % camera_frames);
        a += &format!("{at:.2},capture,{number},640,360\n{:.2},render,-1,640,360\n", at + 1.0);
        if index % 10 != 9 && !(6.0..7.0).contains(&(f64::from(index) / 30.0)) {
            b += &format!("{:.2},render,{number},320,180\n{:.2},render,{number},320,180\n", at + 80.0, at + 81.0);
        }
    }
    write("a/log.csv", a);
    write("b/log.csv", b + "1700000,rend");
    write("scenario.json", String::from(r#"{"seconds": 14}"#));
    let rates: Vec<_> =
        (1..15).map(|t| serde_json::json!({"t_s": t, "a2b": {"in_kbps": 100 * t}, "b2a": {"in_kbps": 7}})).collect();
    write("net.json", serde_json::json!({"first_packet_unix_ms": START, "per_second": rates}).to_string());
    let mut procs = String::from("unix_ms,who,cpu_s,pss_kb,private_kb,processes\n");
    for second in 0..14 {
        let at = START + f64::from(second) * 1000.0;
        let memory = if second % 5 == 0 { format!("{},{}", 20_480 + second, 10_240) } else { String::from(",") };
        procs += &format!(
            "{at:.1},b,{:.2},{memory},2\n{at:.1},host,{:.2},1500,0,0\n",
            f64::from(second) * 0.5,
            f64::from(second) * 0.9
        );
    }
    write("procs.csv", procs);
    folder
}

fn near(value: f64, wanted: f64, within: f64) {
    assert!((value - wanted).abs() <= within, "{value}, not {wanted}");
}

fn of_b(run: &TempDir) -> Row {
    receiver(&Run::read(run.path()).unwrap(), 1, run.path(), None).unwrap()
}

#[test]
fn a_known_link_has_known_figures() {
    let row = of_b(&run(1024));
    near(row.first_frame_ms, 80.0, 0.01);
    near(row.latency_p50_ms.unwrap(), 80.0, 0.01);
    near(row.latency_p95_ms.unwrap(), 80.0, 0.01);
    // 14 s less one of outage, nine frames of ten.
    near(row.fps, 13.0 * 27.0 / 13.92, 0.3);
    near(row.camera_fps, 30.0, 0.2);
    assert_eq!((row.freezes, row.unreadable), (1, 0));
    // The frame before the outage is one of those that are lost.
    near(row.longest_gap_ms, 1000.0 + 2.0 * FRAME_MS, 0.1);
    near(row.frozen_ms, 1000.0 + FRAME_MS, 0.1);
    near(row.never_shown_pct, 100.0 * (1.0 - 13.0 * 0.9 / 14.0), 0.6);
    near(row.mean_width.unwrap(), 320.0, 0.0);
    // From 5 s after the first frame: seconds 6 to 14.
    near(row.kbps.unwrap(), 1000.0, 0.01);
    near(row.cpu_cores.unwrap(), 0.5, 0.001);
    near(row.private_mb.unwrap(), 10.0, 0.001);
    near(row.pss_mb.unwrap(), 20.0, 0.01);
    near(row.other_load_cores.unwrap(), 0.4, 0.001);
}

#[test]
fn a_camera_that_loops_is_matched_with_its_latest_turn() {
    let row = of_b(&run(100));
    near(row.latency_p95_ms.unwrap(), 80.0, 0.01);
}

#[test]
fn what_never_began_is_said() {
    let folder = run(1024);
    let says = || score(folder.path(), None).unwrap_err().to_string();
    assert_eq!(says(), "side a showed nothing");
    fs::write(folder.path().join("a/log.csv"), "").unwrap();
    assert_eq!(says(), "the caller never started");
    fs::write(folder.path().join("net.json"), "{").unwrap();
    assert!(says().starts_with("net.json cannot be read"));
}

#[test]
fn percentiles_lie_between_neighbours() {
    near(percentile(&[10.0, 1.0, 2.0, 4.0, 3.0], 95.0).unwrap(), 8.8, 1e-9);
    near(percentile(&[4.0, 1.0, 3.0, 2.0], 50.0).unwrap(), 2.5, 1e-9);
    assert_eq!(percentile(&[], 50.0), None);
}

/// Worked out with another implementation of the same definition (cumulative sums in double precision).
#[test]
fn likeness_is_that_of_the_definition() {
    let (width, height) = (40usize, 28usize);
    let mut one = vec![0u8; width * height];
    let mut other = one.clone();
    for y in 0..height {
        for x in 0..width {
            let value = (x * 7 + y * 13 + (x * y) % 11) % 256;
            one[y * width + x] = value as u8;
            let changed = value as i32 + (x as i32 * 3 + y as i32 * 5) % 9 - 4;
            other[y * width + x] = if (4..=250).contains(&value) { (changed & 255) as u8 } else { value as u8 };
        }
    }
    let found = likeness(&one, &other, width);
    near(found.ssim, 0.998_324_494_576_950_8, 1e-9);
    near(found.psnr_db, 39.992_730_873_086_23, 1e-6);
    near(likeness(&one, &one, width).ssim, 1.0, 1e-12);
}

/// A camera file of two pictures, and kept pictures: the second as it was, the first at half the size.
#[test]
fn kept_pictures_are_found_in_the_camera_file() {
    let folder = tempfile::tempdir().unwrap();
    let (camera, frames) = (folder.path().join("camera.y4m"), folder.path().join("frames"));
    fs::create_dir(&frames).unwrap();
    let pool = FramePool::new(2);
    let mut file = fs::File::create(&camera).unwrap();
    file.write_all(b"YUV4MPEG2 W320 H180 F30:1 Ip A1:1 C420mpeg2\n").unwrap();
    for number in 0..2u32 {
        let mut frame = pool.frame(320, 180, std::time::Duration::ZERO).unwrap();
        let (y, u, v) = frame.planes_mut();
        for (index, sample) in y.iter_mut().enumerate() {
            *sample = (60 + (index % 320) / 4 + index / 320 / 3 + number as usize * 40) as u8;
        }
        u.fill(120);
        v.fill(130);
        marker::burn(&mut frame, number);
        file.write_all(b"FRAME\n").unwrap();
        file.write_all(frame.as_bytes()).unwrap();
        let kept = if number == 1 { frame } else { visavis_media::scale::scale_i420(&frame, 160, 90, &pool).unwrap() };
        fs::write(frames.join(format!("000{number}_{}x{}.i420", kept.width, kept.height)), kept.as_bytes()).unwrap();
    }
    fs::write(frames.join("0002_320x180.i420"), [0; 7]).unwrap();
    fs::write(frames.join("notes.txt"), "").unwrap();
    let found = compare(&frames, &camera).unwrap();
    assert_eq!(found.len(), 2);
    assert!(found[0].ssim > 0.97 && found[0].ssim < 1.0, "{found:?}");
    near(found[1].ssim, 1.0, 1e-12);
}

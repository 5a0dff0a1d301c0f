//! One run: namespaces, links, the three commands, what they cost, and an end that leaves nothing behind.
//!
//! A process belongs to a side when it lives in that side's namespace. A guard process kills what is left in them even when
//! this one was killed itself.

use super::namespaces::{self, Host, NAMES, NamespaceError, SERVER, address, processes_in};
use super::router::{Router, unix_ms};
use super::scenario::Scenario;
use super::system::{self, Signal};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(50);
/// Between SIGTERM and SIGKILL.
const PATIENCE: Duration = Duration::from_secs(3);
/// The sides have this long to send each other a packet.
const FIRST_PACKET_WITHIN: Duration = Duration::from_secs(60);
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// Memory is looked at in every fifth sample: the kernel walks all pages for it.
const MEMORY_EVERY: u32 = 5;
/// Clock ticks of `/proc`.
const TICKS_A_SECOND: f64 = 100.0;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("{0}")]
    Namespaces(#[from] NamespaceError),
    #[error("{0}: {1}")]
    Io(String, io::Error),
    #[error("interrupted")]
    Interrupted,
}

fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> RunError {
    let what = what.into();
    move |error| RunError::Io(what, error)
}

pub struct Plan {
    pub scenario: Scenario,
    pub out: PathBuf,
    /// For `sh -c`, by side; the server's may be missing.
    pub commands: [Option<String>; 3],
    /// How long after the end of the call a side may still run.
    pub grace: Duration,
    /// A program that becomes the guard when it is called with the inodes of the namespaces: `PROGRAM guard INODE...`.
    pub guard: PathBuf,
}

/// Runs until both sides have ended; gives why it ended.
pub fn run(plan: &Plan) -> Result<&'static str, RunError> {
    fs::create_dir_all(&plan.out).map_err(io_error(plan.out.display().to_string()))?;
    let out = plan.out.canonicalize().map_err(io_error(plan.out.display().to_string()))?;
    let write = |name: &str, text: &str| fs::write(out.join(name), text).map_err(io_error(name));
    write("scenario.json", &plan.scenario.text())?;
    let hosts = namespaces::create()?;
    let _guard = start_guard(&plan.guard, &hosts).map_err(io_error("the guard cannot be started"))?;
    let router = Router::start(&hosts, &plan.scenario).map_err(io_error("the forwarder cannot be started"))?;
    let started = Instant::now();
    let mut children = Vec::new();
    for side in [SERVER, 0, 1] {
        if let Some(command) = &plan.commands[side] {
            children.push((side, start(command, side, &hosts[side], &out, &plan.scenario)?));
        }
    }
    let sampler = Sampler::start(&hosts, &out).map_err(io_error("procs.csv"))?;
    let why = wait(plan, &router, &mut children, started);
    sampler.stop();
    for (side, child) in &mut children {
        if let Ok(Some(status)) = child.try_wait()
            && !status.success()
        {
            eprintln!("netrig: {} ended with {status}; see {}", NAMES[*side], out.join(NAMES[*side]).display());
        }
    }
    stop_all(&mut children, &hosts);
    let mut report = router.stop().to_json(&plan.scenario.name, why);
    report["wall_s"] = started.elapsed().as_secs_f64().into();
    write("net.json", &format!("{report:#}"))?;
    if system::interrupted() { Err(RunError::Interrupted) } else { Ok(why) }
}

fn wait(plan: &Plan, router: &Router, children: &mut [(usize, Child)], started: Instant) -> &'static str {
    let length = Duration::from_secs_f64(plan.scenario.seconds) + plan.grace;
    loop {
        std::thread::sleep(LOOK);
        if system::interrupted() {
            return "interrupted";
        }
        let mut running = [false; 3];
        for (side, child) in children.iter_mut() {
            running[*side] |= matches!(child.try_wait(), Ok(None));
        }
        if !running[0] && !running[1] {
            return "both sides ended";
        }
        if plan.commands[SERVER].is_some() && !running[SERVER] {
            return "the server ended";
        }
        match router.since_first_packet() {
            Some(time) if time > length => return "time is up",
            None if started.elapsed() > FIRST_PACKET_WITHIN + plan.grace => return "no packet between a and b",
            _ => {}
        }
    }
}

fn start(command: &str, side: usize, host: &Host, out: &Path, scenario: &Scenario) -> Result<Child, RunError> {
    let folder = out.join(NAMES[side]);
    fs::create_dir_all(&folder).map_err(io_error(folder.display().to_string()))?;
    let file = |name: &str| File::create(folder.join(name)).map_err(io_error(name));
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).stdout(file("stdout.txt")?).stderr(file("stderr.txt")?);
    shell.env("RIG_SIDE", NAMES[side]).env("RIG_ROLE", ["caller", "callee", "server"][side]);
    shell.env("RIG_OUT", &folder).env("RIG_ALL_OUT", out);
    shell.env("RIG_SECONDS", scenario.seconds.to_string()).env("RIG_SCENARIO", &scenario.name);
    shell.env("RIG_SELF_IP", address(side).to_string()).env("RIG_SERVER_IP", address(SERVER).to_string());
    if side != SERVER {
        shell.env("RIG_PEER_IP", address(1 - side).to_string());
    }
    system::start_inside(&mut shell, &host.namespace);
    shell.spawn().map_err(io_error(command))
}

/// The guard waits at a pipe whose other end is ours.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn start_guard(program: &Path, hosts: &[Host]) -> io::Result<Guard> {
    let inodes = hosts.iter().map(|host| host.inode.to_string());
    Command::new(program).arg("guard").args(inodes).stdin(Stdio::piped()).spawn().map(Guard)
}

/// What the guard does: waits until its standard input ends, then kills whatever is inside those namespaces.
pub fn guard(inodes: &[u64]) {
    // Ctrl-C goes to the whole group; the guard must outlive the rig.
    system::listen_for_signals();
    let mut byte = [0];
    while matches!(io::stdin().read(&mut byte), Ok(1..)) {}
    for process in inodes.iter().flat_map(|inode| processes_in(*inode)) {
        system::signal(process, false, Signal::Kill);
    }
}

/// SIGTERM to each command, and after a while SIGKILL to whatever is still inside.
fn stop_all(children: &mut [(usize, Child)], hosts: &[Host]) {
    for (_, child) in children.iter() {
        system::signal(child.id(), true, Signal::End);
    }
    let until = Instant::now() + PATIENCE;
    loop {
        for (_, child) in children.iter_mut() {
            let _ = child.try_wait();
        }
        let left: Vec<u32> = hosts.iter().flat_map(|host| processes_in(host.inode)).collect();
        if left.is_empty() {
            return;
        }
        if Instant::now() > until {
            left.into_iter().for_each(|process| system::signal(process, false, Signal::Kill));
            for (_, child) in children.iter_mut() {
                let _ = child.wait();
            }
            return;
        }
        std::thread::sleep(LOOK);
    }
}

/// User and system time in ticks, and the start time that tells one use of a process id from the next.
fn ticks_of(process: u32) -> Option<(u64, u64)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<u64> = stat[stat.rfind(')')? + 2..].split(' ').map(|field| field.trim().parse().unwrap_or(0)).collect();
    Some((fields.get(11)? + fields.get(12)?, *fields.get(19)?))
}

/// Proportional share, and what no other process maps; KiB.
fn memory_of(process: u32) -> (u64, u64) {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    let sum = |wanted: &[&str]| -> u64 {
        let lines = text.lines().filter_map(|line| line.split_once(':')).filter(|(key, _)| wanted.contains(key));
        lines.filter_map(|(_, value)| value.split_whitespace().next()?.parse::<u64>().ok()).sum()
    };
    (sum(&["Pss"]), sum(&["Private_Clean", "Private_Dirty"]))
}

/// Of the whole machine: all but idle and waiting.
fn busy_ticks() -> u64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<u64> = text.lines().next().unwrap_or("").split_whitespace().skip(1).filter_map(|f| f.parse().ok()).collect();
    let idle: u64 = fields.iter().skip(3).take(2).sum();
    fields.iter().take(8).sum::<u64>().saturating_sub(idle)
}

/// Writes `procs.csv` each second: `unix_ms,who,cpu_s,pss_kb,private_kb,processes`, memory in some of the rows. Rows of `host`
/// hold the whole machine: busy seconds, and the load average times 1000 in place of the memory.
struct Sampler {
    on: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Sampler {
    fn start(hosts: &[Host], out: &Path) -> io::Result<Self> {
        let on = Arc::new(AtomicBool::new(true));
        let mut file = File::create(out.join("procs.csv"))?;
        writeln!(file, "unix_ms,who,cpu_s,pss_kb,private_kb,processes")?;
        let (wanted, inodes): (_, Vec<u64>) = (Arc::clone(&on), hosts.iter().map(|host| host.inode).collect());
        let thread = std::thread::Builder::new().name(String::from("sampler")).spawn(move || {
            let (mut seen, begun, mut next) = (vec![HashMap::new(); NAMES.len()], busy_ticks(), Instant::now());
            for round in 0u32.. {
                if sample(&mut file, &inodes, &mut seen, round, begun).is_err() {
                    return;
                }
                next += SAMPLE_EVERY;
                while Instant::now() < next {
                    if !wanted.load(Ordering::Relaxed) {
                        return;
                    }
                    std::thread::sleep(LOOK);
                }
            }
        })?;
        Ok(Self { on, thread })
    }

    fn stop(self) {
        self.on.store(false, Ordering::Relaxed);
        if self.thread.join().is_err() {
            eprintln!("netrig: the sampler ended early");
        }
    }
}

type Seen = HashMap<(u32, u64), u64>;

fn sample(file: &mut File, inodes: &[u64], seen: &mut [Seen], round: u32, begun: u64) -> io::Result<()> {
    let with_memory = round.is_multiple_of(MEMORY_EVERY);
    for (side, inode) in inodes.iter().enumerate() {
        let processes = processes_in(*inode);
        let (mut shared, mut private) = (0, 0);
        for &process in &processes {
            if let Some((ticks, started)) = ticks_of(process) {
                // Kept after the process has ended.
                seen[side].insert((process, started), ticks);
            }
            if with_memory {
                let memory = memory_of(process);
                (shared, private) = (shared + memory.0, private + memory.1);
            }
        }
        let cpu = seen[side].values().sum::<u64>() as f64 / TICKS_A_SECOND;
        let memory = if with_memory { format!("{shared},{private}") } else { String::from(",") };
        writeln!(file, "{:.1},{},{cpu:.2},{memory},{}", unix_ms(), NAMES[side], processes.len())?;
    }
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = load.split(' ').next().and_then(|value| value.parse().ok()).unwrap_or(0.0);
    let busy = busy_ticks().saturating_sub(begun) as f64 / TICKS_A_SECOND;
    writeln!(file, "{:.1},host,{busy:.2},{:.0},0,0", unix_ms(), load * 1000.0)
}

//! A durable log whose process died at any moment, against the lines that it had accepted.

use std::fs;
use std::path::Path;
use std::time::Duration;

use arbitrary::Unstructured;
use offloop::log::file::LogFile;
use offloop::log::intent::Intent;
use offloop::log::layout::{HEADER, UNIT, record};
use offloop::log::recovery::create;
use offloop::log::ring::{Producer, Push, Ring};
use offloop::log::{Options, Sink, Target};

const CAPACITY: usize = 64 << 10;

/// Lines of the process that died, all unlike each other.
fn lines(input: &mut Unstructured<'_>) -> arbitrary::Result<Vec<String>> {
    let count = input.int_in_range(0..=40)?;
    (0..count)
        .map(|number| {
            let length = if input.ratio(1, 8)? {
                input.int_in_range(0..=3000)?
            } else {
                input.int_in_range(0..=90)?
            };
            Ok(format!("{number}:{}\n", "x".repeat(length)))
        })
        .collect()
}

/// Where a line is in the ring, in bytes.
struct Place {
    /// Of its record, or of several.
    records: Vec<usize>,
    end: usize,
}

impl Place {
    /// Whether a byte belongs to the header of a record.
    fn has_header_at(&self, at: usize) -> bool {
        self.records.iter().any(|&start| (start..start + record::HEADER).contains(&at))
    }
}

/// Puts lines into a ring, some in several records.
fn fill(ring: &Ring, lines: &[String], input: &mut Unstructured<'_>) -> arbitrary::Result<Vec<Place>> {
    let tail = || ring.tail() as usize * UNIT;
    // SAFETY: there is no other producer.
    let mut producer = unsafe { Producer::new(ring) };
    let mut places = Vec::new();
    for line in lines {
        let cut = if input.ratio(1, 6)? { input.int_in_range(1..=line.len())? } else { line.len() };
        let mut records = vec![tail()];
        let mut pushed = producer.push(record::LINE, cut < line.len(), &line.as_bytes()[..cut]);
        if cut < line.len() {
            records.push(tail());
            pushed = producer.push(record::MORE, false, &line.as_bytes()[cut..]);
        }
        assert_ne!(pushed, Push::Full, "the lines fit");
        places.push(Place { records, end: tail() });
    }
    Ok(places)
}

/// The moment of death: so much of a batch was on its way, and so much of that in the file.
fn interrupt(
    ring: &Ring,
    file: &mut LogFile,
    path: &Path,
    (lines, places): (&[String], &[Place]),
    input: &mut Unstructured<'_>,
) -> arbitrary::Result<()> {
    if places.is_empty() {
        return Ok(());
    }
    let batch = input.int_in_range(0..=places.len() - 1)?;
    let text = lines[..=batch].concat();
    let written = input.int_in_range(0..=text.len())?;
    let place = file.prepare().expect("the log can be opened");
    let intent = Intent {
        start: ring.head(),
        end: (places[batch].end / UNIT) as u32,
        file: place.id,
        offset: place.size,
        length: text.len() as u64,
    };
    intent.note(ring);
    file.release();
    let mut log = fs::OpenOptions::new().append(true).open(path).expect("the log is there");
    std::io::Write::write_all(&mut log, &text.as_bytes()[..written]).expect("there is room");
    Ok(())
}

fn recover(path: &Path) -> (String, u64) {
    let options = Options {
        target: Target::Path(path.to_owned()),
        batch: 1,
        interval: Duration::ZERO,
        capacity: CAPACITY,
        durable: true,
        rotation: None,
        link: None,
    };
    let (closed, wait) = std::sync::mpsc::channel();
    let notify = move |notice| {
        if notice == offloop::log::Notice::Closed {
            let _ = closed.send(());
        }
    };
    let sink = Sink::open(options, Box::new(notify)).expect("the log can be opened");
    sink.close();
    wait.recv_timeout(Duration::from_mins(1)).expect("a log that closes");
    sink.forget_ring();
    let torn = sink.counts().torn.load(std::sync::atomic::Ordering::Relaxed);
    (String::from_utf8_lossy(&fs::read(path).expect("the log")).into_owned(), torn)
}

/// Flips bits of the ring's records; whether there were any. Where lines are in the file already, headers stay right: without
/// them nobody can tell which lines these are.
fn damage(ring: &Path, places: &[Place], all: bool, input: &mut Unstructured<'_>) -> arbitrary::Result<bool> {
    let flips = if places.is_empty() { 0 } else { input.int_in_range(0..=3)? };
    let mut bytes = fs::read(ring).expect("the ring");
    let mut is_damaged = false;
    for _ in 0..flips {
        let place = input.choose(places)?;
        let at = input.int_in_range(place.records[0]..=place.end - 1)?;
        let bit = 1 << input.int_in_range(0..=7)?;
        if all || !place.has_header_at(at) {
            bytes[HEADER + at] ^= bit;
            is_damaged = true;
        }
    }
    fs::write(ring, bytes).expect("the ring");
    Ok(is_damaged)
}

fn scenario(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let before = if input.ratio(1, 2)? { "of another process\n" } else { "" };
    fs::write(&path, before).expect("the log");
    let lines = lines(input)?;
    let mut file = LogFile::open(&path, None, false).expect("the log can be opened");
    let ring = create(&path, CAPACITY).expect("a ring");
    let is_interrupted = input.ratio(1, 2)?;
    let places = fill(&ring, &lines, input)?;
    if is_interrupted {
        interrupt(&ring, &mut file, &path, (&lines, &places), input)?;
    }
    let ring_path = ring.memory().path().expect("a file").to_owned();
    drop((ring, file));
    let is_damaged = damage(&ring_path, &places, !is_interrupted, input)?;

    let (text, torn) = recover(&path);
    if is_damaged {
        let known: Vec<_> =
            text.split_inclusive('\n').filter_map(|line| lines.iter().position(|l| l == line)).collect();
        assert!(known.is_sorted_by(|a, b| a < b), "in order, and once: {known:?}");
    } else {
        assert!(text == format!("{before}{}", lines.concat()), "all lines, once:\n{text}");
        assert_eq!(torn, 0);
    }
    let left: Vec<_> =
        fs::read_dir(folder.path()).expect("the folder").flatten().map(|file| file.file_name()).collect();
    assert_eq!(left.len(), 1, "no ring is left: {left:?}");
    Ok(())
}

/// The bytes are choices: the lines, where the process died, what befell its ring.
///
/// # Panics
///
/// On a difference.
pub fn recovery(data: &[u8]) {
    // Choices that run out are no scenario.
    let _ = scenario(&mut Unstructured::new(data));
}

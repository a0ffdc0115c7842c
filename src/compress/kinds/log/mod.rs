//! Logs, and whatever else repeats itself line by line.
//!
//! Lossless: the templates once, then a line each with its time where it changed, the letter of its template and the
//! values. Lossy: the lines that tell most as they were, and for the others how many there were of each template.

#[cfg(any(test, feature = "inverse"))]
pub(super) mod decode;
mod evidence;
mod merge;
mod mine;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use self::merge::{Template, Templates};
pub(super) use self::mine::mix;
use self::mine::{BLANK, Mined, NO_STAMP, Span};
use super::stamp::Date;
use crate::cancel::{self, CancelToken};
use crate::compress::form::{Form, Kept, Unit};
use crate::compress::marker;
use crate::compress::query::Query;
use crate::compress::words::boundary;
use crate::error::Error;

/// Lines between two looks at whether the work should stop.
const CHECK: usize = 1024;

/// Fewer lines are not looked through for what they have in common, unless they are a log's.
const FEWEST_LINES: usize = 12;
const MANY_GROUPS: usize = 20_000;
/// Templates described for lines left out.
const MOST_DESCRIBED: usize = 24;
/// Their length in characters.
const LONGEST_DESCRIPTION: usize = 320;

/// A log, or whatever else is to be read as one.
pub(super) fn understand(text: &str) -> Option<Log<'_>> {
    from_mined(mined(text)?)
}

/// A text of which nothing is known but that its lines are of a few kinds, if they are: templates must make it shorter.
pub(super) fn understand_if_alike(text: &str) -> Option<Log<'_>> {
    memchr::memchr_iter(b'\n', text.as_bytes()).nth(FEWEST_LINES)?;
    let mined = mined(text)?;
    // Where most are groups of their own, looking for what these have in common takes long and finds little.
    if mined.groups.len() > MANY_GROUPS && mined.groups.len() * 2 > mined.lines.len() {
        return None;
    }
    from_mined(mined).filter(Log::pays)
}

fn mined(text: &str) -> Option<Mined<'_>> {
    // Positions are of 32 bits.
    (text.len() < u32::MAX as usize / 2).then(|| mine::mine(text)).filter(|_| !cancel::is_interrupted())
}

fn from_mined(mined: Mined<'_>) -> Option<Log<'_>> {
    let templates = merge::merge(&mined);
    (!cancel::is_interrupted()).then(|| Log::new(mined, templates))
}

#[derive(Debug)]
pub(super) struct Log<'a> {
    mined: Mined<'a>,
    templates: Templates,
    /// Templates worth a letter, the most frequent first.
    lettered: Vec<u32>,
    /// The place of each template among them.
    letters: Vec<Option<u32>>,
    /// What stands for a value and for the time in templates: none of them has it in its text.
    marks: Option<(&'static str, &'static str)>,
}

/// What `"` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ditto {
    /// The value in its place in the line above.
    Above,
    /// The value in its place in the last line of the same template.
    Same,
}

impl<'a> Log<'a> {
    fn new(mined: Mined<'a>, templates: Templates) -> Self {
        let mut log = Self { mined, templates, lettered: Vec::new(), letters: Vec::new(), marks: None };
        let list = &log.templates.list;
        let mut lettered: Vec<u32> =
            (0..list.len() as u32).filter(|id| log.is_worth_a_letter(&list[*id as usize])).collect();
        lettered.sort_by_key(|id| (Reverse(list[*id as usize].count), *id));
        log.letters = vec![None; list.len()];
        for (rank, id) in lettered.iter().enumerate() {
            log.letters[*id as usize] = Some(rank as u32);
        }
        log.marks = log.find_marks(&lettered);
        log.lettered = lettered;
        log
    }

    /// Whether templates make it shorter by at least a quarter of its bytes or so.
    fn pays(&self) -> bool {
        let saved: usize =
            self.lettered.iter().map(|id| self.saving(&self.templates.list[*id as usize])).sum();
        self.marks.is_some() && saved * 8 > self.mined.text.len()
    }

    /// Bytes that need not be written again for each line of a template.
    fn fixed(&self, template: &Template) -> usize {
        let line = self.mined.lines[template.first as usize].span;
        let open: u32 = self.templates.holes_of(template).iter().map(|hole| hole.end - hole.start).sum();
        (line.end - line.start - open) as usize
    }

    fn saving(&self, template: &Template) -> usize {
        (self.fixed(template).saturating_sub(2) * (template.count as usize - 1)).saturating_sub(8)
    }

    fn is_worth_a_letter(&self, template: &Template) -> bool {
        let fixed = self.fixed(template);
        template.count >= 3 && fixed > 4 || template.count == 2 && fixed > 40
    }

    fn find_marks(&self, lettered: &[u32]) -> Option<(&'static str, &'static str)> {
        let absent = |mark: &&&'static str| {
            lettered.iter().all(|id| {
                self.pieces(&self.templates.list[*id as usize]).all(|(piece, _)| !piece.contains(**mark))
            })
        };
        let value = ["*", "<>", "{}", "¤", "□"].iter().find(absent)?;
        let time = ["<time>", "<t>", "⌚"].iter().find(absent)?;
        Some((value, time))
    }

    /// A template's text between its holes, each with the hole after it.
    fn pieces(&self, template: &Template) -> impl Iterator<Item = (&str, Option<Span>)> {
        let line = self.mined.lines[template.first as usize].span;
        let mut from = line.start;
        let holes = self.templates.holes_of(template).iter().map(|hole| Some(*hole)).chain([None]);
        holes.map(move |hole| {
            let to = hole.map_or(line.end, |hole| hole.start);
            let piece = Span { start: from, end: to }.of(self.mined.text);
            from = hole.map_or(line.end, |hole| hole.end);
            (piece, hole)
        })
    }

    /// The time of a line.
    fn stamp(&self, line: usize) -> Option<Span> {
        let line = &self.mined.lines[line];
        (line.stamp != NO_STAMP).then(|| self.mined.value(line, line.stamp as usize))
    }

    /// A line's template, if it has a letter, and its values but for the time.
    fn encoded(&self, line: usize) -> Option<(u32, impl Iterator<Item = Span> + Clone + '_)> {
        let stamp = self.stamp(line);
        let (template, values) = self.templates.values(&self.mined, line)?;
        self.letters[template as usize]?;
        Some((template, values.filter(move |value| Some(*value) != stamp)))
    }

    /// Which meaning of `"` saves more.
    fn choose_ditto(&self) -> Ditto {
        let text = self.mined.text;
        let mut last = vec![Span::default(); self.templates.holes.len()];
        let mut above: Vec<Span> = Vec::new();
        let (mut of_above, mut of_same) = (0_usize, 0_usize);
        for line in 0..self.mined.lines.len() {
            let Some((template, values)) = self.encoded(line) else { continue };
            let last = &mut last[self.templates.list[template as usize].holes as usize..];
            let before = above.len();
            for (index, value) in values.enumerate() {
                let bytes = value.bytes(text);
                of_same += usize::from(last[index].bytes(text) == bytes) * bytes.len();
                last[index] = value;
                of_above +=
                    usize::from(above.get(index).is_some_and(|span| span.bytes(text) == bytes)) * bytes.len();
                if index < before {
                    above[index] = value;
                } else {
                    above.push(value);
                }
            }
        }
        if of_same > of_above { Ditto::Same } else { Ditto::Above }
    }

    fn write_all(&self, (value_mark, time_mark): (&str, &str), out: &mut String) {
        let ditto = self.choose_ditto();
        self.write_legend(ditto, value_mark, time_mark, out);
        let text = self.mined.text;
        let mut last = vec![Span::default(); self.templates.holes.len()];
        let mut above: Vec<Span> = Vec::new();
        let mut time: Option<(Span, u8)> = None;
        // The template of the line above, and how often that line came.
        let mut run: Option<(u32, usize)> = None;
        let mut scratch = String::new();
        for (index, line) in self.mined.lines.iter().enumerate() {
            if index % CHECK == CHECK - 1 && cancel::is_interrupted() {
                return;
            }
            let Some((template, values)) = self.encoded(index) else {
                end_run(&mut run, out);
                if line.group != BLANK {
                    out.push_str("| ");
                    out.push_str(line.span.of(text));
                    above.clear();
                }
                out.push('\n');
                continue;
            };
            scratch.clear();
            let mut repeats = run.is_some_and(|(same, _)| same == template);
            if let Some(stamp) = self.stamp(index) {
                let short = shorten(text, time, (stamp, line.clock), self.mined.date);
                if !short.is_empty() {
                    scratch.push_str(short);
                    scratch.push(' ');
                    repeats = false;
                }
                time = Some((stamp, line.clock));
            }
            push_letter(&mut scratch, self.letters[template as usize].unwrap_or_default());
            let last = &mut last[self.templates.list[template as usize].holes as usize..];
            let mut count = 0;
            for value in values {
                let before = match ditto {
                    Ditto::Same => Some(last[count]),
                    Ditto::Above => above.get(count).copied(),
                };
                scratch.push(' ');
                if before.is_some_and(|before| before.bytes(text) == value.bytes(text)) {
                    scratch.push('"');
                } else {
                    scratch.push_str(value.of(text));
                    repeats = false;
                }
                last[count] = value;
                if count < above.len() {
                    above[count] = value;
                } else {
                    above.push(value);
                }
                count += 1;
            }
            above.truncate(count);
            if repeats && let Some((_, times)) = &mut run {
                *times += 1;
            } else {
                end_run(&mut run, out);
                out.push_str(&scratch);
                run = Some((template, 1));
            }
        }
        end_run(&mut run, out);
        if !text.ends_with('\n') {
            out.pop();
        }
    }

    fn write_legend(&self, ditto: Ditto, value_mark: &str, time_mark: &str, out: &mut String) {
        out.push_str("[log: lines are their time (");
        out.push_str(time_mark);
        out.push_str(") if new, the letter of a template, its values (");
        out.push_str(value_mark);
        out.push_str("); \" is the value ");
        out.push_str(match ditto {
            Ditto::Above => "in the line above",
            Ditto::Same => "in the template's last line",
        });
        out.push_str(", x3 the line thrice, | a line as it was]\n");
        for id in &self.lettered {
            push_letter(out, self.letters[*id as usize].unwrap_or_default());
            out.push(' ');
            let template = &self.templates.list[*id as usize];
            let stamp = self.stamp(template.first as usize);
            for (piece, hole) in self.pieces(template) {
                out.push_str(piece);
                match hole {
                    Some(_) if hole == stamp => out.push_str(time_mark),
                    Some(_) => out.push_str(value_mark),
                    None => {}
                }
            }
            out.push('\n');
        }
        out.push('\n');
    }

    fn write_some(&self, flags: &[bool], out: &mut String) {
        let mut left_out = vec![0_u32; self.templates.list.len()];
        for (line, _) in self.mined.lines.iter().zip(flags).filter(|(_, kept)| !**kept) {
            if let Some(template) = self.templates.of_group.get(line.group as usize) {
                left_out[*template as usize] += 1;
            }
        }
        let mut described: Vec<u32> =
            (0..left_out.len() as u32).filter(|id| left_out[*id as usize] > 1).collect();
        described.sort_by_key(|id| (Reverse(left_out[*id as usize]), *id));
        described.truncate(MOST_DESCRIBED);
        let mut letters = vec![None; left_out.len()];
        for (rank, id) in described.iter().enumerate() {
            letters[*id as usize] = Some(rank as u32);
        }
        if !described.is_empty() {
            self.describe(&described, &left_out, out);
        }
        let mut at = 0;
        while at < flags.len() && !cancel::is_interrupted() {
            let run = flags[at..].iter().take_while(|kept| **kept == flags[at]).count();
            if flags[at] {
                let (first, last) = (self.mined.lines[at].span, self.mined.lines[at + run - 1].span);
                out.push_str(Span { start: first.start, end: last.end }.of(self.mined.text));
            } else {
                self.write_gap(at..at + run, &letters, out);
            }
            out.push('\n');
            at += run;
        }
        if !self.mined.text.ends_with('\n') {
            out.pop();
        }
    }

    /// Templates of lines left out, with what their values were.
    fn describe(&self, described: &[u32], left_out: &[u32], out: &mut String) {
        out.push_str("[templates of lines left out, with how many, and values in <>:]\n");
        let ranges = evidence::ranges(&self.mined, &self.templates, described);
        for (rank, (id, ranges)) in described.iter().zip(ranges).enumerate() {
            let template = &self.templates.list[*id as usize];
            let stamp = self.stamp(template.first as usize);
            push_letter(out, rank as u32);
            out.push(' ');
            out.push_str(&left_out[*id as usize].to_string());
            out.push_str("x ");
            let mut room = LONGEST_DESCRIPTION;
            let mut ranges = ranges.iter();
            for (piece, hole) in self.pieces(template) {
                let cut = boundary(piece, room);
                out.push_str(&piece[..cut]);
                room -= cut;
                if cut < piece.len() {
                    out.push('…');
                    break;
                }
                let range = ranges.next();
                match hole {
                    Some(_) if hole == stamp => out.push_str("<time>"),
                    Some(_) => {
                        out.push('<');
                        out.push_str(range.map_or("…", String::as_str));
                        out.push('>');
                    }
                    None => {}
                }
            }
            out.push('\n');
        }
    }

    fn write_gap(&self, lines: std::ops::Range<usize>, letters: &[Option<u32>], out: &mut String) {
        let mut counts: Vec<(u32, usize)> = Vec::new();
        let (mut others, mut blank) = (0, 0);
        for line in &self.mined.lines[lines.clone()] {
            match self
                .templates
                .of_group
                .get(line.group as usize)
                .and_then(|template| letters[*template as usize])
            {
                Some(letter) => match counts.iter_mut().find(|(other, _)| *other == letter) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((letter, 1)),
                },
                None if line.group == BLANK => blank += 1,
                None => others += 1,
            }
        }
        counts.sort_by_key(|(letter, count)| (Reverse(*count), *letter));
        let mut details = String::new();
        for (letter, count) in counts {
            if !details.is_empty() {
                details.push_str(", ");
            }
            if lines.len() > 1 {
                details.push_str(&count.to_string());
                details.push(' ');
            }
            push_letter(&mut details, letter);
        }
        if !details.is_empty() && others + blank > 0 {
            details.push_str(", ");
            details.push_str(&(others + blank).to_string());
            details.push_str(if others > 0 { " other" } else { " empty" });
        }
        marker::gap(out, lines.len(), "line", &details);
    }
}

/// A time without what it has in common with the one before: the seconds, the time of day, or all of it.
fn shorten(text: &str, before: Option<(Span, u8)>, (now, clock): (Span, u8), date: Date) -> &str {
    let full = now.of(text);
    let Some((before, before_clock)) = before else { return full };
    let before = before.of(text);
    if before == full {
        return "";
    }
    let clock = clock as usize;
    if before_clock as usize != clock || before.as_bytes()[..clock] != full.as_bytes()[..clock] {
        return full;
    }
    let minutes = clock + 5;
    if date != Date::Digits && before.as_bytes()[..minutes] == full.as_bytes()[..minutes] {
        return &full[minutes..];
    }
    &full[clock..]
}

fn end_run(run: &mut Option<(u32, usize)>, out: &mut String) {
    if let Some((_, times)) = run.take() {
        if times > 1 {
            out.push_str(" x");
            out.push_str(&times.to_string());
        }
        out.push('\n');
    }
}

/// A, B, … Z, AA, AB, …
fn push_letter(out: &mut String, rank: u32) {
    let mut rest = rank + 1;
    let mut letters = [0; 8];
    let mut at = letters.len();
    while rest > 0 {
        at -= 1;
        letters[at] = b'A' + ((rest - 1) % 26) as u8;
        rest = (rest - 1) / 26;
    }
    out.extend(letters[at..].iter().map(|letter| *letter as char));
}

impl Form for Log<'_> {
    fn transforms(&self) -> &'static [&'static str] {
        if self.lettered.is_empty() || self.marks.is_none() { &["lines"] } else { &["log_templates"] }
    }

    fn len(&self) -> usize {
        self.mined.lines.len()
    }

    fn weigh(&self, query: &Query, cancel: &CancelToken) -> Result<Vec<Unit>, Error> {
        evidence::weigh(&self.mined, &self.templates, query, cancel)
    }

    fn write(&self, kept: Kept<'_>, out: &mut String) {
        match (kept, self.marks) {
            (Kept::Some(flags), _) if !kept.is_all() => self.write_some(flags, out),
            (_, Some(marks)) if !self.lettered.is_empty() => self.write_all(marks, out),
            _ => out.push_str(self.mined.text),
        }
    }
}

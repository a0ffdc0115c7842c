//! Groups that differ only in a few words become one template: `Invalid user admin from …`, `Invalid user guest from …`.

use std::collections::HashMap;

use super::mine::{CLASS, DIGIT, Mined, NO_STAMP, Span, mix, word_end};
use crate::cancel;
use crate::compress::signal::{self, Severity};

/// Groups are compared with this many templates of the same punctuation at most.
const MOST_CANDIDATES: usize = 12;
/// A word varies if at least so many groups agree on the rest: `opened` and `closed` stay apart.
const FEWEST_MEMBERS: usize = 4;
/// A mask has a bit for each word.
const MOST_WORDS: usize = 128;

/// What the lines of one or more groups have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Template {
    /// The line that stands for it.
    pub first: u32,
    pub last: u32,
    pub count: u32,
    /// Its [`Templates::holes`], as pieces of its first line.
    pub holes: u32,
    pub width: u32,
}

#[derive(Debug, Default)]
pub(super) struct Templates {
    pub list: Vec<Template>,
    pub holes: Vec<Span>,
    /// The template of each group.
    pub of_group: Vec<u32>,
    /// Where each group's sources begin, one for each hole of its template.
    pub from: Vec<u32>,
    pub sources: Vec<Source>,
    pub severity_of_group: Vec<Severity>,
    /// Groups whose lines are to be judged one by one, see [`signal::judge`].
    pub varies: Vec<bool>,
}

/// Where the value for a hole is found in lines of a group.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// Among the values of the line.
    Value(u8),
    /// In the text that the group's lines share.
    Fixed(Span),
}

#[derive(Clone, Copy)]
struct Word {
    span: Span,
    /// Its number among the values of its line; none where it has no digits.
    value: Option<u8>,
}

/// Groups that look alike so far.
struct Cluster {
    /// Words of its first group.
    words: std::ops::Range<usize>,
    /// Those in which its groups differ.
    mask: u128,
    members: Vec<u32>,
    severity: Severity,
}

pub(super) fn merge(mined: &Mined<'_>) -> Templates {
    let mut templates = Templates::default();
    let mut words = Vec::new();
    let mut places = Vec::with_capacity(mined.groups.len());
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut buckets: HashMap<u64, Vec<u32>> = HashMap::new();
    for id in 0..mined.groups.len() as u32 {
        if id.is_multiple_of(512) && cancel::is_interrupted() {
            return Templates::default();
        }
        let line = &mined.lines[mined.groups[id as usize].first as usize];
        let (severity, varies) = signal::judge(line.span.of(mined.text));
        templates.severity_of_group.push(severity);
        templates.varies.push(varies);
        let from = words.len();
        let hash = words_of(mined, id, &mut words);
        let range = from..words.len();
        places.push(range.clone());
        if range.len() > MOST_WORDS {
            words.truncate(from);
            places[id as usize] = from..from;
            clusters.push(Cluster { words: from..from, mask: 0, members: vec![id], severity });
            continue;
        }
        let bucket = buckets.entry(hash).or_default();
        let found = bucket.iter().copied().find_map(|index| {
            let cluster = &clusters[index as usize];
            let alike = cluster.severity == severity;
            let mask = alike.then(|| compare(mined.text, &words, cluster, &range)).flatten()?;
            Some((index, mask))
        });
        if let Some((index, mask)) = found {
            clusters[index as usize].mask = mask;
            clusters[index as usize].members.push(id);
        } else {
            if bucket.len() < MOST_CANDIDATES {
                bucket.push(clusters.len() as u32);
            }
            clusters.push(Cluster { words: range, mask: 0, members: vec![id], severity });
        }
    }
    templates.build(mined, &words, &places, &clusters);
    templates
}

/// The words of the line that stands for a group; gives a hash of what is between them.
fn words_of(mined: &Mined<'_>, group: u32, words: &mut Vec<Word>) -> u64 {
    let group = &mined.groups[group as usize];
    let line = &mined.lines[group.first as usize];
    let bytes = mined.text.as_bytes();
    let mut values = 0;
    let mut hash = u64::from(line.stamp);
    let mut at = line.span.start as usize;
    let mut from = at;
    let end = line.span.end as usize;
    while at < end {
        if line.stamp != NO_STAMP && line.stamp == values {
            let stamp = mined.value(line, values as usize);
            if at == stamp.start as usize {
                words.push(Word { span: stamp, value: Some(values) });
                hash = mix(hash, &bytes[from..at]);
                values += 1;
                at = stamp.end as usize;
                from = at;
                continue;
            }
        }
        if CLASS[bytes[at] as usize] == 0 {
            at += 1;
            continue;
        }
        let start = at;
        let mut seen = 0;
        // A time ends the word before it, as it does in mining.
        let limit = (values < group.values)
            .then(|| mined.value(line, values as usize))
            .filter(|value| value.start as usize > start && line.stamp == values)
            .map_or(end, |value| value.start as usize);
        while at < limit && CLASS[bytes[at] as usize] != 0 {
            seen |= CLASS[bytes[at] as usize];
            at += 1;
        }
        let mut stop = at;
        while stop > start && matches!(bytes[stop - 1], b'.' | b'-') {
            stop -= 1;
        }
        if stop == start {
            continue;
        }
        debug_assert!(seen & DIGIT == 0 || stop == word_end(bytes, at));
        let value = (seen & DIGIT != 0).then_some(values);
        values += u8::from(value.is_some());
        words.push(Word { span: Span::new(start, stop), value });
        hash = mix(hash, &bytes[from..start]);
        from = stop;
    }
    mix(hash, &bytes[from..end])
}

/// In which words a cluster differs once a group has joined; nothing where it is too different.
fn compare(text: &str, words: &[Word], cluster: &Cluster, other: &std::ops::Range<usize>) -> Option<u128> {
    if cluster.words.len() != other.len() {
        return None;
    }
    let mut mask = cluster.mask;
    let (mut same, mut different) = (0, 0);
    for (index, (a, b)) in words[cluster.words.clone()].iter().zip(&words[other.clone()]).enumerate() {
        if mask >> index & 1 != 0 || (a.value.is_some() && b.value.is_some()) {
            continue;
        }
        if a.value.is_none() && b.value.is_none() && a.span.bytes(text) == b.span.bytes(text) {
            same += 1;
        } else {
            different += 1;
            mask |= 1 << index;
        }
    }
    // Errors are told apart by fewer words.
    let weight = if cluster.severity > Severity::Warning { 5 } else { 2 };
    (same >= 2 && mask.count_ones() <= 3 && different * weight <= same).then_some(mask)
}

impl Templates {
    fn build(
        &mut self,
        mined: &Mined<'_>,
        words: &[Word],
        places: &[std::ops::Range<usize>],
        clusters: &[Cluster],
    ) {
        let groups = mined.groups.len();
        self.of_group = vec![0; groups];
        self.from = vec![0; groups];
        for cluster in clusters {
            if cluster.members.len() < FEWEST_MEMBERS {
                for id in &cluster.members {
                    self.single(mined, *id);
                }
            } else {
                self.joint(mined, words, places, cluster);
            }
        }
        for (index, line) in mined.lines.iter().enumerate() {
            if let Some(template) = self.of_group.get(line.group as usize) {
                let template = &mut self.list[*template as usize];
                template.last = index as u32;
                template.first = template.first.min(index as u32);
            }
        }
    }

    /// A template of one group: its holes are the values that vary.
    fn single(&mut self, mined: &Mined<'_>, id: u32) {
        let group = &mined.groups[id as usize];
        let line = &mined.lines[group.first as usize];
        let template = self.begin(mined, id);
        self.from[id as usize] = self.sources.len() as u32;
        for value in 0..group.values {
            if group.varying >> value & 1 != 0 || value == line.stamp {
                self.holes.push(mined.value(line, value as usize));
                self.sources.push(Source::Value(value));
            }
        }
        self.end(template, group.count);
    }

    fn joint(
        &mut self,
        mined: &Mined<'_>,
        words: &[Word],
        places: &[std::ops::Range<usize>],
        cluster: &Cluster,
    ) {
        let text = mined.text;
        let first = cluster.members[0];
        let template = self.begin(mined, first);
        let stamp = mined.lines[mined.groups[first as usize].first as usize].stamp;
        let leading = &words[cluster.words.clone()];
        let mut open = cluster.mask;
        for (index, word) in leading.iter().enumerate() {
            let Some(value) = word.value else { continue };
            let varies = |id: &u32| {
                let other = &words[places[*id as usize].start + index];
                let varying = mined.groups[*id as usize].varying;
                other.value.is_none_or(|value| varying >> value & 1 != 0)
                    || other.span.bytes(text) != word.span.bytes(text)
            };
            if value == stamp || cluster.members.iter().any(varies) {
                open |= 1 << index;
            }
        }
        let holes = (0..leading.len()).filter(|index| open >> index & 1 != 0);
        self.holes.extend(holes.clone().map(|index| leading[index].span));
        let mut count = 0;
        for id in &cluster.members {
            self.of_group[*id as usize] = template;
            self.from[*id as usize] = self.sources.len() as u32;
            self.sources.extend(holes.clone().map(|index| {
                let word = &words[places[*id as usize].start + index];
                word.value.map_or(Source::Fixed(word.span), Source::Value)
            }));
            count += mined.groups[*id as usize].count;
        }
        self.end(template, count);
    }

    fn begin(&mut self, mined: &Mined<'_>, id: u32) -> u32 {
        let template = self.list.len() as u32;
        let first = mined.groups[id as usize].first;
        self.of_group[id as usize] = template;
        let holes = self.holes.len() as u32;
        self.list.push(Template { first, last: first, count: 0, holes, width: 0 });
        template
    }

    fn end(&mut self, template: u32, count: u32) {
        let template = &mut self.list[template as usize];
        template.count = count;
        template.width = self.holes.len() as u32 - template.holes;
    }

    pub(super) fn holes_of(&self, template: &Template) -> &[Span] {
        &self.holes[template.holes as usize..][..template.width as usize]
    }

    /// The values of a line for the holes of its template; nothing for lines without one.
    pub(super) fn values<'s>(
        &'s self,
        mined: &'s Mined<'_>,
        line: usize,
    ) -> Option<(u32, impl ExactSizeIterator<Item = Span> + Clone + 's)> {
        let line = &mined.lines[line];
        let template = *self.of_group.get(line.group as usize)?;
        let width = self.list[template as usize].width as usize;
        let sources = &self.sources[self.from[line.group as usize] as usize..][..width];
        let values = sources.iter().map(move |source| match source {
            Source::Value(index) => mined.value(line, *index as usize),
            Source::Fixed(span) => *span,
        });
        Some((template, values))
    }
}

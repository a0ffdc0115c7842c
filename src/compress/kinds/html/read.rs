//! The text of a page in blocks, without its markup.
//!
//! A scanner, not a parser: tags either end a block, end a cell, or say nothing. What browsers do not show (scripts, styles,
//! comments) is counted and passed over. Linear in the text, whatever is wrong with it, and without a stack.

use std::ops::Range;

use memchr::{memchr, memmem};

use crate::cancel;

/// What a block is in its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Text,
    Heading(u8),
    Item,
    /// A row of the table with this number.
    Row(u32),
    /// Preformatted lines.
    Lines,
}

/// A part of the page that is kept or left out.
#[derive(Clone, Debug)]
pub struct Block {
    pub role: Role,
    /// What a reader sees of it.
    pub text: String,
    /// Where it is in the page.
    pub source: Range<usize>,
    /// Where the cells of a row begin in the text.
    pub cells: Vec<u32>,
    pub has_head_cells: bool,
    /// Whether it continues the paragraph of the block before.
    pub continues: bool,
    /// Whether it stands in a menu, a footer or the like.
    pub is_frame: bool,
}

/// A page's blocks, and what is not shown of it.
#[derive(Debug, Default)]
pub struct Page {
    pub blocks: Vec<Block>,
    pub scripts: usize,
    pub styles: usize,
    pub comments: usize,
    pub tables: u32,
}

/// Paragraphs longer than this are cut into sentences.
const PARAGRAPH: usize = 240;
/// Cells of a row that have columns of their own.
const MOST_CELLS: usize = 128;
/// Tags between two looks at whether to go on.
const CHECK: usize = 1024;

/// Reads a page; what is left of it at the time when interrupted.
pub fn read(text: &str) -> Page {
    let mut reader = Reader::default();
    let (mut at, mut tags) = (0, 0_usize);
    while let Some(found) = memchr(b'<', &text.as_bytes()[at..]) {
        let open = at + found;
        reader.push_text(&text[at..open], open);
        tags += 1;
        if tags % CHECK == 0 && cancel::is_interrupted() {
            break;
        }
        at = reader.tag(text, open);
    }
    reader.push_text(&text[at..], text.len());
    reader.end_block(text.len());
    reader.page
}

#[derive(Default)]
struct Reader {
    page: Page,
    text: String,
    start: usize,
    cells: Vec<u32>,
    has_head_cells: bool,
    role: Option<Role>,
    /// Elements open that frame a page.
    frames: u32,
    preformatted: u32,
    in_row: bool,
}

/// The name of a tag, in lower case; longer ones than all that are known are cut.
#[derive(Clone, Copy)]
struct Name {
    bytes: [u8; 12],
    length: usize,
}

impl Name {
    fn of(bytes: &[u8]) -> Self {
        let mut name = Self { bytes: [0; 12], length: 0 };
        for byte in bytes.iter().take(12).take_while(|byte| byte.is_ascii_alphanumeric()) {
            name.bytes[name.length] = byte.to_ascii_lowercase();
            name.length += 1;
        }
        name
    }

    fn get(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Reader {
    /// Reads what begins with `<` at `open`; gives where it ends.
    fn tag(&mut self, text: &str, open: usize) -> usize {
        let bytes = text.as_bytes();
        let rest = &bytes[open + 1..];
        if rest.starts_with(b"!--") {
            self.page.comments += 1;
            return memmem::find(&rest[3..], b"-->").map_or(text.len(), |at| open + 4 + at + 3);
        }
        let closes = rest.first() == Some(&b'/');
        let name = Name::of(&rest[usize::from(closes).min(rest.len())..]);
        let is_declaration = matches!(rest.first(), Some(b'!' | b'?'));
        if name.length == 0 && !is_declaration {
            // A `<` that is only itself.
            self.push_text("<", open + 1);
            return open + 1;
        }
        let end = end_of_tag(bytes, open);
        match (closes, name.get()) {
            (false, element @ (b"script" | b"style" | b"svg" | b"template" | b"noscript" | b"iframe")) => {
                if element == b"style" {
                    self.page.styles += 1;
                } else {
                    self.page.scripts += 1;
                }
                return end_of_element(bytes, end, element);
            }
            (_, b"nav" | b"footer" | b"aside" | b"menu") => {
                self.end_block(open);
                self.frames = if closes { self.frames.saturating_sub(1) } else { self.frames + 1 };
            }
            (_, b"pre" | b"textarea") => {
                self.end_block(open);
                self.preformatted =
                    if closes { self.preformatted.saturating_sub(1) } else { self.preformatted + 1 };
                self.role = (!closes).then_some(Role::Lines);
            }
            (false, [b'h', level @ b'1'..=b'6']) => {
                self.end_block(open);
                self.role = Some(Role::Heading(level - b'0'));
            }
            (false, b"title") => {
                self.end_block(open);
                self.role = Some(Role::Heading(1));
            }
            (false, b"li" | b"dt" | b"dd" | b"option") => {
                self.end_block(open);
                self.role = Some(Role::Item);
            }
            (false, b"table") => {
                self.end_block(open);
                self.page.tables += 1;
            }
            (_, b"tr") => {
                self.end_block(open);
                self.in_row = !closes;
                self.role = (!closes).then_some(Role::Row(self.page.tables));
            }
            (false, b"td" | b"th") if self.in_row => self.begin_cell(name.get() == b"th"),
            (
                _,
                b"a" | b"b" | b"i" | b"u" | b"s" | b"em" | b"strong" | b"span" | b"code" | b"small" | b"sup"
                | b"sub" | b"mark" | b"label" | b"time" | b"abbr" | b"font" | b"img" | b"kbd" | b"q" | b"td"
                | b"th" | b"wbr",
            ) => {}
            (_, b"br") if self.preformatted > 0 => self.text.push('\n'),
            // Within a row there is but the row.
            _ if self.in_row => self.push_text(" ", end),
            _ => self.end_block(open),
        }
        if self.text.is_empty() {
            self.start = end;
        }
        end
    }

    fn begin_cell(&mut self, is_head: bool) {
        self.has_head_cells |= is_head;
        trim_end(&mut self.text);
        if !self.cells.is_empty() {
            self.text.push_str(" | ");
        }
        if self.cells.len() < MOST_CELLS {
            self.cells.push(self.text.len() as u32);
        }
    }

    /// Adds shown text, its white space folded and its character references resolved.
    fn push_text(&mut self, text: &str, end: usize) {
        if self.text.is_empty() && self.cells.is_empty() && text.trim_ascii().is_empty() {
            self.start = end;
            return;
        }
        if self.preformatted > 0 {
            resolve(text, &mut self.text);
            return;
        }
        for (index, word) in text.split_ascii_whitespace().enumerate() {
            let spaced = index > 0 || text.starts_with(|first: char| first.is_ascii_whitespace());
            if spaced && !self.text.is_empty() && !self.text.ends_with(' ') {
                self.text.push(' ');
            }
            resolve(word, &mut self.text);
        }
        if text.ends_with(|last: char| last.is_ascii_whitespace())
            && !self.text.is_empty()
            && !self.text.ends_with(' ')
        {
            self.text.push(' ');
        }
    }

    fn end_block(&mut self, end: usize) {
        let role = self.role.take().unwrap_or(Role::Text);
        trim_end(&mut self.text);
        let text = std::mem::take(&mut self.text);
        let cells = std::mem::take(&mut self.cells);
        let block = Block {
            role,
            source: self.start..end,
            cells,
            has_head_cells: std::mem::take(&mut self.has_head_cells),
            continues: false,
            is_frame: self.frames > 0,
            text,
        };
        self.start = end;
        if block.text.is_empty() {
            return;
        }
        match role {
            Role::Text | Role::Item if block.text.len() > PARAGRAPH => self.add_sentences(&block),
            Role::Lines => self.add_lines(&block),
            _ => self.page.blocks.push(block),
        }
    }

    fn add_sentences(&mut self, block: &Block) {
        let mut start = 0;
        while start < block.text.len() {
            let end = end_of_sentence(&block.text, start);
            self.add_part(block, start..end, start > 0);
            start = end;
        }
    }

    fn add_lines(&mut self, block: &Block) {
        let mut start = 0;
        for line in block.text.split_inclusive('\n') {
            let end = start + line.len();
            if !line.trim_ascii().is_empty() {
                self.add_part(block, start..start + line.trim_ascii_end().len(), false);
            }
            start = end;
        }
    }

    fn add_part(&mut self, block: &Block, part: Range<usize>, continues: bool) {
        let text = block.text[part].trim_ascii_end().to_owned();
        self.page.blocks.push(Block { text, continues, cells: Vec::new(), ..block.clone_without_text() });
    }
}

impl Block {
    fn clone_without_text(&self) -> Self {
        Self { text: String::new(), cells: Vec::new(), source: self.source.clone(), ..*self }
    }

    /// The cells of a row.
    pub fn cell(&self, number: usize) -> Option<&str> {
        let start = *self.cells.get(number)? as usize;
        let end =
            self.cells.get(number + 1).map_or(self.text.len(), |next| (*next as usize).saturating_sub(3));
        Some(self.text.get(start..end.max(start)).unwrap_or_default().trim_ascii())
    }
}

fn trim_end(text: &mut String) {
    text.truncate(text.trim_ascii_end().len());
}

/// Behind the first sentence's end from `start` on that makes it worth a unit of its own.
fn end_of_sentence(text: &str, start: usize) -> usize {
    const LEAST: usize = 24;
    const MOST: usize = 480;
    let bytes = text.as_bytes();
    let mut at = start;
    while at < bytes.len() {
        let length = at - start;
        if matches!(bytes[at], b'.' | b'!' | b'?') && bytes.get(at + 1) == Some(&b' ') && length > LEAST {
            return at + 2;
        }
        if bytes[at..].starts_with("。".as_bytes()) {
            return at + 3;
        }
        if length > MOST && bytes[at] == b' ' {
            return at + 1;
        }
        at += 1;
    }
    text.len()
}

/// Behind the `>` of a tag; one within quotes does not count.
fn end_of_tag(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while let Some(found) = memchr::memchr3(b'>', b'"', b'\'', &bytes[at..]) {
        at += found;
        if bytes[at] == b'>' {
            return at + 1;
        }
        // An attribute's value follows `=`; another quote is a slip, and closes nothing.
        let follows = bytes[..at].trim_ascii_end().last() == Some(&b'=');
        match memchr(bytes[at], &bytes[at + 1..]).filter(|_| follows) {
            Some(length) => at += length + 2,
            None => at += 1,
        }
    }
    bytes.len()
}

/// Behind the end of an element whose content is not shown.
fn end_of_element(bytes: &[u8], from: usize, name: &[u8]) -> usize {
    let mut at = from;
    while let Some(found) = memmem::find(&bytes[at..], b"</") {
        at += found + 2;
        if bytes[at..].len() >= name.len() && bytes[at..at + name.len()].eq_ignore_ascii_case(name) {
            return memchr(b'>', &bytes[at..]).map_or(bytes.len(), |end| at + end + 1);
        }
    }
    bytes.len()
}

/// Writes text with its character references resolved, those that are known.
fn resolve(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        if let Some((character, end)) = end.and_then(|end| Some((character(&rest[1..end])?, end))) {
            out.push(character);
            rest = &rest[end + 1..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?).filter(|character| !character.is_control());
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "copy" => '©',
        "mdash" => '—',
        "ndash" => '–',
        "hellip" => '…',
        "euro" => '€',
        _ => return None,
    })
}

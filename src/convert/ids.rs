//! Ids of tool calls as the target wants them: the same for a call and its result, one for each call that had none.

use std::collections::{HashMap, HashSet, VecDeque};

use super::text::Text;

/// Longest id of `OpenAI`'s formats, in UTF-16 units.
const MAX_LENGTH: usize = 64;
/// Of an id that was repaired; of one that gets a number besides.
const REPAIRED: usize = 40;
const NUMBERED: usize = 34;

/// Which ids a format takes.
#[derive(Clone, Copy, Debug)]
pub enum Allowed {
    /// Letters, digits, `_` and `-`, after a prefix of their own where they are made.
    Names,
    /// Anything of up to 64 characters.
    Short,
}

impl Allowed {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Names => "toolu_",
            Self::Short => "call_",
        }
    }

    fn takes(self, id: &str) -> bool {
        match self {
            Self::Names => !id.is_empty() && id.bytes().all(is_of_name),
            Self::Short => (1..=MAX_LENGTH).contains(&id.encode_utf16().count()),
        }
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

#[derive(Debug)]
pub struct Ids {
    allowed: Allowed,
    /// What became of each id.
    known: HashMap<String, Text>,
    used: HashSet<String>,
    /// Calls without an id whose results have not come yet.
    open: VecDeque<String>,
}

impl Ids {
    pub fn new(allowed: Allowed) -> Self {
        Self { allowed, known: HashMap::new(), used: HashSet::new(), open: VecDeque::new() }
    }

    pub fn of_call(&mut self, id: &Text, warnings: &mut Vec<String>) -> Text {
        if !id.is_empty() {
            return self.known(id, warnings);
        }
        let made = self.fresh(&format!("{}{}", self.allowed.prefix(), self.used.len()));
        warnings.push(format!("a tool call without an id is called {made}"));
        self.open.push_back(made.clone());
        Text::Made(made)
    }

    pub fn of_result(&mut self, id: &Text, warnings: &mut Vec<String>) -> Text {
        if !id.is_empty() {
            return self.known(id, warnings);
        }
        match self.open.pop_front() {
            Some(made) => Text::Made(made),
            None => self.known(&Text::Made(format!("{}unknown", self.allowed.prefix())), warnings),
        }
    }

    fn known(&mut self, id: &Text, warnings: &mut Vec<String>) -> Text {
        let read = id.read();
        if let Some(before) = self.known.get(&*read) {
            return before.clone();
        }
        let result = if self.allowed.takes(&read) && self.used.insert(read.clone().into_owned()) {
            id.clone()
        } else {
            // One for each UTF-16 unit.
            let units = read.encode_utf16().take(REPAIRED);
            let name =
                units.map(|unit| u8::try_from(unit).ok().filter(|&byte| is_of_name(byte)).unwrap_or(b'_'));
            let repaired = self.fresh(&name.map(char::from).collect::<String>());
            warnings.push(format!("the id of tool call '{read}' became '{repaired}'"));
            Text::Made(repaired)
        };
        self.known.insert(read.into_owned(), result.clone());
        result
    }

    fn fresh(&mut self, wanted: &str) -> String {
        let stem = &wanted[..wanted.len().min(NUMBERED)];
        let mut numbered = (1..).map(|number| format!("{stem}_{number}"));
        let mut id = wanted.to_owned();
        while !self.used.insert(id.clone()) {
            id = numbered.next().unwrap_or_default();
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_and_its_result_have_the_same_id_and_no_two_calls_one() {
        let mut ids = Ids::new(Allowed::Names);
        let mut warnings = Vec::new();
        let mut of = |id: &str, is_call: bool| {
            let id = Text::from(id);
            let id =
                if is_call { ids.of_call(&id, &mut warnings) } else { ids.of_result(&id, &mut warnings) };
            id.read().into_owned()
        };
        assert_eq!(of("a.b", true), "a_b");
        assert_eq!(of("a_b", true), "a_b_1", "taken by the one before");
        assert_eq!(of("a_b", false), "a_b_1");
        assert_eq!(of("a.b", false), "a_b");
        let made = of("", true);
        assert_eq!(of(&made, true), format!("{made}_1"));
        assert_eq!(of("", false), made);
        assert_eq!(of("", false), "toolu_unknown");
        assert_eq!(of("", false), "toolu_unknown");
        assert_eq!(of("😀", true), "__");
        assert_eq!(warnings.len(), 5);
    }
}

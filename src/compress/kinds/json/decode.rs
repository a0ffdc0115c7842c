//! The inverse of writing, for the tests and the fuzz targets.

/// A value with its keys in order and its scalars as they are spelled.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number or literal.
    Plain(String),
    String(String),
    /// A string between fences.
    Text(String),
    /// A string that was JSON.
    Json(Box<Value>),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    /// Whether this, which was read back, stands for an original value. Texts are their own kinds' to check.
    pub fn stands_for(&self, original: &Self) -> bool {
        match (self, original) {
            (Self::Json(value), Self::String(text)) => value.stands_for(&Self::of(text)),
            (Self::Text(text), Self::String(original)) => {
                text == original || (original.len() >= super::texts::LONG && text.len() < original.len())
            }
            (Self::Array(items), Self::Array(others)) => {
                items.len() == others.len()
                    && items.iter().zip(others).all(|(item, other)| item.stands_for(other))
            }
            (Self::Object(members), Self::Object(others)) => {
                let same = |((key, value), (other_key, other)): (&(String, Self), &(String, Self))| {
                    key == other_key && value.stands_for(other)
                };
                members.len() == others.len() && members.iter().zip(others).all(same)
            }
            _ => self == original,
        }
    }

    /// What JSON text stands for.
    pub fn of(text: &str) -> Self {
        Self::read(text).expect("JSON")
    }

    /// What a text stands for, if it is JSON.
    pub fn read(text: &str) -> Option<Self> {
        let tree = super::read::read(text)?;
        Some(Self::node(&tree, tree.root))
    }

    pub fn node(tree: &super::tree::Tree<'_>, id: u32) -> Self {
        use super::tree::Kind;
        let unescape =
            |literal: &str| super::notation::unescape(literal).unwrap_or_else(|| literal.to_string());
        let node = tree.node(id);
        match node.kind {
            Kind::String { .. } => Self::String(unescape(tree.literal(id))),
            Kind::Array => Self::Array(tree.children(id).map(|child| Self::node(tree, child)).collect()),
            Kind::Object => {
                let keys = tree.keys_of(node.shape).into_iter().map(|key| unescape(tree.key(key)));
                Self::Object(keys.zip(tree.children(id).map(|child| Self::node(tree, child))).collect())
            }
            _ => Self::Plain(tree.text_of(id).to_string()),
        }
    }
}

#[derive(Clone, Debug)]
enum Content {
    Value { strings: bool },
    Constant(Value),
    Time { key: bool, prefix: String, suffix: String },
    Key,
    Group(Vec<Column>),
    List { map: bool, columns: Vec<Column> },
}

#[derive(Clone, Debug)]
struct Column {
    key: String,
    content: Content,
}

/// Reads what was written of one value.
pub fn decode(text: &str) -> Value {
    let mut reader = Reader { text, at: 0 };
    let value = match reader.peek() {
        '(' => reader.table(),
        '[' => reader.value(false),
        '{' if text == "{}" => return Value::Object(Vec::new()),
        _ => Value::Object(reader.members()),
    };
    assert_eq!(reader.at, text.len(), "left: {:?}", &text[reader.at..]);
    value
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> char {
        self.text[self.at..].chars().next().unwrap_or('\0')
    }

    fn eat(&mut self, character: char) -> bool {
        let eaten = self.peek() == character;
        if eaten {
            self.at += character.len_utf8();
        }
        eaten
    }

    fn expect(&mut self, character: char) {
        assert!(self.eat(character), "{character} expected: {:?}", &self.text[self.at..]);
    }

    /// A bare word, up to one of these characters or what ends any.
    fn word(&mut self, also: &[char]) -> String {
        let end = |c: char| c <= ' ' || "\"(){}[]\x7f".contains(c) || also.contains(&c);
        let rest = &self.text[self.at..];
        let length = rest.find(end).unwrap_or(rest.len());
        self.at += length;
        rest[..length].to_string()
    }

    fn quoted(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while self.peek() != '"' {
            self.at += if self.peek() == '\\' { 2 } else { self.peek().len_utf8() };
        }
        self.at += 1;
        let literal = &self.text[start + 1..self.at - 1];
        super::notation::unescape(literal).unwrap_or_else(|| literal.to_string())
    }

    fn key(&mut self) -> String {
        if self.peek() == '"' { self.quoted() } else { self.word(&['=']) }
    }

    fn value(&mut self, strings: bool) -> Value {
        let rest = &self.text[self.at..];
        let (is_json, body) = rest.strip_prefix("json").map_or((false, rest), |rest| (true, rest));
        if let Some(body) = body.strip_prefix(super::texts::FENCE) {
            let length = body.find(super::texts::FENCE).expect("a closing fence");
            self.at += rest.len() - body.len() + length + 3;
            let text = &body[..length];
            return if is_json { Value::Json(Box::new(decode(text))) } else { Value::Text(text.to_string()) };
        }
        match self.peek() {
            '"' => Value::String(self.quoted()),
            '[' => {
                self.at += 1;
                let value = if self.peek() == '(' { self.table() } else { Value::Array(self.items()) };
                self.expect(']');
                value
            }
            '{' => {
                self.at += 1;
                let value = if self.peek() == '(' { self.table() } else { Value::Object(self.members()) };
                self.expect('}');
                value
            }
            _ => {
                let word = self.word(&[]);
                assert!(!word.is_empty(), "{:?}", &self.text[self.at..]);
                if !strings && super::notation::is_literal(&word) {
                    Value::Plain(word)
                } else {
                    Value::String(word)
                }
            }
        }
    }

    fn items(&mut self) -> Vec<Value> {
        let mut items = Vec::new();
        while self.peek() != ']' {
            items.push(self.value(false));
            let _ = self.eat(' ') || self.eat('\n');
        }
        items
    }

    fn members(&mut self) -> Vec<(String, Value)> {
        let mut members = Vec::new();
        while !matches!(self.peek(), '}' | '\0') {
            let key = self.key();
            if !matches!(self.peek(), '[' | '{') {
                self.expect('=');
            }
            members.push((key, self.value(false)));
            let _ = self.eat(' ') || self.eat('\n');
        }
        members
    }

    fn columns(&mut self) -> Vec<Column> {
        let mut columns = Vec::new();
        loop {
            let quoted = self.peek() == '"';
            let mut key = self.key();
            let strings = if quoted {
                self.text[self.at..].starts_with(":str") && {
                    self.at += 4;
                    true
                }
            } else {
                key.ends_with(":str") && {
                    key.truncate(key.len() - 4);
                    true
                }
            };
            let content = match self.peek() {
                '=' => {
                    self.at += 1;
                    let start = self.at;
                    let key = self.eat('*');
                    if key && matches!(self.peek(), ' ' | ')' | ']' | '}') {
                        Content::Key
                    } else if let Some((prefix, suffix)) = self.pieces() {
                        Content::Time { key, prefix, suffix }
                    } else {
                        self.at = start;
                        Content::Constant(self.value(false))
                    }
                }
                '(' => {
                    self.at += 1;
                    let columns = self.columns();
                    self.expect(')');
                    Content::Group(columns)
                }
                open @ ('[' | '{') => {
                    self.at += 1;
                    let map = open == '{';
                    if map {
                        self.expect('*');
                        self.expect(' ');
                    }
                    let columns = self.columns();
                    self.expect(if map { '}' } else { ']' });
                    Content::List { map, columns }
                }
                _ => Content::Value { strings },
            };
            columns.push(Column { key, content });
            if !self.eat(' ') {
                return columns;
            }
        }
    }

    /// What stands before and after the part that differs.
    fn pieces(&mut self) -> Option<(String, String)> {
        let mut piece = || match self.peek() {
            '"' => self.quoted(),
            '[' | '{' => String::new(),
            _ => self.word(&['…']),
        };
        let prefix = piece();
        if !self.eat('…') {
            return None;
        }
        let suffix = if self.peek() == '"' { self.quoted() } else { self.word(&[]) };
        Some((prefix, suffix))
    }

    fn table(&mut self) -> Value {
        self.expect('(');
        let map = self.text[self.at..].starts_with("* ");
        if map {
            self.at += 2;
        }
        let columns = self.columns();
        self.expect(')');
        self.at += 1;
        self.rows(map, &columns)
    }

    fn ends_row(&self) -> bool {
        matches!(self.peek(), '\n' | '\0' | ']' | '}')
    }

    fn rows(&mut self, map: bool, columns: &[Column]) -> Value {
        let mut items = Vec::new();
        let mut members = Vec::new();
        while !matches!(self.peek(), '\0' | ']' | '}') {
            let key = if map {
                let Value::String(key) = self.value(true) else { panic!("no key") };
                let _ = self.eat(' ');
                key
            } else {
                String::new()
            };
            let odd = self.text[self.at..].starts_with("+ ");
            let value = if odd {
                self.at += 2;
                self.value(false)
            } else {
                let mut row = Vec::new();
                self.cells(columns, &key, &mut row);
                Value::Object(row)
            };
            if map {
                members.push((key, value));
            } else {
                items.push(value);
            }
            self.eat('\n');
        }
        if map { Value::Object(members) } else { Value::Array(items) }
    }

    fn is_missing(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let missing = rest.starts_with('~') && rest[1..].chars().next().is_none_or(|c| " \n]})".contains(c));
        if missing {
            self.at += 1;
            self.eat(' ');
        }
        missing
    }

    fn cells(&mut self, columns: &[Column], key: &str, row: &mut Vec<(String, Value)>) {
        for Column { key: name, content } in columns {
            let value = match content {
                Content::Constant(value) => value.clone(),
                Content::Key => Value::String(key.to_string()),
                _ if self.ends_row() || self.is_missing() => continue,
                Content::Value { strings } => self.value(*strings),
                Content::Time { key: has_key, prefix, suffix } => {
                    if self.peek() == '"' {
                        Value::String(self.quoted())
                    } else {
                        match &*self.word(&[]) {
                            "null" => Value::Plain("null".to_string()),
                            rest => {
                                let key = if *has_key { key } else { "" };
                                Value::String(format!("{key}{prefix}{rest}{suffix}"))
                            }
                        }
                    }
                }
                Content::Group(columns) => {
                    let mut group = Vec::new();
                    self.cells(columns, key, &mut group);
                    row.push((name.clone(), Value::Object(group)));
                    continue;
                }
                Content::List { map, columns } => {
                    self.expect(if *map { '{' } else { '[' });
                    self.eat('\n');
                    let value = self.rows(*map, columns);
                    self.expect(if *map { '}' } else { ']' });
                    value
                }
            };
            row.push((name.clone(), value));
            if !matches!(content, Content::Constant(_) | Content::Key) {
                self.eat(' ');
            }
        }
    }
}

//! What all formats are converted by way of: bodies taken apart, their values left where they are.

use super::text::Text;
use crate::json::document::Node;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    System,
    Developer,
    User,
    Assistant,
}

impl Role {
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }

    pub fn of(name: &str) -> Option<Self> {
        [Self::System, Self::Developer, Self::User, Self::Assistant]
            .into_iter()
            .find(|role| role.name() == name)
    }

    /// Whether it tells the assistant how to be.
    pub const fn is_prompt(self) -> bool {
        matches!(self, Self::System | Self::Developer)
    }
}

/// Where an image or a file is.
#[derive(Clone, Debug)]
pub enum Place {
    Url(Text),
    /// Base64.
    Data {
        media_type: Text,
        data: Text,
    },
}

#[derive(Clone, Debug)]
pub struct File {
    pub place: Place,
    pub detail: Option<Text>,
    pub name: Option<Text>,
}

/// What a tool is called with.
#[derive(Clone, Debug)]
pub enum Arguments {
    /// Text, which should be that of a JSON object.
    Text(Text),
    Value(Node),
    /// The one argument of a tool that takes text, if it has one.
    Input(Option<Node>),
}

#[derive(Clone, Debug)]
pub struct Call {
    /// Empty where it has none.
    pub id: Text,
    pub name: Text,
    pub arguments: Arguments,
}

#[derive(Clone, Debug)]
pub struct ToolResult {
    pub id: Text,
    pub parts: Vec<Part>,
    pub is_error: bool,
}

#[derive(Clone, Debug)]
pub struct Thinking {
    pub text: Text,
    pub signature: Option<Text>,
    pub redacted: Option<Text>,
}

#[derive(Clone, Debug)]
pub enum Part {
    Text(Text),
    Refusal(Text),
    Image(File),
    File(File),
    Call(Call),
    Result(ToolResult),
    Thinking(Thinking),
}

impl Part {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Refusal(_) => "refusal",
            Self::Image(_) => "image",
            Self::File(_) => "file",
            Self::Call(_) => "call",
            Self::Result(_) => "result",
            Self::Thinking(_) => "thinking",
        }
    }

    pub const fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    pub const fn is_file(&self) -> bool {
        matches!(self, Self::Image(_) | Self::File(_))
    }
}

/// Texts of parts that have one.
pub fn texts(parts: &[Part]) -> impl Iterator<Item = &Text> {
    parts.iter().filter_map(|part| match part {
        Part::Text(text) | Part::Refusal(text) => Some(text),
        _ => None,
    })
}

#[derive(Debug)]
pub struct Turn {
    pub role: Role,
    pub parts: Vec<Part>,
    pub name: Option<Text>,
}

#[derive(Debug)]
pub struct Tool {
    pub name: Text,
    pub description: Option<Node>,
    pub schema: Option<Node>,
    pub strict: Option<Node>,
}

/// Which tools may be called.
#[derive(Debug)]
pub enum Choice {
    /// `auto`, `none`, `required`.
    Word(Text),
    Tool(Text),
}

/// What a reply has to look like.
#[derive(Debug)]
pub enum ResponseFormat {
    /// An object that has its name and schema, beside its type perhaps.
    Schema(Node),
    Other(Node),
}

#[derive(Debug, Default)]
pub struct Request {
    pub model: Option<Node>,
    pub turns: Vec<Turn>,
    pub tools: Option<Vec<Tool>>,
    pub choice: Option<Choice>,
    pub parallel: Option<bool>,
    pub max_tokens: Option<Node>,
    pub temperature: Option<Node>,
    pub top_p: Option<Node>,
    pub stop: Option<Vec<Node>>,
    pub stream: Option<Node>,
    pub user: Option<Node>,
    pub effort: Option<Text>,
    pub thinking_budget: Option<f64>,
    pub format: Option<ResponseFormat>,
    /// Fields that `OpenAI`'s two formats have alike.
    pub shared: Vec<(&'static str, Node)>,
}

/// Fields of requests that `OpenAI`'s two formats have alike.
pub const SHARED: [&str; 7] = [
    "metadata",
    "store",
    "service_tier",
    "top_logprobs",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
];

/// Why a reply ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    End,
    Length,
    Calls,
    Filter,
    Sequence,
    Pause,
}

impl Stop {
    /// Its name in warnings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::End => "stop",
            Self::Length => "length",
            Self::Calls => "calls",
            Self::Filter => "filter",
            Self::Sequence => "sequence",
            Self::Pause => "pause",
        }
    }
}

/// Tokens; those of the cache are among the input's, those of reasoning among the output's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub input: f64,
    pub output: f64,
    pub cache_read: Option<f64>,
    pub cache_write: Option<f64>,
    pub reasoning: Option<f64>,
}

#[derive(Debug)]
pub struct Response {
    pub id: String,
    pub model: Option<Node>,
    /// Seconds.
    pub created: Option<Node>,
    pub parts: Vec<Part>,
    pub stop: Option<Stop>,
    pub stop_sequence: Option<Node>,
    pub usage: Option<Usage>,
}

impl Response {
    /// The id as the target has ids: with its prefix instead of another's.
    pub fn id_with(&self, prefix: &str) -> String {
        if self.id.starts_with(prefix) {
            return self.id.clone();
        }
        let bare = ["chatcmpl-", "msg_", "resp_"].iter().find_map(|known| self.id.strip_prefix(known));
        format!("{prefix}{}", bare.unwrap_or(&self.id))
    }
}

/// The effort that a budget for thinking stands for.
pub fn effort_of(budget: f64) -> &'static str {
    match budget {
        budget if budget < 4096.0 => "low",
        budget if budget < 16384.0 => "medium",
        _ => "high",
    }
}

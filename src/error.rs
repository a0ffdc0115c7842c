//! Error kinds and their public codes.

use std::fmt;

use crate::cancel::Interrupt;
use crate::memory::OutOfMemory;

/// What went wrong, as a user can tell it apart; [`ErrorKind::code`] is the `code` of the JS error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Malformed JSON: becomes a `SyntaxError`.
    Syntax,
    TaskTimeout,
    PoolClosed,
    QueueFull,
    TaskPanic,
    InvalidArg,
    TooLarge,
    Aborted,
    /// The system has no memory for a large text or result.
    OutOfMemory,
    /// A store of originals could not be opened, read or written.
    Store,
    /// A file that an operation needs, a vocabulary or a model, is missing or damaged.
    ModelNotFound,
}

impl ErrorKind {
    pub fn code(self) -> &'static str {
        match self {
            Self::Syntax => "ERR_JSON_SYNTAX",
            Self::TaskTimeout => "ERR_TASK_TIMEOUT",
            Self::PoolClosed => "ERR_POOL_CLOSED",
            Self::QueueFull => "ERR_QUEUE_FULL",
            Self::TaskPanic => "ERR_TASK_PANIC",
            Self::InvalidArg => "ERR_INVALID_ARG",
            Self::TooLarge => "ERR_TOO_LARGE",
            Self::Aborted => "ABORT_ERR",
            Self::OutOfMemory => "ERR_OUT_OF_MEMORY",
            Self::Store => "ERR_STORE",
            Self::ModelNotFound => "ERR_MODEL_NOT_FOUND",
        }
    }

    /// The kind that has this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    const ALL: [Self; 11] = [
        Self::Syntax,
        Self::TaskTimeout,
        Self::PoolClosed,
        Self::QueueFull,
        Self::TaskPanic,
        Self::InvalidArg,
        Self::TooLarge,
        Self::Aborted,
        Self::OutOfMemory,
        Self::Store,
        Self::ModelNotFound,
    ];
}

impl From<Interrupt> for ErrorKind {
    fn from(interrupt: Interrupt) -> Self {
        match interrupt {
            Interrupt::Aborted => Self::Aborted,
            Interrupt::TimedOut => Self::TaskTimeout,
            Interrupt::Closed => Self::PoolClosed,
        }
    }
}

/// Where a text stops being JSON. Positions are UTF-16 units from 0, as `JSON.parse` counts; lines and columns
/// start at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub position: usize,
    pub line: usize,
    pub column: usize,
}

/// One failed operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
    /// Set for [`ErrorKind::Syntax`].
    pub place: Option<Place>,
}

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), place: None }
    }

    pub fn syntax(message: impl Into<String>, place: Place) -> Self {
        Self { kind: ErrorKind::Syntax, message: message.into(), place: Some(place) }
    }
}

impl From<Interrupt> for Error {
    fn from(interrupt: Interrupt) -> Self {
        let message = match interrupt {
            Interrupt::Aborted => "the operation was aborted",
            Interrupt::TimedOut => "the task ran longer than its timeout",
            Interrupt::Closed => "the pool was shut down before the task was done",
        };
        Self::new(interrupt.into(), message)
    }
}

impl From<OutOfMemory> for Error {
    fn from(error: OutOfMemory) -> Self {
        Self::new(ErrorKind::OutOfMemory, error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

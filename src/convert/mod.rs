//! Requests and replies of one provider's format as another's: `OpenAI`'s chat completions and responses, Anthropic's
//! messages.
//!
//! A body is read into one form in between ([`hub`]), whose values stay where they are, and written from it: what is not
//! changed is copied as it stands. Every reader names the fields that it does not know, and refuses those of another
//! format.

mod anthropic;
mod conversion;
mod hub;
mod ids;
mod openai;
mod responses;
mod text;
mod writer;

use crate::cancel::CancelToken;
use crate::error::Error;
use crate::json::document::Node;
use conversion::Conversion;
use writer::Writer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Openai,
    Anthropic,
    Responses,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Openai, Self::Anthropic, Self::Responses];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Responses => "responses",
        }
    }

    /// What only other formats have on top.
    const fn foreign(self, kind: Kind) -> &'static [&'static str] {
        match (self, kind) {
            (Self::Openai, Kind::Request) => &["input", "instructions", "system"],
            (Self::Anthropic, Kind::Request) => &["input", "instructions"],
            (Self::Responses, Kind::Request) => &["messages", "system"],
            (Self::Openai, Kind::Response) => &["content", "output"],
            (Self::Anthropic, Kind::Response) => &["choices", "output"],
            (Self::Responses, Kind::Response) => &["choices", "content"],
        }
    }
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Request,
    Response,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Request, Self::Response];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// From what to what.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub from: Format,
    pub to: Format,
    pub kind: Kind,
    /// Seconds since 1970, for replies that do not say when they were made.
    pub now: u64,
}

/// A body in its new format.
#[derive(Debug)]
pub struct Converted {
    /// JSON, compact.
    pub text: Vec<u8>,
    /// What could not be said there, or had to be said in another way.
    pub warnings: Vec<String>,
}

/// Converts a body.
///
/// # Errors
///
/// When it is not one of its format, mixes formats, or is interrupted.
pub fn convert(body: &Node, options: Options, cancel: &CancelToken) -> Result<Converted, Error> {
    let Options { from, to, kind, now } = options;
    let mut conversion = Conversion { from, kind, warnings: Vec::new(), cancel, now };
    conversion.reject_foreign_fields(body, from.foreign(kind), format_args!(""))?;
    let length = body.byte_length();
    let mut writer = Writer::new(length + length / 8 + 1024, cancel);
    match kind {
        Kind::Request => {
            let request = match from {
                Format::Openai => openai::read_request(body, &mut conversion),
                Format::Anthropic => anthropic::read_request(body, &mut conversion),
                Format::Responses => responses::read_request(body, &mut conversion),
            }?;
            match to {
                Format::Openai => openai::write_request(&request, &mut writer, &mut conversion),
                Format::Anthropic => anthropic::write_request(&request, &mut writer, &mut conversion)?,
                Format::Responses => responses::write_request(&request, &mut writer, &mut conversion),
            }
        }
        Kind::Response => {
            let response = match from {
                Format::Openai => openai::read_response(body, &mut conversion),
                Format::Anthropic => anthropic::read_response(body, &mut conversion),
                Format::Responses => responses::read_response(body, &mut conversion),
            }?;
            match to {
                Format::Openai => openai::write_response(&response, &mut writer, &mut conversion),
                Format::Anthropic => anthropic::write_response(&response, &mut writer, &mut conversion)?,
                Format::Responses => responses::write_response(&response, &mut writer, &mut conversion),
            }
        }
    }
    Ok(Converted { text: writer.finish()?, warnings: conversion.warnings })
}

/// The converted body and its warnings as one JSON text, a list of the two.
///
/// # Errors
///
/// When interrupted.
pub fn with_warnings(
    Converted { text, warnings }: Converted,
    cancel: &CancelToken,
) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::new(text.len() + 64, cancel);
    writer.list(|writer| {
        writer.bytes(&text);
        writer.list(|writer| warnings.iter().for_each(|warning| writer.string(warning)));
    });
    crate::memory::recycle(text);
    Ok(writer.finish()?)
}

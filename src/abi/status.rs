//! Status codes.

use crate::declarations::DeclarationError;
use crate::session::SessionError;

/// What became of a call. Numbers are never reused.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// A pointer is NULL.
    NullPointer = 1,
    /// A pointer is not a multiple of 8.
    Misaligned = 2,
    /// `struct_size` or a stride is smaller than in version 1 of the struct.
    StructTooSmall = 3,
    /// An argument is out of its range.
    InvalidArgument = 4,
    /// A text is not UTF-8.
    NotUtf8 = 5,
    /// The event was lost; the loss is counted.
    Lost = 6,
    /// No session is running.
    NotRunning = 7,
    /// A session is running already.
    AlreadyRunning = 8,
    /// This process is the child of a fork; the session belongs to its parent.
    Forked = 9,
    /// A file could not be created or written, or there is no directory for it.
    Io = 10,
    /// The collector did not answer in time, or another call that has to be over first did not end; this is
    /// what a signal handler is told that has interrupted one.
    Timeout = 11,
    /// The name is empty or too long, or there are too many names.
    NameRefused = 12,
    /// The library failed; the call had no effect.
    Panicked = 13,
    /// The buffer is too small for the text; nothing was written.
    BufferTooSmall = 14,
}

impl From<SessionError> for Status {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::AlreadyRunning => Self::AlreadyRunning,
            SessionError::NotRunning => Self::NotRunning,
            SessionError::Forked => Self::Forked,
            SessionError::Io(_) => Self::Io,
            SessionError::Timeout => Self::Timeout,
        }
    }
}

impl From<DeclarationError> for Status {
    fn from(error: DeclarationError) -> Self {
        match error {
            DeclarationError::Length | DeclarationError::TooMany => Self::NameRefused,
            DeclarationError::UnknownPool => Self::InvalidArgument,
            DeclarationError::Held => Self::Timeout,
        }
    }
}

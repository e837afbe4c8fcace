//! Empty: only what the manifest asks for matters.

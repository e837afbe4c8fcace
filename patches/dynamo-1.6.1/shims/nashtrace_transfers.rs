// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! The numbers that the record of a copy is written with.

/// The memory at one end of a copy: `nashtrace_medium`.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Medium {
    Unknown = 0,
    System = 1,
    Pinned = 2,
    Device = 3,
    Disk = 4,
    Object = 5,
}

/// How a copy is made: `nashtrace_strategy`.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    Unknown = 0,
    Memcpy = 1,
    CudaHostToDevice = 2,
    CudaDeviceToHost = 3,
    CudaDeviceToDevice = 4,
    NixlRead = 5,
    NixlWrite = 6,
    GpuDirectStorage = 7,
    ObjectStore = 8,
}

/// How a copy ended: `nashtrace_outcome`.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Unknown = 0,
    Done = 1,
    Failed = 2,
    Cancelled = 3,
    Lost = 4,
}

/// What a copy's stream is: `nashtrace_stream_kind`.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamKind {
    None = 0,
    Cuda = 1,
}
